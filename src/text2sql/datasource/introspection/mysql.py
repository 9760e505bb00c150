"""Reads the catalog of a MySQL or MariaDB schema over an open cursor."""

import time
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple, TypeAlias

import pymysql
from pymysql.cursors import Cursor

from text2sql.datasource.catalog import Column, ForeignKey, Table
from text2sql.datasource.introspection.ranges import ranged_columns, select_ranges, with_ranges
from text2sql.datasource.introspection.samples import (
    ROWS_FROM_END,
    ROWS_FROM_START,
    SAMPLE_CHARACTERS,
    tying_columns,
    with_samples,
    worth_sampling,
)
from text2sql.datasource.introspection.texts import read_columns
from text2sql.datasource.values import ColumnTexts, TextColumn, TextLimits
from text2sql.messages import Cell

SAMPLING_SECONDS = 10.0
"""For all tables together; those that are left go without samples."""
STATEMENT_SECONDS = 1.0
"""For one look at one table or view."""

# No privilege on the table or one of its columns; a view that is broken, or reads what this user may not.
_UNREADABLE = frozenset({1142, 1143, 1356})
_KINDS = {"BASE TABLE": "table", "SYSTEM VERSIONED": "table", "VIEW": "view"}

_TABLES = (
    "SELECT TABLE_NAME, TABLE_TYPE, TABLE_COMMENT FROM information_schema.TABLES "
    "WHERE TABLE_SCHEMA = %s ORDER BY TABLE_NAME"
)
_COLUMNS = (
    "SELECT TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLUMN_COMMENT "
    "FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = %s ORDER BY TABLE_NAME, ORDINAL_POSITION"
)
_KEYS = (
    "SELECT TABLE_NAME, CONSTRAINT_NAME, COLUMN_NAME, REFERENCED_TABLE_NAME, REFERENCED_COLUMN_NAME "
    "FROM information_schema.KEY_COLUMN_USAGE WHERE TABLE_SCHEMA = %s "
    "AND (CONSTRAINT_NAME = 'PRIMARY' OR REFERENCED_TABLE_SCHEMA = TABLE_SCHEMA) "
    "ORDER BY TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION"
)
_EXACT = (
    "SELECT TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = %s "
    "AND (COLLATION_NAME LIKE '%%\\_bin' OR COLLATION_NAME LIKE '%%\\_cs')"
)
_INDEXED = (
    "SELECT DISTINCT TABLE_NAME, COLUMN_NAME FROM information_schema.STATISTICS "
    "WHERE TABLE_SCHEMA = %s AND SEQ_IN_INDEX = 1 AND INDEX_TYPE = 'BTREE'"
)
_COUNTS = "SELECT TABLE_NAME, TABLE_ROWS FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s"

Row: TypeAlias = tuple[Any, ...]


class Structure(NamedTuple):
    """What the server tells of a schema, without anything that an INSERT changes."""

    tables: tuple[Row, ...]
    columns: tuple[Row, ...]
    keys: tuple[Row, ...]


def read_structure(cursor: Cursor, schema: str) -> Structure:
    """Read tables, columns and keys in three queries."""
    answers = []
    for query in (_TABLES, _COLUMNS, _KEYS):
        cursor.execute(query, (schema,))
        answers.append(tuple(cursor.fetchall()))
    return Structure(*answers)


def read_tables(cursor: Cursor, schema: str, sampling_limit: str) -> tuple[Table, ...]:
    """Return the tables and views that the user may read, with columns, keys, comments, samples and ranges.

    Row counts are exact for tables of fewer than 300 rows, else the storage engine's estimate.
    `sampling_limit` is the session setting that ends a look at one table after `STATEMENT_SECONDS`.
    """
    tables = _tables(read_structure(cursor, schema))
    cursor.execute(_COUNTS, (schema,))
    estimates = dict(cursor.fetchall())
    indexed = defaultdict(set)
    cursor.execute(_INDEXED, (schema,))
    for table_name, column in cursor.fetchall():
        indexed[table_name].add(column)
    cursor.execute(f"SET SESSION {sampling_limit}")
    end = time.monotonic() + SAMPLING_SECONDS
    complete = []
    for table in tables:
        try:
            sampled = _sampled(cursor, table, estimates.get(table.name), end)
            complete.append(_ranged(cursor, sampled, indexed[table.name], end))
        except (pymysql.OperationalError, pymysql.ProgrammingError, pymysql.InternalError) as error:
            if not cursor.connection.open:
                raise
            if error.args[0] not in _UNREADABLE:
                complete.append(table.model_copy(update={"row_count": estimates.get(table.name)}))
    return tuple(complete)


