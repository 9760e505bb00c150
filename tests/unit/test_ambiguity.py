"""Which questions are asked back before any model is asked, and with which choices."""

from datetime import date

import pytest

from text2sql.datasource.catalog import Catalog, Column, ForeignKey, Table
from text2sql.datasource.knowledge import Term
from text2sql.datasource.policy.access import Access
from text2sql.datasource.values_index import StoredText
from text2sql.messages import Clarification
from text2sql.retrieval.ambiguity import find_readings
from text2sql.retrieval.local import LocalKnowledgeBase
from text2sql.retrieval.step import retrieve_context
from text2sql.retrieval.value_links import Link


def _table(name: str, *columns: str, to: tuple[str, ...] = ()) -> Table:
    """Return a table whose columns are written as `name TYPE`."""
    typed = (column.split() for column in (f"{name}_id INT", *columns, *(f"{other} INT" for other in to)))
    return Table(
        name=name,
        columns=tuple(Column(name=column, type=declared) for column, declared in typed),
        primary_key=(f"{name}_id",),
        foreign_keys=tuple(
            ForeignKey(columns=(other,), table=other, references=(f"{other}_id",)) for other in to
        ),
    )


CATALOG = Catalog(
    name="x",
    dialect="sqlite",
    server="test",
    tables=(
        _table("products", "name TEXT", "list_price DECIMAL(9,2)", "version INT"),
        _table("stores", "country TEXT", "floor_area REAL", to=("regions",)),
        _table("customers", "country TEXT"),
        _table("orders", "order_date DATE", to=("stores", "customers")),
        _table("order_items", "line_total REAL", to=("orders", "products")),
        _table("reviews", "rating INT", to=("products",)),
        _table("regions", "name TEXT"),
    ),
)
REVENUE = Term(
    term="revenue",
    synonyms=("sales",),
    meaning="what came in",
    sql="SUM(order_items.line_total)",
    tables=("order_items",),
)
MARGIN = Term(
    term="margin", meaning="what is left", sql="SUM(order_items.line_total - 1)", tables=("order_items",)
)
ONLINE = Term(term="online", meaning="without a store", sql="orders.store_id IS NULL", tables=("orders",))
STOCK = Term(term="stock", meaning="what is left", sql="SUM(stock.pieces)", tables=("stock",))
BASE = LocalKnowledgeBase((ONLINE, REVENUE, MARGIN, STOCK))


def _ask(
    question: str, *links: Link, hidden: frozenset[str] = frozenset(), catalog: Catalog = CATALOG
) -> Clarification | None:
    passages = BASE.retrieve(question, 4, hidden)
    return find_readings(question, catalog, BASE, passages, links, hidden)


def _choices(question: str, *links: Link, hidden: frozenset[str] = frozenset()) -> tuple[str, ...]:
    asked = _ask(question, *links, hidden=hidden)
    return asked.choices if asked else ()


def _named(text: str, *tables: str) -> Link:
    return Link(text, tuple(StoredText(table, "country", text, text.lower(), 5) for table in tables), 1.0)


def test_best_of_a_table_is_asked_back_with_its_measures() -> None:
    asked = _ask("What is our best product?")
    assert asked == Clarification(
        question="By what should products be compared?",
        choices=(
            "highest revenue",
            "highest margin",
            "highest average rating",
            "highest number of order items",
        ),
    )


def test_size_goes_by_the_tables_own_numbers_first() -> None:
    assert _choices("Which is our biggest store?") == (
        "highest floor area",
        "highest revenue",
        "highest margin",
        "highest number of orders",
    )


@pytest.mark.parametrize(
    "question",
    [
        "Show me the worst products of all",
        "Which products are the cheapest?",
        "What is the name of the best product?",
        "What is our best product by revenue?",
        "Who are the ten best customers by revenue?",
        "What is the best song?",
        "What is the best region?",
        "Which products do not sell in Berlin?",
        "Show me the recent products.",
        "",
    ],
)
def test_question_with_one_reading_or_of_another_form_is_not_asked_back(question: str) -> None:
    assert _ask(question) is None


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("What are the worst products?", "lowest revenue"),
        ("What are the top 5 products last year?", "highest revenue"),
        ("Which products are not selling well?", "lowest revenue"),
        ("Which products aren't selling badly?", "highest revenue"),
        ("Which products sell well?", "highest revenue"),
        ("Which products did badly in 2025?", "lowest revenue"),
    ],
)
def test_choices_point_where_the_question_does(question: str, first: str) -> None:
    assert _choices(question)[0] == first


def test_recent_rows_of_a_table_with_dates_are_asked_back() -> None:
    assert _choices("Show me the recent orders.") == (
        "of the last 7 days",
        "of the last 30 days",
        "the newest 10",
    )


def test_place_that_several_tables_hold_is_asked_back() -> None:
    germany = _named("Germany", "customers", "stores")
    assert _choices("What were our sales in Germany?", germany) == (
        "revenue of customers in Germany",
        "revenue of stores in Germany",
    )
    assert not _choices("What were the sales of our stores in Germany?", germany)
    assert not _choices("What were our sales in Germany?", _named("Germany", "customers"))
    assert not _choices("What were our sales in Germany and France?", germany, _named("France", "stores"))
    assert not _choices("What were our sales and our margin in Germany?", germany)


def test_term_that_names_what_is_hidden_is_no_choice() -> None:
    choices = _choices("What is our best product?", hidden=frozenset({"order_items.line_total"}))
    assert choices == (
        "highest average rating",
        "highest number of order items",
        "highest number of reviews",
        "highest list price",
    )


def test_step_offers_no_term_that_names_what_is_hidden() -> None:
    access = Access(catalog=CATALOG, hidden=frozenset({"order_items.line_total"}))
    context = retrieve_context("What is our best product?", BASE, access, date(2026, 1, 1), 2_000)
    assert isinstance(context.verdict, Clarification)
    assert "revenue" not in " ".join(context.verdict.choices)


def test_name_that_two_tables_have_is_not_asked_back() -> None:
    again = CATALOG.tables[0].model_copy(update={"schema_name": "archive"})
    both = CATALOG.model_copy(update={"tables": (*CATALOG.tables, again)})
    assert _ask("What is our best product?", catalog=both) is None


def test_table_that_the_caller_does_not_see_is_no_choice() -> None:
    visible = tuple(table for table in CATALOG.tables if table.name not in ("reviews", "order_items"))
    assert _ask("What is our best product?", catalog=CATALOG.model_copy(update={"tables": visible})) is None


def test_long_question_takes_no_time() -> None:
    assert _ask("what is " + "in from " * 500, _named("Germany", "customers", "stores")) is None
