import stat
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from small_shop import small_catalog, write_small_shop
from text2sql.datasource import values_index
from text2sql.datasource.catalog import Catalog
from text2sql.datasource.values import ColumnTexts, TextColumn, TextLimits
from text2sql.datasource.values_index import StoredValues, ValuesIndex, index_path
from text2sql.errors import DatabaseUnavailable
from text2sql.execution.sqlite import SqliteDatabase


class Reader:
    """Reads the small shop, counts how often, and can be held up."""

    def __init__(self, path: Path) -> None:
        self.database = SqliteDatabase(write_small_shop(path))
        self.reads = 0
        self.go_on = threading.Event()
        self.go_on.set()
        self.problem: DatabaseUnavailable | None = None

    def __call__(self, wanted: Sequence[TextColumn], limits: TextLimits) -> tuple[ColumnTexts, ...]:
        self.reads += 1
        self.go_on.wait(10)
        if self.problem:
            raise self.problem
        return self.database.read_texts(wanted, limits)


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    return Reader(tmp_path / "shop.db")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return index_path("shop", tmp_path / "cache" / "values")


@pytest.fixture
def catalog(reader: Reader) -> Catalog:
    return reader.database.read_catalog()


def _names(values: StoredValues | None) -> list[str]:
    assert values is not None
    return sorted(each.text for each in values.find(["ada", "linu", "corporate"]))


def _age(path: Path, seconds: float) -> None:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE about SET built = built - ?", (seconds,))


def test_index_finds_texts_by_key_and_by_beginning(reader: Reader, path: Path, catalog: Catalog) -> None:
    values = ValuesIndex(path, reader).open(catalog, None)
    assert values is not None
    (ada,) = values.find(["ada", "nobody"])
    assert (ada.table, ada.column, ada.text, ada.column_texts) == ("customers", "name", "Ada", 3)
    assert [each.text for each in values.starting("cor", 5)] == ["Corporate"]
    assert len(values.starting("c", 2)) == 2
    status = values.column("orders", "status")
    assert status is not None
    assert (sorted(status.texts), status.is_complete, status.is_exact) == (
        ["cancelled", "completed"],
        True,
        True,
    )
    assert values.column("orders", "nothing") is None


def test_more_keys_than_sqlite_takes_at_once_are_found(reader: Reader, path: Path, catalog: Catalog) -> None:
    values = ValuesIndex(path, reader).open(catalog, None)
    assert values is not None
    assert [each.text for each in values.find([*(f"k{n}" for n in range(2_000)), "ada"])] == ["Ada"]


def test_index_is_read_once_and_shared(reader: Reader, path: Path, catalog: Catalog) -> None:
    ValuesIndex(path, reader).open(catalog, None)
    assert _names(ValuesIndex(path, reader).open(catalog, None)) == ["Ada", "Corporate", "Linus"]
    assert reader.reads == 1


def test_question_does_not_wait_longer_than_it_may(reader: Reader, path: Path, catalog: Catalog) -> None:
    reader.go_on.clear()
    index = ValuesIndex(path, reader)
    assert index.open(catalog, 0.01) is None
    assert index.open(catalog, 0.01) is None
    reader.go_on.set()
    assert _names(index.open(catalog, None))
    assert reader.reads == 1


def test_old_index_serves_while_a_new_one_is_built(reader: Reader, path: Path, catalog: Catalog) -> None:
    index = ValuesIndex(path, reader)
    index.open(catalog, None)
    _age(path, values_index.FRESH_SECONDS + 1)
    reader.go_on.clear()
    assert _names(index.open(catalog, None))
    reader.go_on.set()
    for _ in range(500):
        if time.time() - (index._built(_digest(catalog)) or 0) < 60:
            break
        time.sleep(0.01)
    assert _names(index.open(catalog, None))
    assert reader.reads == 2


def _digest(catalog: Catalog) -> str:
    return values_index._digest(values_index.choose_text_columns(catalog))


def test_index_of_other_columns_is_not_used(reader: Reader, path: Path, catalog: Catalog) -> None:
    ValuesIndex(path, reader).open(catalog, None)
    private = [
        table.model_copy(
            update={
                "columns": tuple(c.model_copy(update={"description": "confidential"}) for c in table.columns)
            }
        )
        for table in catalog.tables
        if table.name == "customers"
    ]
    others = [table for table in catalog.tables if table.name != "customers"]
    hidden = catalog.model_copy(update={"tables": (*private, *others)})
    values = ValuesIndex(path, reader).open(hidden, None)
    assert values is not None
    assert values.find(["ada", "corporate"]) == []
    assert len(values.find(["completed"])) == 1


def test_failure_is_done_without_and_not_tried_again_at_once(
    reader: Reader, path: Path, catalog: Catalog
) -> None:
    reader.problem = DatabaseUnavailable("gone", remedy="wait")
    index = ValuesIndex(path, reader)
    assert index.open(catalog, None) is None
    assert index.open(catalog, None) is None
    assert reader.reads == 1
    assert not path.exists()


def test_folder_that_cannot_be_made_is_done_without(reader: Reader, tmp_path: Path, catalog: Catalog) -> None:
    (tmp_path / "file").write_text("")
    assert ValuesIndex(tmp_path / "file" / "values.sqlite", reader).open(catalog, None) is None


@pytest.mark.parametrize(
    "damage",
    [lambda path: path.write_bytes(b"x" * 5_000), lambda path: path.write_bytes(b""), Path.unlink],
    ids=["no index", "empty", "gone"],
)
def test_damaged_index_holds_nothing_and_is_built_anew(
    reader: Reader, path: Path, catalog: Catalog, damage: Callable[[Path], object]
) -> None:
    index = ValuesIndex(path, reader)
    values = index.open(catalog, None)
    damage(path)
    assert values is not None
    assert values.find(["ada"]) == values.starting("a", 5) == []
    assert values.column("customers", "name") is None
    assert _names(index.open(catalog, None))
    assert reader.reads == 2


def test_index_is_for_this_user_only(reader: Reader, path: Path, catalog: Catalog) -> None:
    ValuesIndex(path, reader).open(catalog, None)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]


def test_databases_have_indexes_of_their_own(tmp_path: Path) -> None:
    assert index_path("one", tmp_path) != index_path("two", tmp_path)


def test_catalog_without_text_has_an_empty_index(path: Path, reader: Reader) -> None:
    bare = small_catalog().model_copy(update={"tables": ()})
    values = ValuesIndex(path, reader).open(bare, None)
    assert values is not None
    assert values.find(["ada"]) == []
