"""The shared questions about real databases, with gold SQL, and those databases loaded into a private server.

They are no part of this repository; `bench_guard_cases.FOLDER` says where they are.
"""

import csv
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias

import click
import pytest
from bench_guard_cases import FOLDER, CasesAbsent

from servers import Server, server_folder, start_mariadb, start_mysql
from text2sql.evaluation.questions import GoldQuestion, read_questions
from text2sql.execution.mysql import MysqlDatabase
from text2sql.execution.url import MysqlUrl, parse_database_url

BENCH = FOLDER / "spiderman_train"
Half: TypeAlias = Literal["tune", "check"]
SPLIT_SEED = 5
READER = "accuracy_reader"
ROWS_AT_ONCE = 500
_LOADING = "SET SESSION foreign_key_checks = 0, unique_checks = 0, sql_mode = ''"
_STATEMENT_END = re.compile(r";\s*$", re.MULTILINE)


def read_bench_questions() -> tuple[GoldQuestion, ...]:
    """Return all of them.

    Raises:
        CasesAbsent: there are none here.
    """
    path = BENCH / "questions.csv"
    if not path.exists():
        raise CasesAbsent(f"no {path.name} in {BENCH}; TEXT2SQL_BENCH names another folder")
    return read_questions(path)


def questions_of(half: Half) -> tuple[GoldQuestion, ...]:
    """Return the questions about one half of the databases.

    Raises:
        CasesAbsent: there are none here.
    """
    questions = read_bench_questions()
    names = split({each.database for each in questions})[half]
    return tuple(each for each in questions if each.database in names)


def split(databases: Iterable[str]) -> dict[Half, frozenset[str]]:
    """Return the same two halves of the same databases, always."""
    shuffled = sorted(databases, key=lambda name: hashlib.sha256(f"{SPLIT_SEED}:{name}".encode()).digest())
    middle = len(shuffled) // 2
    return {"tune": frozenset(shuffled[:middle]), "check": frozenset(shuffled[middle:])}


def start_server(name: str) -> Server:
    """Start a private MySQL, or MariaDB where there is none; skips the test that asks where neither is."""
    try:
        return start_mysql(server_folder(f"{name}-mysql"))
    except pytest.skip.Exception:
        return start_mariadb(server_folder(f"{name}-mariadb"))


def load_for_reader(server: Server, databases: Iterable[str], on_loaded: Callable[[str], None]) -> str:
    """Load databases for an account that can only read; return its URL, `{database}` for their names."""
    server.execute(f"CREATE USER {READER}@'%' IDENTIFIED BY ''")
    for name in sorted(databases):
        load_database(server, name)
        server.execute(f"GRANT SELECT ON `{name}`.* TO {READER}@'%'")
        on_loaded(name)
    return f"mysql://{READER}@{server.host}:{server.port}/{{database}}"


def open_database(url: str) -> MysqlDatabase:
    """Return one of the loaded databases, by its URL."""
    parsed = parse_database_url(url)
    if not isinstance(parsed, MysqlUrl):
        raise click.ClickException("The benchmark's databases are on a MySQL server.")
    return MysqlDatabase(parsed)


def load_database(server: Server, name: str) -> None:
    """Create one of the databases with its rows, in the order that its foreign keys ask for."""
    folder = BENCH / "databases" / name
    schema = (folder / "schema.sql").read_text("utf-8")
    server.execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
    with closing(server.connect(name)) as connection, connection.cursor() as cursor:
        cursor.execute(_LOADING)
        for statement in _STATEMENT_END.split(schema):
            if statement.strip():
                cursor.execute(statement)
        connection.begin()
        for table in _table_orders()[name]:
            for header, rows in _batches(folder / "data" / f"{table}.csv"):
                names = ", ".join(f"`{column}`" for column in header).replace("%", "%%")
                places = ", ".join(["%s"] * len(header))
                cursor.executemany(f"INSERT INTO `{table}` ({names}) VALUES ({places})", rows)  # noqa: S608
        connection.commit()


@cache
def _table_orders() -> dict[str, list[str]]:
    orders: dict[str, list[str]] = json.loads((BENCH / "table_order.json").read_text("utf-8"))
    return orders


def _batches(path: Path) -> Iterator[tuple[list[str], list[list[str | None]]]]:
    if not path.exists():
        return
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        header = next(reader)
        rows = [[None if cell == "NULL" else cell for cell in row] for row in reader]
    for start in range(0, len(rows), ROWS_AT_ONCE):
        yield header, rows[start : start + ROWS_AT_ONCE]
