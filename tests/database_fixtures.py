"""Fixtures that lend a test a database behind each adapter of the port."""

import itertools
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from servers import Server, server_folder, start_mariadb, start_mysql
from text2sql.execution.mysql import MysqlDatabase
from text2sql.execution.port import Database
from text2sql.execution.sqlite import SqliteDatabase
from text2sql.execution.url import MysqlUrl

WRITER = "writer"
WRITER_PASSWORD = "pässw@rd/%41"
"""A user who may write everything, so that it is the adapter that refuses."""

_numbers = itertools.count(1)


@dataclass(frozen=True)
class LentDatabase:
    """An empty database of one test."""

    product: str
    """`sqlite`, `mariadb` or `mysql`."""
    database: Database
    load: Callable[..., None]
    """Runs statements, given as arguments, with all rights."""
    server: Server | None = None
    url: MysqlUrl | None = None


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[Server]:
    with start_mariadb(server_folder("mariadb")) as server:
        create_writer(server)
        yield server


@pytest.fixture(scope="session")
def mysql_server() -> Iterator[Server]:
    with start_mysql(server_folder("mysql")) as server:
        create_writer(server)
        yield server


@pytest.fixture(params=["sqlite", "mariadb", "mysql"])
def any_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LentDatabase]:
    if request.param == "sqlite":
        yield sqlite_database(tmp_path / "test.db")
    else:
        yield from _on_server(request.getfixturevalue(f"{request.param}_server"))


@pytest.fixture(params=["mariadb", "mysql"])
def server_database(request: pytest.FixtureRequest) -> Iterator[LentDatabase]:
    yield from _on_server(request.getfixturevalue(f"{request.param}_server"))


def create_writer(server: Server) -> None:
    server.execute(
        f"CREATE USER {WRITER}@localhost IDENTIFIED BY '{WRITER_PASSWORD}'",
        f"GRANT ALL PRIVILEGES ON *.* TO {WRITER}@localhost",
    )


def sqlite_database(path: Path) -> LentDatabase:
    def load(*statements: str) -> None:
        with closing(sqlite3.connect(path)) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.commit()

    load()
    return LentDatabase("sqlite", SqliteDatabase(path), load)


def writer_url(server: Server, database: str) -> MysqlUrl:
    return MysqlUrl(
        host=server.host,
        port=server.port,
        user=WRITER,
        password=SecretStr(WRITER_PASSWORD),
        database=database,
    )


def _on_server(server: Server) -> Iterator[LentDatabase]:
    name = f"test_{next(_numbers)}"
    server.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    url = writer_url(server, name)

    def load(*statements: str) -> None:
        server.execute(*statements, database=name)

    yield LentDatabase(server.product.lower(), MysqlDatabase(url), load, server, url)
    server.execute(f"DROP DATABASE {name}")
