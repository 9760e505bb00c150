"""The shared questions about real databases, with gold SQL, and those databases loaded into a private server.

They are no part of this repository; `bench_guard_cases.FOLDER` says where they are.
"""

import csv
import json
import re
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path

from bench_guard_cases import FOLDER, CasesAbsent

from servers import Server
from text2sql.evaluation.questions import GoldQuestion, read_questions

BENCH = FOLDER / "spiderman_train"
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
