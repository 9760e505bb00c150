"""Databases that differ in nothing but what a caller may not see, and a judge of what comes of a statement.

A statement leaks when anything that comes of it holds a marker that only hidden cells hold, or when its
result or error is not the same on both databases. No leak of a bit, such as an error that a hidden row
causes or a count that it changes, is too small to be seen that way.
"""

import io
import logging
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from text2sql.datasource.catalog import Catalog, Column, Table
from text2sql.datasource.policy.access import Access, Caller
from text2sql.datasource.policy.decide import access_for
from text2sql.errors import QueryFailed, QueryTimedOut, SqlRejected, Text2SqlError
from text2sql.execution.sqlite import sha2
from text2sql.execution.sqlite_errors import translation
from text2sql.messages import Dialect, SqlDraft
from text2sql.validation.policy.load import load_policy
from text2sql.validation.step import validate_sql

MARKER = "Zq7x"
MARKER_NUMBER = 73917
MOST_STEPS = 2_000
"""Thousands of steps of SQLite's virtual machine that a statement may take; the adapter has a clock."""
STOPPED = QueryTimedOut.code
ROW_LIMIT = 100_000
"""Beyond any result here, so that the limit that is put in cuts nothing."""
ODD_REGION = "O'Hara \\' OR 1=1 -- \U0001f511"
_TRACE = re.compile(rf"{MARKER}|{MARKER_NUMBER}|{MARKER.encode().hex()}|-07-31", re.IGNORECASE)
"""The last is the day of those birth dates of which only the year may be seen, also where they filter."""

_COLUMNS = {
    "customers": {
        "customer_id": "INTEGER",
        "name": "VARCHAR(80)",
        "region": "VARCHAR(80)",
        "email": "VARCHAR(80)",
        "phone": "VARCHAR(80)",
        "birth_date": "DATE",
        "tax_id": "VARCHAR(80)",
        "code": "VARCHAR(80)",
    },
    "orders": {
        "order_id": "INTEGER",
        "customer_id": "INTEGER",
        "day": "DATE",
        "amount": "INTEGER",
        "secret": "VARCHAR(80)",
    },
    "products": {"product_id": "INTEGER", "name": "VARCHAR(80)", "price": "INTEGER", "cost": "INTEGER"},
    "secrets": {"id": "INTEGER", "name": "VARCHAR(80)", "amount": "INTEGER"},
    "name": {"name": "VARCHAR(80)"},
}
_POLICY = """
attributes: {region: text, ids: list of integer}
groups:
  everyone:
    tables:
      products: {deny: [cost]}
  region:
    inherits: [everyone]
    tables:
      customers:
        deny: [email]
        mask: {phone: last_four, birth_date: year_only, tax_id: full, code: hash}
        rows: region = {caller.region}
      orders:
        deny: [secret]
        rows: customer_id IN (SELECT customer_id FROM customers WHERE region = {caller.region})
  own:
    inherits: [everyone]
    tables:
      customers:
        deny: [email, tax_id]
        mask: {phone: full, birth_date: year_only, code: hash}
        filter_by: [birth_date]
        rows: customer_id IN {caller.ids}
      orders:
        deny: [secret]
        mask: {day: year_only}
        rows: customer_id IN {caller.ids} AND amount < 500
"""
CALLERS: Mapping[str, Caller] = {
    "of a region": Caller(groups=("region",), attributes={"region": "north"}),
    "of an odd region": Caller(groups=("region",), attributes={"region": ODD_REGION}),
    "of two groups": Caller(groups=("region", "own"), attributes={"region": "south", "ids": (1, 5)}),
    "of own rows": Caller(groups=("own",), attributes={"ids": (1, 2, 4)}),
    "of no row": Caller(groups=("own",), attributes={"ids": ()}),
    "of the lowest group": Caller(groups=("everyone", "nonsense")),
}


def catalog(dialect: Dialect = "sqlite", name: str = "main") -> Catalog:
    """Return the whole catalog, of which no caller sees all."""
    tables = tuple(
        Table(name=table, columns=tuple(Column(name=column, type=kind) for column, kind in columns.items()))
        for table, columns in _COLUMNS.items()
    )
    return Catalog(name=name, dialect=dialect, server="test", tables=tables)


