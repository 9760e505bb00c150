"""A look at a world sees what statements do to it: the properties are worth no more than this."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hostile_sql import FILE, SHOWS_MORE
from worlds import MariadbWorld, SqliteWorld

from servers import Server


@pytest.fixture
def mariadb_world(mariadb_server: Server) -> Iterator[MariadbWorld]:
    world = MariadbWorld(mariadb_server)
    world.build()
    yield world
    world.close()


@pytest.fixture
def sqlite_world() -> Iterator[SqliteWorld]:
    world = SqliteWorld(Path.cwd())
    world.build()
    yield world
    world.close()


@pytest.mark.parametrize(
    ("sql", "seen"),
    [
        ("DELETE FROM order_items", "stored rows"),
        ("SELECT change_it()", "stored rows"),
        ("SELECT NEXTVAL(numbers)", "stored rows"),
        ("CREATE TABLE stolen AS SELECT * FROM orders", "tables"),
        ("CREATE TEMPORARY TABLE stolen (a INT)", "kinds of statements that ran"),
        ("CREATE FUNCTION stolen() RETURNS INT RETURN 1", "routines"),
        ("CREATE USER stolen", "users"),
        ("SELECT name FROM customers LIMIT 1 INTO @a", "variables and locks"),
        ("SELECT @b := 1", "variables and locks"),
        ("SELECT GET_LOCK('lock_a', 0)", "variables and locks"),
        ("SELECT LAST_INSERT_ID(7)", "variables and locks"),
        ("USE mysql", "variables and locks"),
        ("SET sql_mode = ''", "session"),
        ("COMMIT", "variables and locks"),
        ("SHOW TABLES", "kinds of statements that ran"),
        ("SELECT * FROM orders FOR UPDATE", "rows that are not locked"),
        ("SELECT * FROM orders LOCK IN SHARE MODE", "rows that are not locked"),
        (f"SELECT * FROM orders INTO OUTFILE '{FILE}'", "files"),
    ],
)
def test_mariadb_world_sees(sql: str, seen: str, mariadb_world: MariadbWorld) -> None:
    before = mariadb_world.state()
    mariadb_world.run(sql)
    after = mariadb_world.state()
    assert before[seen] != after[seen]


@pytest.mark.parametrize(
    ("sql", "seen"),
    [
        ("DELETE FROM orders", "stored rows and tables"),
        ("CREATE TABLE stolen (a)", "stored rows and tables"),
        ("CREATE TEMP TABLE stolen (a)", "temporary tables"),
        ("PRAGMA user_version = 7", "settings"),
        ("ATTACH DATABASE ':memory:' AS stolen", "settings"),
        ("BEGIN", "in a transaction"),
        (f"VACUUM INTO '{FILE}'", "files"),
    ],
)
def test_sqlite_world_sees(sql: str, seen: str, sqlite_world: SqliteWorld) -> None:
    before = sqlite_world.state()
    sqlite_world.run(sql)
    after = sqlite_world.state()
    assert before[seen] != after[seen]


def test_a_look_at_a_world_changes_nothing(mariadb_world: MariadbWorld, sqlite_world: SqliteWorld) -> None:
    for world in (mariadb_world, sqlite_world):
        assert world.state() == world.state()


@pytest.mark.parametrize(
    "sql", ["SELECT value FROM secrets", "SELECT USER()", "SELECT @@datadir", "SELECT @@version"]
)
def test_mariadb_world_shows_more_than_the_catalog(sql: str, mariadb_world: MariadbWorld) -> None:
    assert SHOWS_MORE.search(repr(mariadb_world.run(sql)))
