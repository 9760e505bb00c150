"""Gold queries of real databases: accepted, and the same rows after emission as before, on a real server.

The questions and databases are no part of this repository; `bench_guard_cases.FOLDER` says where they are.
"""

import csv
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pymysql
from bench_guard_cases import FOLDER, CasesAbsent
from bench_guard_share import Share
from pymysql.cursors import Cursor

from servers import Server
from text2sql.datasource.catalog import Catalog, Column, Table
from text2sql.datasource.policy.access import Access
from text2sql.errors import SqlRejected
from text2sql.execution.flavour import detect_flavour
from text2sql.messages import SqlDraft
from text2sql.validation.step import validate_sql

GOLD = FOLDER / "spiderman_train"
ROW_LIMIT = 10_000_000
"""Beyond any result, so that the limit that is put in cuts nothing."""
SECONDS = 20.0
"""For one query of the original; the server refuses what takes longer."""
ROWS_AT_ONCE = 500
_LOADING = "SET SESSION foreign_key_checks = 0, unique_checks = 0, sql_mode = ''"
_STATEMENT_END = re.compile(r";\s*$", re.MULTILINE)


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


def read_questions() -> dict[str, list[str]]:
    """Return the gold queries of each database.

    Raises:
        CasesAbsent: there are none here.
    """
    questions: dict[str, list[str]] = defaultdict(list)
    try:
        with (GOLD / "questions.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                questions[row["database"]].append(row["sql"])
    except FileNotFoundError:
        raise CasesAbsent(f"no questions.csv in {GOLD}; TEXT2SQL_BENCH names another folder") from None
    return questions


def run_gold(server: Server, databases: Sequence[str], say: Callable[[str], None]) -> GoldRun:
    """Load these databases, one after the other, and run their queries before and after emission."""
    questions = read_questions()
    orders: dict[str, list[str]] = json.loads((GOLD / "table_order.json").read_text("utf-8"))
    run = GoldRun()
    for number, name in enumerate(databases, 1):
        if number % 20 == 0:
            say(f"{number} of {len(databases)} databases")
        _load(server, name, orders[name])
        with closing(server.connect(name)) as connection, connection.cursor() as cursor:
            _limit_time(cursor)
            access = Access(catalog=_read_catalog(cursor, name, server.product))
            for sql, times in Counter(questions[name]).items():
                _compare(run, cursor, access, sql, times)
        server.execute(f"DROP DATABASE `{name}`")
    return run


def _load(server: Server, name: str, tables: list[str]) -> None:
    folder = GOLD / "databases" / name
    schema = (folder / "schema.sql").read_text("utf-8")
    server.execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
    with closing(server.connect(name)) as connection, connection.cursor() as cursor:
        cursor.execute(_LOADING)
        for statement in _STATEMENT_END.split(schema):
            if statement.strip():
                cursor.execute(statement)
        connection.begin()
        for table in tables:
            for header, rows in _batches(folder / "data" / f"{table}.csv"):
                names = ", ".join(f"`{column}`" for column in header).replace("%", "%%")
                places = ", ".join(["%s"] * len(header))
                cursor.executemany(f"INSERT INTO `{table}` ({names}) VALUES ({places})", rows)  # noqa: S608
        connection.commit()


def _batches(path: Path) -> Iterator[tuple[list[str], list[list[str | None]]]]:
    if not path.exists():
        return
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        header = next(reader)
        rows = [[None if cell == "NULL" else cell for cell in row] for row in reader]
    for start in range(0, len(rows), ROWS_AT_ONCE):
        yield header, rows[start : start + ROWS_AT_ONCE]


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
