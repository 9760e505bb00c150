import pytest

from text2sql.datasource.catalog import Catalog, Column, ForeignKey, Table
from text2sql.datasource.policy.access import Access
from text2sql.errors import SqlRejected
from text2sql.messages import Dialect, SqlDraft
from text2sql.validation.step import validate_sql

PARTIES = Table(
    name="parties",
    primary_key=("party_id",),
    row_count=5,
    columns=(
        Column(name="party_id", type="INT", distinct=5),
        Column(name="name", type="TEXT", distinct=5),
        Column(name="country", type="TEXT", distinct=2),
    ),
)
MEMBERS = Table(
    name="members",
    row_count=2,
    columns=(Column(name="name", type="TEXT", distinct=2), Column(name="party", type="INT", distinct=2)),
    foreign_keys=(ForeignKey(columns=("party",), table="parties", references=("party_id",)),),
)

ROOMS = Table(
    name="rooms",
    primary_key=("number",),
    row_count=9,
    columns=(Column(name="number", type="INT", distinct=9),),
)


def validate(sql: str, *, is_first: bool = True, dialect: Dialect = "mysql") -> None:
    catalog = Catalog(name="x", dialect=dialect, server="test", tables=(PARTIES, MEMBERS, ROOMS))
    validate_sql(SqlDraft(sql=sql), Access(catalog=catalog), 10, is_first=is_first)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT name, COUNT(*) FROM parties GROUP BY name",
        "SELECT p.name, COUNT(p.country) AS n FROM parties AS p GROUP BY p.NAME, p.country",
        "SELECT name FROM parties GROUP BY name ORDER BY COUNT(*) DESC LIMIT 1",
        "SELECT party_id FROM parties GROUP BY party_id HAVING COUNT(*) > 2",
        "SELECT 1 FROM members WHERE 1 IN (SELECT name FROM parties GROUP BY name HAVING COUNT(*) = 3)",
    ],
)
@pytest.mark.parametrize("dialect", ["mysql", "sqlite"])
def test_count_over_groups_of_one_row_is_sent_back_with_the_table_to_count(
    sql: str, dialect: Dialect
) -> None:
    with pytest.raises(SqlRejected) as caught:
        validate(sql, dialect=dialect)
    assert caught.value.reason == "COUNT_IS_ALWAYS_ONE"
    assert caught.value.feedback.endswith("JOIN members ON members.party = parties.party_id.")
    validate(sql, is_first=False, dialect=dialect)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT country, COUNT(*) FROM parties GROUP BY country",
        "SELECT name FROM parties GROUP BY name",
        "SELECT COUNT(*) FROM parties",
        "SELECT p.name, COUNT(*) FROM parties AS p JOIN members AS m ON m.party = p.party_id GROUP BY p.name",
        "SELECT name, COUNT(*) FROM members GROUP BY name",  # too few rows to tell
        "SELECT number, COUNT(*) FROM rooms GROUP BY number",  # no table points at it
        "SELECT name, (SELECT COUNT(*) FROM members) FROM parties GROUP BY name",
        "SELECT p.name, COUNT(*) FROM (SELECT name FROM parties) AS p GROUP BY p.name",
    ],
)
def test_count_of_what_may_be_several_rows_passes(sql: str) -> None:
    validate(sql)
