"""Statements whose names do not resolve, and how else they can be read."""

import pytest

from text2sql.datasource.catalog import Catalog, Column, ForeignKey, Table
from text2sql.datasource.policy.access import Access
from text2sql.errors import SqlRejected
from text2sql.messages import SqlDraft, ValidSql
from text2sql.validation.resolution import read_otherwise
from text2sql.validation.step import validate_sql


def _table(name: str, *columns: str, **keys: str) -> Table:
    return Table(
        name=name,
        columns=tuple(Column(name=column, type="") for column in columns),
        foreign_keys=tuple(
            ForeignKey(columns=(column,), table=table, references=(column,)) for column, table in keys.items()
        ),
    )


TABLES = (
    _table("bands", "band_id", "name", "country"),
    _table("tours", "tour_id", "band_id", "city", band_id="bands"),
    _table("tickets", "ticket_id", "tour_id", "price", "seat", tour_id="tours", seat="seats"),
    _table("seats", "seat", "colour"),
    _table("islands", "rain"),
    _table("walls", "wall_id", "band_id", "colour", band_id="bands"),
)
ACCESS = Access(catalog=Catalog(name="x", dialect="sqlite", server="test", tables=TABLES))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "SELECT t.name FROM tours AS t JOIN bands AS b ON t.band_id = b.band_id",
            "SELECT b.name FROM tours AS t JOIN bands AS b ON t.band_id = b.band_id",
        ),
        (
            "SELECT city FROM tours WHERE price > 5",
            "SELECT city FROM tours JOIN tickets ON tours.tour_id = tickets.tour_id WHERE tickets.price > 5",
        ),
        (
            "SELECT x.price FROM tickets AS x WHERE x.country = 'UK'",
            (
                "SELECT x.price FROM tickets AS x JOIN tours ON x.tour_id = tours.tour_id"
                " JOIN bands ON tours.band_id = bands.band_id WHERE bands.country = 'UK'"
            ),
        ),
        (
            "SELECT name FROM bands WHERE band_id IN (SELECT band_id FROM tours WHERE tours.price = 1)",
            (
                "SELECT name FROM bands WHERE band_id IN (SELECT band_id FROM tours"
                " JOIN tickets ON tours.tour_id = tickets.tour_id WHERE tickets.price = 1)"
            ),
        ),
        (
            "SELECT country, price FROM bands WHERE price > 5",  # one join for both
            (
                "SELECT country, tickets.price FROM bands JOIN tours ON bands.band_id = tours.band_id"
                " JOIN tickets ON tours.tour_id = tickets.tour_id WHERE price > 5"
            ),
        ),
    ],
)
def test_column_is_moved_to_the_only_place_that_has_it(text: str, expected: str) -> None:
    reading = read_otherwise(text, ACCESS)
    assert reading is not None
    assert " ".join(reading[0].split()) == expected
    assert all(" was read as " in change for change in reading[1])


@pytest.mark.parametrize(
    "text",
    [
        "SELECT name FROM bands",  # it resolves
        "SELECT b.name FROM bands AS b WHERE EXISTS (SELECT 1 FROM tours WHERE band_id = b.band_id)",
        "SELECT COUNT(*) AS n FROM bands GROUP BY country ORDER BY n",
        "SELECT height FROM bands",  # nowhere
        "SELECT colour FROM tickets WHERE price > 1 AND mood = 2",
        "SELECT price FROM islands",  # no key leads there
        "SELECT t.price FROM tickets AS t JOIN bands AS b ON t.band_id = b.band_id",  # not b with b
        "SELECT t.price FROM (SELECT tour_id FROM tours) AS t",
        "SELECT price FROM bands, nowhere",
        "SELECT FROM",
    ],
)
def test_statement_that_resolves_or_can_be_read_in_no_one_way_is_left_alone(text: str) -> None:
    assert read_otherwise(text, ACCESS) is None


def validate(*texts: str) -> ValidSql:
    return validate_sql(SqlDraft(sql=texts[0], alternatives=texts[1:]), ACCESS, 10)


def test_other_reading_has_a_vote_beside_a_draft_that_passes() -> None:
    valid = validate(
        "SELECT city FROM tours WHERE price > 5", "SELECT name FROM bands", "SELECT no FROM bands"
    )
    (reading,) = valid.alternatives
    assert (valid.sql.split(), valid.refused, valid.is_other_reading) == (
        "SELECT name FROM bands LIMIT 11".split(),
        1,
        False,
    )
    assert reading.is_other_reading
    assert reading.changes[0] == "price was read as tickets.price"


def test_other_reading_is_never_the_answer_alone() -> None:
    with pytest.raises(SqlRejected) as caught:
        validate("SELECT city FROM tours WHERE price > 5", "SELECT city FROM tours WHERE price > 6")
    assert "JOIN tickets" in caught.value.feedback


def test_drafts_are_counted_by_what_they_come_to() -> None:
    valid = validate("SELECT name FROM bands", "SELECT x FROM bands", "select name\nfrom bands", "SELECT 1")
    assert (valid.votes, valid.refused) == (2, 1)
    assert [each.votes for each in valid.alternatives] == [1]
    assert valid.draft == "SELECT name FROM bands"