def read_texts(
    cursor: Cursor, schema: str, wanted: Sequence[TextColumn], limits: TextLimits, sampling_limit: str
) -> tuple[ColumnTexts, ...]:
    """Return what the columns hold; `sampling_limit` is the session setting that ends a look at one."""
    cursor.execute(_EXACT, (schema,))
    exact = set(cursor.fetchall())
    cursor.execute(f"SET SESSION {sampling_limit}")

    def names(column: TextColumn) -> tuple[str, str]:
        cell = f"LEFT({_quoted(column.column)}, {limits.characters + 1})"
        return _quoted(column.table), cell

    return read_columns(
        wanted,
        limits,
        lambda sql: _fetch(cursor, sql),
        names,
        lambda each: (each.table, each.column) in exact,
    )


def _tables(structure: Structure) -> list[Table]:
    columns: dict[str, list[Column]] = defaultdict(list)
    for table, name, declared, nullable, comment in structure.columns:
        columns[table].append(
            Column(name=name, type=_text(declared), nullable=nullable == "YES", description=comment or "")
        )
    primary: dict[str, list[str]] = defaultdict(list)
    foreign: dict[str, dict[str, tuple[str, list[str], list[str]]]] = defaultdict(dict)
    for table, constraint, column, parent, referenced in structure.keys:
        if parent is None:
            primary[table].append(column)
        else:
            _, own, theirs = foreign[table].setdefault(constraint, (parent, [], []))
            own.append(column)
            theirs.append(referenced)
    return [
        Table(
            name=name,
            kind=_KINDS[kind],
            columns=tuple(columns[name]),
            primary_key=tuple(primary[name]),
            foreign_keys=tuple(
                ForeignKey(columns=tuple(own), table=parent, references=tuple(theirs))
                for parent, own, theirs in foreign[name].values()
            ),
            # The server fills a view's comment with the word VIEW, or with what is wrong with it.
            description="" if kind == "VIEW" else comment or "",
        )
        for name, kind, comment in structure.tables
        if kind in _KINDS and columns[name]
    ]


def _text(value: str | bytes) -> str:
    """Return MySQL's COLUMN_TYPE, which is a LONGTEXT or a BLOB by release."""
    return value.decode() if isinstance(value, bytes) else value


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _sampled(cursor: Cursor, table: Table, estimate: int | None, end: float) -> Table:
    """Return the table with samples and its row count; past `end` with the estimate only."""
    if time.monotonic() > end:
        return table.model_copy(update={"row_count": estimate})
    names = [column.name for column in table.columns if worth_sampling(column.name, column.type)]
    cells = [_cell(column) for column in table.columns if column.name in names]
    select = f"SELECT {', '.join(cells) or '1'} FROM {_quoted(table.name)}"  # noqa: S608  # quoted
    cursor.execute(f"{select} LIMIT {ROWS_FROM_START}")
    rows: list[tuple[Cell, ...]] = list(cursor.fetchall())
    whole = len(rows) < ROWS_FROM_START
    if not whole and table.primary_key:
        order = ", ".join(f"{_quoted(name)} DESC" for name in table.primary_key)
        cursor.execute(f"{select} ORDER BY {order} LIMIT {ROWS_FROM_END}")
        rows += cursor.fetchall()
    count = None
    if table.kind == "table":
        count = len(rows) if whole else max(estimate or 0, len(rows))
    columns = with_samples(table.columns, names, rows, tying_columns(table))
    return table.model_copy(update={"columns": columns, "row_count": count})


def _ranged(cursor: Cursor, table: Table, indexed: Collection[str], end: float) -> Table:
    """Return the table with the ranges of its columns; without them where they take too long."""
    names = ranged_columns(table, indexed)
    if not names or time.monotonic() > end:
        return table
    rows = _fetch(cursor, select_ranges(table, _quoted(table.name), list(map(_quoted, names))))
    return with_ranges(table, names, rows[0]) if rows else table


def _fetch(cursor: Cursor, sql: str) -> Sequence[Row] | None:
    """Return the rows; None where the user may not read them, or not in time."""
    try:
        cursor.execute(sql)
    except (pymysql.OperationalError, pymysql.ProgrammingError, pymysql.InternalError):
        if not cursor.connection.open:
            raise
        return None
    return cursor.fetchall()


def _cell(column: Column) -> str:
    """Return the column as it is read for a sample: a long text is cut by the server."""
    name = _quoted(column.name)
    return f"LEFT({name}, {SAMPLE_CHARACTERS + 1})" if "text" in column.type.lower() else name
