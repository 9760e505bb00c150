"""The schema that is read anew: when, and what is said to have changed."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from small_shop import write_small_shop
from text2sql.datasource.cache import load_catalog
from text2sql.datasource.catalog import Catalog
from text2sql.datasource.schema_sync import FRESH, find_changes, sync_schema
from text2sql.datasource.shared_catalog import KEY, SharedCatalog
from text2sql.errors import KnowledgeBaseUnavailable
from text2sql.execution.sqlite import SqliteDatabase

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
SHOP = "shop"


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
def storage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name, value in {
        "DEFAULT_REGION": "us-east-1",
        "ACCESS_KEY_ID": "t",
        "SECRET_ACCESS_KEY": "t",
    }.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket="knowledge")
        yield client


@pytest.fixture
def shared(storage: Any) -> SharedCatalog:
    return SharedCatalog("knowledge", lambda: storage)


def alter(database: SqliteDatabase, *statements: str) -> None:
    with closing(sqlite3.connect(database.path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def test_first_sync_keeps_the_catalog_and_has_nothing_to_compare(
    database: CountingDatabase, shared: SharedCatalog
) -> None:
    assert sync_schema(database, SHOP, shared, NOW) == ()
    stored = shared.read(SHOP)
    assert stored is not None
    assert stored.catalog == database.read_catalog()
    assert shared.read("another") is None


def test_catalog_that_holds_is_read_once_a_day(database: CountingDatabase, shared: SharedCatalog) -> None:
    sync_schema(database, SHOP, shared, NOW)
    assert sync_schema(database, SHOP, shared, NOW + FRESH - timedelta(seconds=1)) is None
    assert database.reads == 1
    alter(database, "INSERT INTO customers VALUES (9, 'Alan', 'Public sector')")
    assert sync_schema(database, SHOP, shared, NOW + FRESH) == ()
    stored = shared.read(SHOP)
    assert stored is not None
    assert "Public sector" in stored.model_dump_json()


def test_changes_of_the_schema_are_told_at_once_and_without_values(
    database: CountingDatabase, shared: SharedCatalog
) -> None:
    alter(database, "CREATE TABLE returns (id INTEGER PRIMARY KEY, reason TEXT, weight INTEGER)")
    sync_schema(database, SHOP, shared, NOW)
    alter(
        database,
        "ALTER TABLE customers ADD COLUMN vip INTEGER",
        "DROP TABLE returns",
        "CREATE TABLE gifts (id INTEGER PRIMARY KEY)",
    )
    assert sync_schema(database, SHOP, shared, NOW + timedelta(minutes=1)) == (
        "gifts is new",
        "returns is gone",
        "customers.vip is new",
    )


def test_other_types_keys_and_lost_columns_are_changes(database: CountingDatabase) -> None:
    before = database.read_catalog()
    orders = next(table for table in before.tables if table.name == "orders")
    first, second, *others = orders.columns
    other = orders.model_copy(
        update={
            "columns": (first, second.model_copy(update={"type": "BLOB"}), *others[1:]),
            "primary_key": (),
        }
    )
    after = before.model_copy(
        update={"tables": tuple(other if table is orders else table for table in before.tables)}
    )
    assert list(find_changes(before, after)) == [
        f"orders.{others[0].name} is gone",
        f"orders.{second.name} is of another type",
        "orders has other keys",
    ]


def test_who_has_no_catalog_takes_the_shared_one_while_it_holds(
    database: CountingDatabase, shared: SharedCatalog, tmp_path: Path
) -> None:
    sync_schema(database, SHOP, shared, NOW)
    load_catalog(database, SHOP, tmp_path / "one", shared)
    assert database.reads == 1
    alter(database, "ALTER TABLE customers ADD COLUMN vip INTEGER")
    assert "vip" in str(load_catalog(database, SHOP, tmp_path / "two", shared))
    assert database.reads == 2


@pytest.mark.parametrize("damage", ["nothing", "half", "bucket"])
def test_shared_catalog_that_cannot_be_read_is_done_without(
    database: CountingDatabase, shared: SharedCatalog, storage: Any, tmp_path: Path, damage: str
) -> None:
    if damage == "half":
        storage.put_object(Bucket="knowledge", Key=KEY, Body=b'{"database": "shop"')
    if damage == "bucket":
        storage.delete_bucket(Bucket="knowledge")
        with pytest.raises(KnowledgeBaseUnavailable):
            sync_schema(database, SHOP, shared, NOW)
    else:
        assert shared.read(SHOP) is None
    assert load_catalog(database, SHOP, tmp_path, shared) == database.read_catalog()
