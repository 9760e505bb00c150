"""Figures of the library in this process: the pipeline's overhead, and the catalog of a large database."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import yaml
from bench_figures import Figure, MeasurementFailed

from text2sql.datasource.cache import load_catalog
from text2sql.datasource.catalog import Catalog
from text2sql.execution.sqlite import SqliteDatabase
from text2sql.generation.port import Completion, Prompt
from text2sql.messages import Usage
from text2sql.pipeline import Services, answer
from text2sql.services import open_services
from text2sql.settings import Settings

ROUNDS = 3
CATALOG_ROUNDS = 5
TABLES, COLUMNS, ROWS = 200, 15, 300

_T = TypeVar("_T")


class GoldModel:
    """The model port, where the right statement is known beforehand."""

    def __init__(self) -> None:
        self.sql = ""
        self.seconds = 0.0

    def complete(self, prompt: Prompt) -> Completion:
        """Return the statement at once, and note how long even that took."""
        started = time.perf_counter()
        usage = Usage(model="gold", prompt_tokens=len(prompt.system) // 4, completion_tokens=50)
        completion = Completion(text=f"```sql\n{self.sql}\n```", finish="stop", usage=usage)
        self.seconds = time.perf_counter() - started
        return completion


def measure_pipeline(shop: Path, knowledge: Path, folder: Path) -> list[Figure]:
    """Answer all questions of the sample shop, with the catalog in memory.

    Raises:
        MeasurementFailed: a question was not answered.
    """
    questions = yaml.safe_load((knowledge / "questions.yaml").read_text("utf-8"))["questions"]
    url = f"sqlite:///{shop.resolve()}"
    services = open_services(Settings(database_url=url, knowledge_dir=knowledge, cache_dir=folder))
    model = GoldModel()
    services = replace(services, model=model)
    services.catalog()
    runs = []
    for number in range(ROUNDS + 1):
        for item in questions:
            model.sql = item["sql"]
            seconds = _overhead(item["question"], services, model)
            if number:  # the first round fills caches
                runs.append(seconds * 1000)
    name = f"Pipeline without model and database, {len(questions)} questions"
    return [Figure(name, "ms", tuple(runs), bar=15)]


def _overhead(question: str, services: Services, model: GoldModel) -> float:
    started = time.perf_counter()
    reply = answer(question, services)
    total = time.perf_counter() - started
    if reply.outcome != "answered":
        raise MeasurementFailed(f"“{question}” ended as {reply.outcome}: {reply.sentence}")
    database = sum(record.seconds for record in reply.steps if record.step == "ExecuteSql")
    return total - database - model.seconds


def measure_catalog(folder: Path) -> list[Figure]:
    """Read the catalog of a large database, read it again from the cache, and once more after a change.

    Raises:
        MeasurementFailed: the catalog is not that of the database.
    """
    built, cached, noticed = [], [], []
    for number in range(CATALOG_ROUNDS):
        path, cache = folder / f"large{number}.sqlite", folder / f"catalogs{number}"
        _create_large(path)
        database = SqliteDatabase(path)

        def load(database: SqliteDatabase = database, cache: Path = cache) -> Catalog:
            return load_catalog(database, "large", cache)

        first, seconds = _timed(load)
        built.append(seconds)
        again, seconds = _timed(load)
        cached.append(seconds * 1000)
        _expect(first, TABLES * COLUMNS)
        if again != first:
            raise MeasurementFailed("The catalog from the cache is another than the one that was built.")
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("ALTER TABLE table_007 ADD COLUMN new_column TEXT")
        changed, seconds = _timed(load)
        noticed.append(seconds)
        _expect(changed, TABLES * COLUMNS + 1)
    size = f"{TABLES} tables, {TABLES * COLUMNS:,} columns"
    return [
        Figure(f"Catalog of {size}, built", "s", tuple(built), bar=3),
        Figure("The same catalog from the cache", "ms", tuple(cached)),
        Figure("The same after ALTER TABLE, noticed and built anew", "s", tuple(noticed), bar=3),
    ]


def _create_large(path: Path) -> None:
    kinds = ("TEXT", "INTEGER", "REAL", "DATE")
    values = ", ".join("?" * COLUMNS)
    with closing(sqlite3.connect(path)) as connection, connection:
        for number in range(TABLES):
            table = f"table_{number:03}"
            names = [f"column_{n} {kinds[n % len(kinds)]}" for n in range(1, COLUMNS - 1)]
            link = f"table_{max(number - 1, 0):03}"
            columns = ", ".join(
                ["id INTEGER PRIMARY KEY", *names, f"parent_id INTEGER REFERENCES {link} (id)"]
            )
            connection.execute(f"CREATE TABLE {table} ({columns})")
            rows = ([n, *(_value(n, column) for column in range(1, COLUMNS - 1)), n] for n in range(ROWS))
            connection.executemany(f"INSERT INTO {table} VALUES ({values})", rows)  # noqa: S608 — our names


def _value(row: int, column: int) -> str | int | float:
    many = row if column % 8 == 0 else row % (3 + column)
    choices: tuple[str | int | float, ...] = (f"state {many}", many, many / 7, f"2025-01-{many % 28 + 1:02}")
    return choices[column % len(choices)]


def _expect(catalog: Catalog, columns: int) -> None:
    found = sum(len(table.columns) for table in catalog.tables)
    if (len(catalog.tables), found) != (TABLES, columns):
        raise MeasurementFailed(f"The catalog has {len(catalog.tables)} tables with {found} columns.")


def _timed(call: Callable[[], _T]) -> tuple[_T, float]:
    started = time.perf_counter()
    result = call()
    return result, time.perf_counter() - started
