from text2sql.datasource.catalog import Catalog, Column, ForeignKey, Table
from text2sql.retrieval.schema_text import render_schema

ROOM = 6_000


def _catalog(*tables: Table) -> Catalog:
    return Catalog(name="x", dialect="sqlite", server="test", tables=tables)


def test_keys_values_and_descriptions_are_written_as_ddl() -> None:
    orders = Table(
        name="orders",
        description="What customers\nbought",
        primary_key=("order_id",),
        foreign_keys=(ForeignKey(columns=("customer_id",), table="customers", references=("customer_id",)),),
        columns=(
            Column(name="order_id", type="INTEGER"),
            Column(name="customer_id", type="INTEGER"),
            Column(name="status", type="TEXT", samples=("open", "done"), distinct=2),
            Column(name="note", type="TEXT", samples=("call\nback",), distinct=50, description="free text"),
        ),
    )
    text = render_schema(_catalog(orders), "", ROOM)
    assert "-- What customers bought" in text
    assert "order_id INTEGER PRIMARY KEY" in text
    assert "customer_id INTEGER REFERENCES customers(customer_id)" in text
    assert "'open', 'done'" in text
    assert "e.g. 'call back'" in text
    assert "\nback" not in text


def test_composite_keys_and_odd_names_are_written() -> None:
    table = Table(
        name="order lines",
        primary_key=("a", "b"),
        foreign_keys=(ForeignKey(columns=("a", "b"), table="other", references=("x", "y")),),
        columns=(Column(name="a", type=""), Column(name="b", type="")),
    )
    text = render_schema(_catalog(table), "", ROOM)
    assert "CREATE TABLE `order lines`" in text
    assert "FOREIGN KEY (a, b) REFERENCES other (x, y)" in text


def _wide(name: str, *, extra: str = "filler", references: str = "") -> Table:
    keys = (ForeignKey(columns=("a0",), table=references, references=("a0",)),) if references else ()
    columns = tuple(Column(name=f"a{i}", type="TEXT", description=extra * 5) for i in range(15))
    return Table(name=name, columns=columns, foreign_keys=keys)


def test_small_schema_reads_the_same_for_every_question() -> None:
    catalog = _catalog(_wide("one"), _wide("two"))
    assert render_schema(catalog, "about one", ROOM) == render_schema(catalog, "about something else", ROOM)


def test_large_schema_keeps_what_fits_the_question_and_what_it_points_at() -> None:
    tables = [_wide(f"table_{i}") for i in range(100)]
    tables += [_wide("invoices", references="payers"), _wide("payers")]
    text = render_schema(_catalog(*tables), "How many invoices are there?", ROOM)
    assert "CREATE TABLE invoices" in text
    assert "CREATE TABLE payers" in text
    assert len(text) < ROOM + 100
    assert "more tables are not shown" in text


def test_columns_that_are_missing_of_a_wide_table_are_counted() -> None:
    columns = tuple(Column(name=f"measure_{a}{b}", type="TEXT") for a in "abcdefgh" for b in "qrstuvwxyz")
    facts = Table(name="facts", columns=(*columns, Column(name="discount", type="TEXT")))
    text = render_schema(_catalog(facts), "the highest discount", 1_000)
    shown = text.count(" TEXT,")
    assert "discount TEXT" in text
    assert 1 < shown < 81
    assert f"); -- {81 - shown} more columns are not shown" in text
    assert "more tables" not in text
    assert len(text) < 1_000 + 100


def test_table_that_only_a_hint_names_is_shown_of_a_large_schema() -> None:
    catalog = _catalog(*(_wide(f"table_{i}") for i in range(100)))
    hint = "churn: the share of customers who left. SQL: COUNT(table_77.a3)"
    assert "CREATE TABLE table_77" not in render_schema(catalog, "What is the churn?", ROOM)
    assert "CREATE TABLE table_77" in render_schema(catalog, "What is the churn?", ROOM, (hint,))


def test_large_schema_reads_the_same_for_the_same_question() -> None:
    texts = {
        render_schema(_catalog(*(_wide(f"table_{i}") for i in range(100))), "about table_7", ROOM)
        for _ in range(3)
    }
    assert len(texts) == 1


def test_column_descriptions_go_before_any_table_does() -> None:
    catalog = _catalog(_wide("one"), _wide("two"))
    assert "filler" in render_schema(catalog, "", ROOM)
    short = render_schema(catalog, "", 1_000)
    assert "filler" not in short
    assert "CREATE TABLE two" in short


def test_numbers_and_dates_are_not_listed_as_values() -> None:
    columns = (
        Column(name="rating", type="INTEGER", samples=("5", "-1.5"), distinct=2),
        Column(name="day", type="DATE", samples=("2026-06-30",), distinct=1),
        Column(name="odd_day", type="TEXT", samples=("30/06/2026",), distinct=1),
    )
    text = render_schema(_catalog(Table(name="t", columns=columns)), "", ROOM)
    assert text.count("--") == 1
    assert "'30/06/2026'" in text


def test_name_that_needs_quotes_is_quoted_where_it_is_pointed_at() -> None:
    key = ForeignKey(columns=("tour_id",), table="concert tours", references=("tour_id",))
    table = Table(name="tickets", columns=(Column(name="tour_id", type=""),), foreign_keys=(key,))
    assert "REFERENCES `concert tours`(tour_id)" in render_schema(_catalog(table), "", ROOM)
