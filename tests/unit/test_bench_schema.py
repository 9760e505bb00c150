"""What `make bench-schema` decides by itself; it starts no server here."""

from bench_schema import measure, merge, read_needs, read_told

from text2sql.datasource.catalog import Catalog, Column, ForeignKey, Table
from text2sql.evaluation.questions import GoldQuestion
from text2sql.retrieval.schema_text import render_schema

ORDERS = Table(
    name="orders",
    primary_key=("id",),
    columns=(
        Column(name="id", type="INT"),
        Column(name="who", type="INT"),
        Column(name="Order Date", type="DATE"),
    ),
    foreign_keys=(ForeignKey(columns=("who",), table="people", references=("id",)),),
)
PEOPLE = Table(name="people", columns=(Column(name="id", type="INT"), Column(name="name", type="TEXT")))
SQL = "SELECT p.name FROM people AS p WHERE EXISTS (SELECT 1 FROM orders WHERE orders.who = p.id)"


def _catalog(name: str) -> Catalog:
    return Catalog(name=name, dialect="mysql", server="test", tables=(ORDERS, PEOPLE))


def test_what_a_gold_needs_is_its_tables_and_columns() -> None:
    assert read_needs(SQL, _catalog("a")) == {
        *(("people", ""), ("people", "id"), ("people", "name")),
        *(("orders", ""), ("orders", "who")),
    }


def test_what_a_schema_text_tells_is_read_from_it() -> None:
    assert read_told(render_schema(_catalog("a"), "", 6_000)) == {
        *(("orders", ""), ("orders", "id"), ("orders", "who"), ("orders", "order date")),
        *(("people", ""), ("people", "id"), ("people", "name")),
    }


def test_names_that_are_taken_get_the_databases_name_in_a_warehouse() -> None:
    warehouse, renamed = merge({"a": _catalog("a"), "b": _catalog("b")}, 4)
    first, second = renamed
    assert [t.name for t in warehouse.tables] == ["orders", "people", f"{second}_orders", f"{second}_people"]
    assert warehouse.tables[2].foreign_keys[0].table == f"{second}_people"
    assert renamed[first] == {"orders": "orders", "people": "people"}


def test_warehouse_takes_no_more_tables_than_it_may() -> None:
    warehouse, renamed = merge({"a": _catalog("a"), "b": _catalog("b")}, 3)
    assert len(warehouse.tables) == 2
    assert len(renamed) == 1


def test_what_is_not_told_is_missed() -> None:
    wide = Table(name="wide", columns=tuple(Column(name=f"c{'x' * i}", type="TEXT") for i in range(200)))
    catalog = Catalog(name="a", dialect="mysql", server="test", tables=(wide, PEOPLE))
    asked = [
        GoldQuestion(database="a", question="All names of people", sql="SELECT name FROM people"),
        GoldQuestion(database="a", question="All of it", sql=f"SELECT c{'x' * 199} FROM wide"),
    ]
    recall = measure({"a": catalog}, asked)[0]
    assert (recall.questions, recall.tables, recall.tables_and_columns) == (2, 100.0, 50.0)
    assert (recall.of_all_tables, recall.of_all_columns) == (100.0, 50.0)
    assert not recall.is_met
