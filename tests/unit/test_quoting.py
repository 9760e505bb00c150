import pytest

from text2sql.datasource.catalog import Catalog, Column, Table
from text2sql.datasource.policy.access import Access
from text2sql.messages import SqlDraft
from text2sql.validation.quoting import quote_bare_names
from text2sql.validation.step import validate_sql

TOURS = Table(name="Concert Tours", columns=(Column(name="tour id", type=""), Column(name="city", type="")))
CATALOG = Catalog(name="x", dialect="sqlite", server="test", tables=(TOURS,))


@pytest.mark.parametrize(
    ("written", "quoted"),
    [
        ("SELECT city FROM Concert Tours", "SELECT city FROM `Concert Tours`"),
        ("SELECT t.tour id FROM Concert Tours t", "SELECT t.`tour id` FROM `Concert Tours` t"),
        ("SELECT city FROM concert tours", "SELECT city FROM `concert tours`"),
        ("SELECT city FROM `Concert Tours`", "SELECT city FROM `Concert Tours`"),
        ('SELECT city FROM "Concert Tours"', 'SELECT city FROM "Concert Tours"'),
        ("SELECT 'Concert Tours' FROM [Concert Tours]", "SELECT 'Concert Tours' FROM [Concert Tours]"),
        ("SELECT 'a''Concert Tours'", "SELECT 'a''Concert Tours'"),
        ("SELECT city FROM Concert Toursx", "SELECT city FROM Concert Toursx"),
    ],
)
def test_spaced_name_is_quoted_where_it_stands_bare(written: str, quoted: str) -> None:
    assert quote_bare_names(written, CATALOG) == quoted


def test_statement_with_a_bare_spaced_name_is_accepted() -> None:
    valid = validate_sql(SqlDraft(sql="SELECT city FROM concert tours"), Access(catalog=CATALOG), 10)
    assert valid.tables == ("Concert Tours",)
