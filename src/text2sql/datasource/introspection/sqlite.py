"""Reads the catalog of an SQLite file over an open connection."""

import sqlite3
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from text2sql.datasource.catalog import Column, ForeignKey, Table
from text2sql.datasource.introspection.sqlite_rows import (
    count_rows,
    cut,
    fetch,
    quoted,
    read_ranges,
    read_samples,
)
from text2sql.datasource.introspection.texts import read_columns
from text2sql.datasource.values import ColumnTexts, TextColumn, TextLimits

SAMPLING_SECONDS = 5.0
"""For all tables together; those that are left go without samples."""
COUNTING_SECONDS = 1.0
"""For all tables together; those that are left have no row count."""

# Full-text and spatial tables keep their parts in tables of their own, named after them.
_PARTS = (
    *("content", "data", "docsize", "config", "idx", "stat", "segments", "segdir"),
    *("node", "rowid", "parent"),
)
_PLAIN = "m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND m.sql NOT LIKE 'CREATE VIRTUAL%'"
_COLUMNS = (
    'SELECT m.name, x.name, x.type, x."notnull", x.pk FROM {} AS m JOIN pragma_table_xinfo(m.name) AS x '
    "WHERE x.hidden <> 1 AND {} ORDER BY m.name, x.cid"
)
_ALL_COLUMNS = _COLUMNS.format("sqlite_master", _PLAIN)
_COLUMNS_OF_ONE = _COLUMNS.format("(SELECT ? AS name)", "1")
_FOREIGN_KEYS = f"""
SELECT m.name, f.id, f."table", f."from", f."to" FROM sqlite_master AS m
JOIN pragma_foreign_key_list(m.name) AS f WHERE {_PLAIN} ORDER BY m.name, f.id DESC, f.seq
"""  # noqa: S608  # made of constants
_INDEXED = f"""
SELECT m.name, i.name FROM sqlite_master AS m JOIN pragma_index_list(m.name) AS l
JOIN pragma_index_info(l.name) AS i WHERE i.seqno = 0 AND NOT l.partial AND {_PLAIN}
"""  # noqa: S608  # made of constants


class Definition(NamedTuple):
    """A table or view as the schema holds it."""

    name: str
    kind: str
    sql: str

    @property
    def is_virtual(self) -> bool:
        """Whether a module, not SQLite itself, keeps the rows."""
        return self.sql[:14].upper() == "CREATE VIRTUAL"


def read_schema(connection: sqlite3.Connection) -> list[Definition]:
    """Return all tables and views that are the user's own, by name."""
    rows = connection.execute(
        "SELECT name, type, sql FROM sqlite_master WHERE type IN ('table', 'view') "
        "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name COLLATE NOCASE"
    )
    found = [Definition(name, kind, sql or "") for name, kind, sql in rows]
    parts = {f"{each.name}_{part}" for each in found if each.is_virtual for part in _PARTS}
    return [each for each in found if each.name not in parts]


def read_tables(connection: sqlite3.Connection) -> tuple[Table, ...]:
    """Return tables and views with columns, keys, samples and, of tables, row counts and ranges.

    A view that SQLite cannot resolve, or a virtual table whose module is not loaded, is left out.
    """
    schema = read_schema(connection)
    described = _describe(connection, _ALL_COLUMNS)
    for each in schema:
        if each.kind == "view" or each.is_virtual:
            try:
                described |= _describe(connection, _COLUMNS_OF_ONE, each.name)
            except sqlite3.OperationalError:
                continue
    tables = [
        described[each.name].model_copy(update={"kind": each.kind})
        for each in schema
        if each.name in described
    ]
    linked = _with_foreign_keys(connection, tables)
    ends = {each.name: not each.is_virtual and each.kind == "table" for each in schema}
    counts = known_counts(connection)
    indexed: dict[str, set[str]] = defaultdict(set)
    for name, column in connection.execute(_INDEXED):
        indexed[name].add(column)
    sampling, counting = time.monotonic() + SAMPLING_SECONDS, COUNTING_SECONDS
    complete = []
    for table in linked:
        sampled = read_samples(connection, table, sampling, reads_end=ends[table.name])
        if sampled.kind == "table" and sampled.row_count is None:
            started = time.monotonic()
            count = counts.get(sampled.name) or count_rows(connection, sampled.name, counting)
            counting -= time.monotonic() - started
            sampled = sampled.model_copy(update={"row_count": count})
        complete.append(read_ranges(connection, sampled, indexed[table.name], sampling))
    return tuple(complete)


def read_texts(
    connection: sqlite3.Connection, wanted: Sequence[TextColumn], limits: TextLimits
) -> tuple[ColumnTexts, ...]:
    """Return what the columns hold.

    No pragma tells a column's collation: where a table's definition names one, all its columns count as
    compared without case.
    """
    folding = {each.name for each in read_schema(connection) if "COLLATE" in each.sql.upper()}

    def names(column: TextColumn) -> tuple[str, str]:
        # Behind its table's name, for SQLite takes a name in quotes that it does not know for a text.
        table = quoted(column.table)
        return table, cut(f"{table}.{quoted(column.column)}", limits.characters)

    return read_columns(
        wanted,
        limits,
        lambda sql: fetch(connection, sql),
        names,
        lambda each: each.table not in folding,
    )


def _describe(connection: sqlite3.Connection, sql: str, *parameters: str) -> dict[str, Table]:
    columns: dict[str, list[Column]] = defaultdict(list)
    keys: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for table, name, declared, not_null, place in connection.execute(sql, parameters):
        columns[table].append(Column(name=name, type=declared, nullable=not (not_null or place)))
        if place:
            keys[table].append((place, name))
    return {
        name: Table(
            name=name, columns=tuple(found), primary_key=tuple(column for _, column in sorted(keys[name]))
        )
        for name, found in columns.items()
    }


def _with_foreign_keys(connection: sqlite3.Connection, tables: list[Table]) -> list[Table]:
    by_name = {table.name.casefold(): table for table in tables}
    found: dict[tuple[str, int], tuple[str, list[str], list[str | None]]] = {}
    for table, number, parent, column, referenced in connection.execute(_FOREIGN_KEYS):
        _, columns, references = found.setdefault((table, number), (parent, [], []))
        columns.append(column)
        references.append(referenced)
    keys: dict[str, list[ForeignKey]] = defaultdict(list)
    for (table, _), (parent, columns, references) in found.items():
        key = _foreign_key(by_name.get(parent.casefold()), columns, references)
        if key:
            keys[table].append(key)
    return [table.model_copy(update={"foreign_keys": tuple(keys[table.name])}) for table in tables]


def _foreign_key(parent: Table | None, columns: list[str], references: list[str | None]) -> ForeignKey | None:
    """Return the key with the parent's own spelling; None where SQLite would refuse it too."""
    if parent is None:
        return None
    spelling = {column.name.casefold(): column.name for column in parent.columns}
    # REFERENCES parent, without columns, means the parent's primary key.
    named = [spelling.get(name.casefold()) for name in references if name] or list(parent.primary_key)
    if len(named) != len(columns) or None in named:
        return None
    return ForeignKey(columns=tuple(columns), table=parent.name, references=tuple(filter(None, named)))


def known_counts(connection: sqlite3.Connection) -> Mapping[str, int]:
    """Return what the last ANALYZE counted, if there was one."""
    try:
        sql = "SELECT tbl, max(CAST(stat AS INTEGER)) FROM sqlite_stat1 GROUP BY tbl"
        return dict(connection.execute(sql).fetchall())
    except sqlite3.OperationalError:
        return {}
