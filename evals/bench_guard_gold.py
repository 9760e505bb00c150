"""Gold queries of real databases: accepted, and the same rows after emission as before, on a real server.

The questions and databases are those of `bench_spiderman`.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pymysql
from bench_guard_share import Share
from bench_spiderman import load_database, read_bench_questions
from pymysql.cursors import Cursor

from servers import Server
from text2sql.datasource.catalog import Catalog, Column, Table
from text2sql.datasource.policy.access import Access
from text2sql.errors import SqlRejected
from text2sql.execution.flavour import detect_flavour
from text2sql.messages import SqlDraft
from text2sql.validation.step import validate_sql

ROW_LIMIT = 10_000_000
"""Beyond any result, so that the limit that is put in cuts nothing."""
SECONDS = 20.0
"""For one query of the original; the server refuses what takes longer."""


@dataclass
class GoldRun:
    """What became of the queries."""

    asked: int = 0
    left_out: list[str] = field(default_factory=list)
    """The server itself refuses them as they are."""
    refused: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)
    """Their emission gave other rows, or an error."""

    def shares(self, product: str) -> list[Share]:
        """Hold the run against the bars."""
        runnable = self.asked - len(self.left_out)
        accepted = runnable - len(self.refused)
        return [
            Share(f"Gold queries accepted, {product}", runnable, tuple(self.refused), 99.5),
            Share(f"Same rows after emission, {product}", accepted, tuple(self.different)),
        ]


def run_gold(server: Server, databases: Sequence[str], say: Callable[[str], None]) -> GoldRun:
    """Load these databases, one after the other, and run their queries before and after emission."""
    queries: dict[str, Counter[str]] = defaultdict(Counter)
    for asked in read_bench_questions():
        queries[asked.database][asked.sql] += 1
    run = GoldRun()
    for number, name in enumerate(databases, 1):
        if number % 20 == 0:
            say(f"{number} of {len(databases)} databases")
        load_database(server, name)
        with closing(server.connect(name)) as connection, connection.cursor() as cursor:
            _limit_time(cursor)
            access = Access(catalog=_read_catalog(cursor, name, server.product))
            for sql, times in queries[name].items():
                _compare(run, cursor, access, sql, times)
        server.execute(f"DROP DATABASE `{name}`")
    return run


def _limit_time(cursor: Cursor) -> None:
    cursor.execute("SELECT VERSION()")
    (version,) = cursor.fetchone() or ("",)
    cursor.execute(f"SET SESSION {detect_flavour(version).statement_limit(SECONDS)}")


def _read_catalog(cursor: Cursor, name: str, product: str) -> Catalog:
    """Return names and types; keys, comments and samples mean nothing to the validator."""
    cursor.execute(
        "SELECT TABLE_NAME, COLUMN_NAME, CAST(COLUMN_TYPE AS CHAR) FROM information_schema.COLUMNS "
        "WHERE TABLE_SCHEMA = %s ORDER BY TABLE_NAME, ORDINAL_POSITION",
        (name,),
    )
    columns: dict[str, list[Column]] = defaultdict(list)
    for table, column, kind in cursor.fetchall():
        columns[table].append(Column(name=column, type=kind))
    return Catalog(
        name=name,
        dialect="mariadb" if product == "MariaDB" else "mysql",
        server=product,
        tables=tuple(Table(name=table, columns=tuple(own)) for table, own in columns.items()),
    )


def _compare(run: GoldRun, cursor: Cursor, access: Access, sql: str, times: int) -> None:
    """Run one query before and after; it counts as often as it is asked for."""
    told = f"{access.catalog.name}: {' '.join(sql.split())}"
    run.asked += times
    try:
        before = _rows(cursor, sql)
    except pymysql.MySQLError as error:
        run.left_out += [f"{told} → {error}"] * times
        return
    try:
        valid = validate_sql(SqlDraft(sql=sql), access, ROW_LIMIT)
    except SqlRejected as rejected:
        run.refused += [f"{told} → {rejected.reason} {rejected.message}"] * times
        return
    try:
        same = _rows(cursor, valid.sql) == before
    except pymysql.MySQLError as error:
        run.different += [f"{told} → {error}"] * times
        return
    if not same:
        run.different += [f"{told} → other rows from {' '.join(valid.sql.split())}"] * times


def _rows(cursor: Cursor, sql: str) -> Counter[tuple[Any, ...]]:
    """Return the rows as a multiset."""
    cursor.execute(sql)
    return Counter(cursor.fetchall())
