"""Reads what the rows of an SQLite file tell: counts, samples and ranges, each within limits."""

import sqlite3
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from text2sql.datasource.catalog import Table
from text2sql.datasource.introspection.ranges import ranged_columns, select_ranges, with_ranges
from text2sql.datasource.introspection.samples import (
    ROWS_FROM_END,
    ROWS_FROM_START,
    SAMPLE_CHARACTERS,
    tying_columns,
    with_samples,
    worth_sampling,
)
from text2sql.messages import Cell

STATEMENT_SECONDS = 0.5
"""For one look at one table or view."""

_STEPS_BETWEEN_CHECKS = 2_000


def quoted(name: str) -> str:
    """Return the name as a statement can hold it, whatever it is made of."""
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def _limited(connection: sqlite3.Connection, seconds: float) -> Iterator[None]:
    end = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() > end, _STEPS_BETWEEN_CHECKS)
    try:
        yield
    finally:
        connection.set_progress_handler(None, 0)


def count_rows(connection: sqlite3.Connection, name: str, seconds: float) -> int | None:
    """Return how many there are; None where counting takes longer."""
    if seconds <= 0:
        return None
    try:
        with _limited(connection, seconds):
            return int(connection.execute(f"SELECT count(*) FROM {quoted(name)}").fetchone()[0])  # noqa: S608  # quoted
    except sqlite3.DatabaseError:
        return None


def read_samples(connection: sqlite3.Connection, table: Table, end: float, *, reads_end: bool) -> Table:
    """Return the table with samples; also with its row count where all its rows were read."""
    seconds = min(STATEMENT_SECONDS, end - time.monotonic())
    if seconds <= 0:
        return table
    names = [column.name for column in table.columns if worth_sampling(column.name, column.type)]
    cells = [cut(quoted(name), SAMPLE_CHARACTERS) for name in names]
    select = f"SELECT {', '.join(cells) or '1'} FROM {quoted(table.name)}"  # noqa: S608  # quoted
    try:
        with _limited(connection, seconds):
            rows: list[tuple[Cell, ...]] = connection.execute(f"{select} LIMIT {ROWS_FROM_START}").fetchall()
    except sqlite3.DatabaseError:
        return table
    whole = len(rows) < ROWS_FROM_START
    if not whole and reads_end:
        rows += _last_rows(connection, select, table, seconds)
    update: dict[str, object] = {"columns": with_samples(table.columns, names, rows, tying_columns(table))}
    if whole and table.kind == "table":
        update["row_count"] = len(rows)
    return table.model_copy(update=update)


def read_ranges(connection: sqlite3.Connection, table: Table, indexed: Collection[str], end: float) -> Table:
    """Return the table with the ranges of its columns; without them where they take too long."""
    names = ranged_columns(table, indexed)
    if not names or time.monotonic() > end:
        return table
    rows = fetch(connection, select_ranges(table, quoted(table.name), list(map(quoted, names))))
    return with_ranges(table, names, rows[0]) if rows else table


def fetch(connection: sqlite3.Connection, sql: str) -> Sequence[tuple[Cell, ...]] | None:
    """Return the rows; None where SQLite cannot read them, or not in time."""
    try:
        with _limited(connection, STATEMENT_SECONDS):
            return connection.execute(sql).fetchall()
    except sqlite3.DatabaseError:
        return None


def cut(cell: str, characters: int) -> str:
    """Return a column as it is read: a longer text is cut by SQLite, and a blob is not even looked at."""
    case = "CASE typeof({0}) WHEN 'text' THEN substr({0}, 1, {1}) WHEN 'blob' THEN x'' ELSE {0} END"
    return case.format(cell, characters + 1)


def _last_rows(
    connection: sqlite3.Connection, select: str, table: Table, seconds: float
) -> list[tuple[Cell, ...]]:
    orders = ["rowid DESC"]
    if table.primary_key:  # a table WITHOUT ROWID is ordered by its key
        orders.append(", ".join(f"{quoted(name)} DESC" for name in table.primary_key))
    for order in orders:
        try:
            with _limited(connection, seconds):
                return connection.execute(f"{select} ORDER BY {order} LIMIT {ROWS_FROM_END}").fetchall()
        except sqlite3.DatabaseError:
            continue
    return []
