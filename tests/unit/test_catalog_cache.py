import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from small_shop import write_small_shop
from text2sql.datasource.cache import load_catalog
from text2sql.datasource.catalog import Catalog
from text2sql.execution.sqlite import SqliteDatabase


class CountingDatabase(SqliteDatabase):
    """Counts how often the catalog is read."""

    reads = 0

    def read_catalog(self) -> Catalog:
        self.reads += 1
        return super().read_catalog()


@pytest.fixture
def database(tmp_path: Path) -> CountingDatabase:
    return CountingDatabase(write_small_shop(tmp_path / "shop.db"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "catalogs"


def alter(database: SqliteDatabase, statement: str) -> None:
    with closing(sqlite3.connect(database.path)) as connection, connection:
        connection.execute(statement)


def test_catalog_is_read_once_while_the_schema_stays(database: CountingDatabase, folder: Path) -> None:
    first = load_catalog(database, "shop", folder)
    alter(database, "INSERT INTO customers VALUES (4, 'Alan', NULL)")
    assert load_catalog(database, "shop", folder) == first
    assert database.reads == 1


def test_catalog_is_read_anew_after_the_schema_changed(database: CountingDatabase, folder: Path) -> None:
    load_catalog(database, "shop", folder)
    alter(database, "ALTER TABLE customers ADD COLUMN email TEXT")
    customers = next(t for t in load_catalog(database, "shop", folder).tables if t.name == "customers")
    assert "email" in {column.name for column in customers.columns}
    assert database.reads == 2
    assert len(list(folder.iterdir())) == 1


def test_two_databases_do_not_share(database: CountingDatabase, folder: Path, tmp_path: Path) -> None:
    other = CountingDatabase(write_small_shop(tmp_path / "other.db"))
    assert load_catalog(database, "shop", folder).name == "shop"
    assert load_catalog(other, "other", folder).name == "other"
    assert other.reads == 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b'{"schema_version": "'),
        lambda path: path.write_bytes(b"\xff\xfe\x00"),
        lambda path: path.write_text('{"schema_version": "x", "catalog": {}}'),
    ],
    ids=["empty", "cut", "no text", "other keys"],
)
def test_damaged_cache_is_done_without_and_mended(
    database: CountingDatabase, folder: Path, damage: Callable[[Path], object]
) -> None:
    expected = load_catalog(database, "shop", folder)
    (cached,) = folder.iterdir()
    damage(cached)
    assert load_catalog(database, "shop", folder) == expected
    assert database.reads == 2
    assert load_catalog(database, "shop", folder) == expected
    assert database.reads == 2


def test_cache_that_cannot_be_read_or_replaced_is_done_without(
    database: CountingDatabase, folder: Path
) -> None:
    load_catalog(database, "shop", folder)
    (cached,) = folder.iterdir()
    cached.unlink()
    cached.mkdir()
    assert load_catalog(database, "shop", folder).name == "shop"
    assert list(folder.iterdir()) == [cached]


def test_folder_that_cannot_be_made_is_done_without(database: CountingDatabase, tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    assert load_catalog(database, "shop", in_the_way / "catalogs").name == "shop"
    assert in_the_way.read_text() == ""


def test_cache_is_for_this_user_only(database: CountingDatabase, folder: Path) -> None:
    load_catalog(database, "shop", folder)
    (cached,) = folder.iterdir()
    assert stat.S_IMODE(cached.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