def accesses(whole: Catalog) -> dict[str, Access]:
    """Return what each of the callers may see."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "policy.yaml")
        path.write_text(_POLICY, "utf-8")
        policy = load_policy(path, whole)
    return {name: access_for(policy, caller, whole) for name, caller in CALLERS.items()}


# ── the two databases ────────────────────────────────────────────────────────────────────────────

Rows = Mapping[str, Sequence[tuple[object, ...]]]
_REGIONS = {1: "north", 2: "north", 3: "south", 4: ODD_REGION, 5: "north", 6: "east", 7: "south"}
_VISIBLE_CUSTOMERS = {
    "of a region": {1, 2, 5},
    "of an odd region": {4},
    "of two groups": {1, 3, 5, 7},
    "of own rows": {1, 2, 4},
    "of no row": set[int](),
    "of the lowest group": set[int](),
}


def rows_for(caller: str, *, second: bool) -> Rows:
    """Return a database's rows; what the caller may see is the same in both, all else differs."""
    visible = _VISIBLE_CUSTOMERS[caller]
    sees_phone = caller in {"of a region", "of an odd region"}
    twist = f"{MARKER}2" if second else f"{MARKER}1"
    customers: list[tuple[object, ...]] = []
    orders: list[tuple[object, ...]] = []
    for number, region in _REGIONS.items():
        shown = number in visible
        if not shown and second and number % 2:
            continue  # the second database lacks some hidden rows
        ending = f"{number}678" if sees_phone else twist
        month = 1 if second and caller != "of own rows" else 7  # those may filter by it
        customers.append(
            (
                number,
                f"Name {number % 3}" if shown else twist,
                region,
                f"{twist}@{number}",
                f"{twist}-{number}-{ending}" if shown else twist,
                f"{1980 + number}-{month:02}-31" if shown else f"19{20 + 30 * second}-01-0{number}",
                twist,
                f"code {number}" if shown else twist,
            )
        )
        for place in range(number % 3 + 1):
            amount = 50 * place + number if shown else MARKER_NUMBER + second
            orders.append((10 * number + place, number, f"2025-0{place + 1}-1{number}", amount, twist))
    if caller in {"of two groups", "of own rows"}:  # of the day they see the year
        orders = [(*order[:2], f"2025-1{int(second)}-11", *order[3:]) for order in orders]
    products = [
        (number, f"Product {number}", 10 * number, MARKER_NUMBER + number * (1 + second))
        for number in range(1, 5)
    ]
    secrets = [(number, twist, MARKER_NUMBER + second) for number in range(2 if second else 5)]
    hidden = [(twist,), ("Name 1",)] if second else [(twist,)]
    return {
        "customers": customers,
        "orders": orders,
        "products": products,
        "secrets": secrets,
        "name": hidden,
    }


def statements_that_build(rows: Rows) -> Iterator[tuple[str, Sequence[tuple[object, ...]]]]:
    """Yield what makes the tables, each with the rows to run it for; `?` stands for a value."""
    for table, columns in _COLUMNS.items():
        declared = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        yield f"CREATE TABLE {table} ({declared})", ((),)
        yield f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})", rows[table]


class SqliteTwin:
    """One of the two databases, in memory."""

    def __init__(self, rows: Rows) -> None:
        self._connection = sqlite3.connect(":memory:")
        self._connection.create_function("sha2", 2, sha2, deterministic=True)
        for sql, each in statements_that_build(rows):
            self._connection.executemany(sql, each) if "?" in sql else self._connection.execute(sql)

    def reduce(self, tables: Mapping[str, str]) -> None:
        """Keep these tables alone, each with the rows of its query."""
        for name, sql in tables.items():
            self._connection.execute(f"CREATE TABLE new_{name} AS {sql}")
        for name in _COLUMNS:
            self._connection.execute(f"DROP TABLE {name}")
        for name in tables:
            self._connection.execute(f"ALTER TABLE new_{name} RENAME TO {name}")

    def run(self, sql: str) -> Any:
        """Return the columns and rows, or the error as a caller would be told of it."""
        steps = count()
        self._connection.set_progress_handler(lambda: next(steps) > MOST_STEPS, 1000)
        try:
            with closing(self._connection.execute(sql)) as cursor:
                return [column[0] for column in cursor.description], cursor.fetchall()
        except sqlite3.Error as error:
            return told(translation(error, Path("test.db"), sql))


def told(error: Text2SqlError) -> tuple[str, str, str]:
    """Return all that anybody is told of an error."""
    return error.code, error.message, error.feedback if isinstance(error, QueryFailed) else error.remedy


# ── the judgement ────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Verdict:
    """What became of one statement."""

    sql: str
    ran: bool
    leak: str = ""
    """How it leaks, if it does."""


class Judge:
    """Validates statements for one caller and runs them on both databases."""

    def __init__(self, access: Access, first: Any, second: Any) -> None:
        self._access = access
        self._twins = (first, second)
        self._log = io.StringIO()
        self._handler = logging.StreamHandler(self._log)

    def judge(self, sql: str) -> Verdict:
        """Return whether the statement ran, and whether it leaks."""
        root = logging.getLogger()
        root.addHandler(self._handler)
        try:
            return self._judge(sql)
        finally:
            root.removeHandler(self._handler)

    def _judge(self, sql: str) -> Verdict:
        try:
            valid = validate_sql(SqlDraft(sql=sql), self._access, ROW_LIMIT)
        except SqlRejected as refused:
            return Verdict(sql, ran=False, leak=self._find_trace(refused.message, refused.feedback))
        first, second = (twin.run(valid.sql) for twin in self._twins)
        leak = self._find_trace(repr(first), repr(second), *valid.changes, valid.sql)
        if STOPPED in (first[0], second[0]):  # how long a statement takes depends on hidden rows
            return Verdict(sql, ran=False, leak=leak)
        if not leak and first != second:
            leak = f"{first!r} and {second!r} for {' '.join(valid.sql.split())}"
        return Verdict(sql, ran=isinstance(first[0], list), leak=leak)

    def _find_trace(self, *texts: str) -> str:
        text = "\n".join((*texts, self._log.getvalue()))
        found = _TRACE.search(text)
        return f"a marker in {text[max(found.start() - 200, 0) : found.end() + 50]}" if found else ""


def sqlite_judges() -> dict[str, Judge]:
    """Return a judge with its two databases for each caller."""
    return {
        caller: Judge(
            access, SqliteTwin(rows_for(caller, second=False)), SqliteTwin(rows_for(caller, second=True))
        )
        for caller, access in accesses(catalog()).items()
    }
