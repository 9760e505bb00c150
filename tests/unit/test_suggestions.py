from text2sql.datasource.catalog import Catalog, Column, ForeignKey, Table
from text2sql.validation.suggestions import (
    near_names,
    suggest_column,
    suggest_join,
    suggest_link,
    suggest_table,
)


def _table(name: str, *columns: str, to: str = "") -> Table:
    keys = (ForeignKey(columns=(columns[-1],), table=to, references=(columns[-1],)),) if to else ()
    return Table(name=name, columns=tuple(Column(name=c, type="") for c in columns), foreign_keys=keys)


BANDS = _table("bands", "band_id", "country")
TOURS = _table("concert tours", "tour_id", "city", "band_id", to="bands")
TICKETS = _table("tickets", "price", "tour_id", to="concert tours")
ISLAND = _table("weather", "rainfall")
CATALOG = Catalog(name="x", dialect="sqlite", server="test", tables=(BANDS, TOURS, TICKETS, ISLAND))


def test_near_names_ignore_case_and_are_few() -> None:
    assert near_names("CONTRY", ["country", "rainfall"]) == ["country"]
    assert near_names("xyz", ["country"]) == []


def test_table_with_a_space_is_suggested_in_quotes() -> None:
    assert suggest_table("Concert_Tours", CATALOG).endswith("Did you mean `concert tours`?")


def test_join_over_two_keys_is_written_with_the_alias_and_with_quotes() -> None:
    told = suggest_column("country", {"t": TICKETS}, CATALOG)
    assert told == (
        "Table bands has it: add JOIN `concert tours` ON t.tour_id = `concert tours`.tour_id "
        "JOIN bands ON `concert tours`.band_id = bands.band_id and write bands.country."
    )


def test_table_that_no_key_reaches_is_named_without_a_join() -> None:
    assert suggest_column("rainfall", {"b": BANDS}, CATALOG) == "It is a column of weather."
    assert suggest_join(ISLAND, {"b": BANDS}, CATALOG) == ""


def test_link_of_two_tables_is_written_with_those_between_and_with_both_aliases() -> None:
    assert suggest_link("t", TICKETS, "b", BANDS, CATALOG) == (
        "Link tickets and bands so: FROM tickets AS t"
        " JOIN `concert tours` ON t.tour_id = `concert tours`.tour_id"
        " JOIN bands AS b ON `concert tours`.band_id = b.band_id."
    )
    assert suggest_link("t", TICKETS, "w", ISLAND, CATALOG) == ""
