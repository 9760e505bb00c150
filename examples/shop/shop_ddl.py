"""The SQLite and MySQL definitions of the shop's tables, both made from shop_schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shop_schema import KEYS, Kind, Table

SQLITE_TYPES: Mapping[Kind, str] = {
    "id": "INTEGER",
    "integer": "INTEGER",
    "text": "TEXT",
    "date": "DATE",
    # REAL, not DECIMAL: NUMERIC affinity stores 20.00 as the integer 20, and 20 / 3 is then 6.
    "money": "REAL",
    "rate": "REAL",
}
MYSQL_TYPES: Mapping[Kind, str] = {
    "id": "INT",
    "integer": "INT",
    "text": "VARCHAR({length})",
    "date": "DATE",
    "money": "DECIMAL(10,2)",
    "rate": "DECIMAL(4,2)",
}


@dataclass(frozen=True)
class Descriptions:
    """What one table and its columns mean, in words."""

    table: str
    columns: Mapping[str, str]


def sqlite_table(table: Table) -> str:
    """Return the CREATE TABLE statement for SQLite."""
    parts = []
    for column in table.columns:
        key = " PRIMARY KEY" if column.name == table.key else ""
        required = "" if column.nullable or key else " NOT NULL"
        parts.append(f"{column.name} {SQLITE_TYPES[column.kind]}{key}{required}")
    parts += [f"UNIQUE ({', '.join(columns)})" for columns in table.unique]
    parts += _foreign_keys(table)
    return f"CREATE TABLE {table.name} (\n  " + ",\n  ".join(parts) + "\n)"


def sqlite_indexes(table: Table) -> Iterator[str]:
    """Yield one CREATE INDEX statement for each foreign key and each column worth searching."""
    linked = tuple(column.name for column in table.columns if column.references)
    for name in linked + table.indexed:
        yield f"CREATE INDEX ix_{table.name}_{name} ON {table.name} ({name})"


def mysql_table(table: Table, descriptions: Descriptions) -> str:
    """Return the CREATE TABLE statement for MySQL and MariaDB, with comments."""
    parts = []
    for column in table.columns:
        kind = MYSQL_TYPES[column.kind].format(length=column.length)
        required = "NULL" if column.nullable else "NOT NULL"
        comment = mysql_text(descriptions.columns[column.name])
        parts.append(f"{column.name} {kind} {required} COMMENT {comment}")
    parts.append(f"PRIMARY KEY ({table.key})")
    parts += [f"UNIQUE KEY ({', '.join(columns)})" for columns in table.unique]
    parts += [f"KEY ix_{table.name}_{name} ({name})" for name in table.indexed]
    parts += _foreign_keys(table)
    return (
        f"CREATE TABLE {table.name} (\n  "
        + ",\n  ".join(parts)
        + f"\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci"
        f" COMMENT={mysql_text(descriptions.table)}"
    )


def mysql_text(text: str) -> str:
    """Return a text as a MySQL string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def _foreign_keys(table: Table) -> list[str]:
    return [
        f"FOREIGN KEY ({column.name}) REFERENCES {column.references} ({KEYS[column.references]})"
        for column in table.columns
        if column.references
    ]
