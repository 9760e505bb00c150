import pytest

from text2sql.datasource.catalog import Catalog, Column, Table
from text2sql.datasource.values import choose_text_columns, fold_text, fold_words, value_key
from text2sql.datasource.values_match import closest


def _catalog(*tables: Table) -> Catalog:
    return Catalog(name="test", dialect="mysql", server="test", tables=tables)


def _closest(written: str, *stored: str) -> tuple[str, ...]:
    return closest(fold_words(written), {text: fold_words(text) for text in stored})


@pytest.mark.parametrize(
    "kind", ["varchar(20)", "CHAR(2)", "TEXT", "longtext", "enum('a','b')", "NVARCHAR(5)"]
)
def test_columns_of_text_are_worth_reading(kind: str) -> None:
    table = Table(name="orders", columns=(Column(name="status", type=kind), Column(name="id", type="int")))
    assert [each.column for each in choose_text_columns(_catalog(table))] == ["status"]


@pytest.mark.parametrize(
    "column",
    [
        Column(name="customerEmail", type="TEXT"),
        Column(name="street", type="TEXT"),
        Column(name="nickname", type="TEXT", description="PII: what friends say"),
        Column(name="illness", type="TEXT", description="Confidential"),
        Column(name="note", type="TEXT", description="holds personal data"),
        Column(name="placed", type="DATE"),
    ],
)
def test_private_columns_and_other_types_are_not_read(column: Column) -> None:
    assert choose_text_columns(_catalog(Table(name="people", columns=(column,)))) == ()


def test_views_and_tables_of_other_schemas_are_not_read() -> None:
    columns = (Column(name="status", type="TEXT"),)
    view = Table(name="v", kind="view", columns=columns)
    assert choose_text_columns(_catalog(view, Table(name="t", schema_name="s", columns=columns))) == ()


def test_small_tables_come_first_and_uncounted_ones_last() -> None:
    columns = (Column(name="status", type="TEXT"),)
    sizes = {"uncounted": None, "large": 10_000, "small": 3}
    tables = [Table(name=name, columns=columns, row_count=rows) for name, rows in sizes.items()]
    assert [each.table for each in choose_text_columns(_catalog(*tables))] == ["small", "large", "uncounted"]


def test_folding_forgets_what_most_collations_do() -> None:
    assert fold_text("Île-de-FRANCE ") == fold_text("ile-de-france") == "ile-de-france"
    assert fold_text(" a") != fold_text("a")


@pytest.mark.parametrize("text", ["Comp. Sci.", "comp sci", "COMP-SCI", "Cómp; Scis"])
def test_texts_share_a_key_that_differ_in_spelling(text: str) -> None:
    assert value_key(fold_words(text)) == "comp sci"


def test_glass_keeps_its_s() -> None:
    assert value_key(fold_words("glass")) == "glass"


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("aberdeen", "Aberdeen"),
        ("email", "E-Mail"),
        ("Milks", "Milk"),
        ("Billy Cobam", "Billy Cobham"),
        ("Physics", "Phisics"),
        ("Einstien", "Einstein"),
        ("Computer Science", "Comp. Sci."),
        ("Female", "F"),
        ("Finance", "Fin."),
        ("LA", "Los Angeles"),
        ("United States of America", "USOA"),
        ("MPEG", "MPEG audio file"),
    ],
)
def test_close_text_is_found_among_others(written: str, stored: str) -> None:
    assert _closest(written, "Paris", stored, "Xylophone 12") == (stored,)


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("Boeing 737-800", "Boeing 737-400"),
        ("Male", "Female"),
        ("cat", "car"),
        ("Austria", "Australia"),
        ("Niger", "Nigeria"),
        ("Building 12", "Building 13"),
        ("United States", "USA"),
        ("Rome", "Paris"),
        ("!", "?"),
        ("A", "!"),
    ],
)
def test_other_text_is_not_close(written: str, stored: str) -> None:
    assert _closest(written, stored) == ()


def test_spelling_wins_over_a_typo_and_equals_are_all_told() -> None:
    assert _closest("dinning", "Dining", "Dinning") == ("Dinning",)
    assert _closest("Boeing", "Boeing 737", "Boeing 747") == ("Boeing 737", "Boeing 747")
