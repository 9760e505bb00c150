"""A shop of three tables with a few rows, as a catalog and as a SQLite file, for tests."""

import sqlite3
from contextlib import closing
from pathlib import Path

from text2sql.datasource.catalog import Catalog, Column, ForeignKey, Table
from text2sql.messages import Dialect

SCRIPT = """
CREATE TABLE customers (customer_id INTEGER PRIMARY KEY, name TEXT NOT NULL, segment TEXT);
CREATE TABLE orders (
  order_id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers (customer_id),
  order_date DATE, status TEXT
);
CREATE TABLE order_items (
  item_id INTEGER PRIMARY KEY, order_id INTEGER REFERENCES orders (order_id), line_total REAL
);
INSERT INTO customers VALUES (1, 'Ada', 'Corporate'), (2, 'Grace', 'Consumer'), (3, 'Linus', NULL);
INSERT INTO orders VALUES (1, 1, '2025-01-05', 'completed'), (2, 1, '2025-02-01', 'completed'),
  (3, 2, '2025-02-03', 'cancelled');
INSERT INTO order_items VALUES (1, 1, 10.5), (2, 1, 4.5), (3, 2, 100.0);
"""


def _table(name: str, columns: str, **references: str) -> Table:
    names = columns.split()
    return Table(
        name=name,
        columns=tuple(Column(name=column, type="TEXT") for column in names),
        primary_key=(names[0],),
        foreign_keys=tuple(
            ForeignKey(columns=(column,), table=table, references=(column,))
            for column, table in references.items()
        ),
    )


def small_catalog(dialect: Dialect = "sqlite") -> Catalog:
    return Catalog(
        name="shop",
        dialect=dialect,
        server="test",
        tables=(
            _table("customers", "customer_id name segment"),
            _table("orders", "order_id customer_id order_date status", customer_id="customers"),
            _table("order_items", "item_id order_id line_total", order_id="orders"),
        ),
    )


def write_small_shop(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SCRIPT)
    return path
