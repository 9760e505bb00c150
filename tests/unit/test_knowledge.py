from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from small_shop import small_catalog, write_small_shop
from text2sql.cli.main import text2sql
from text2sql.datasource.knowledge import CatalogNotes, Knowledge, describe, load_knowledge
from text2sql.errors import InvalidKnowledge
from text2sql.retrieval.local import LocalKnowledgeBase

CATALOG = """
as_of: 2026-06-30
tables:
  orders:
    description: What customers bought
    columns:
      status: completed or cancelled
"""
GLOSSARY = """
terms:
  - term: revenue
    synonyms: [sales, earned]
    meaning: what was paid
    sql: SUM(order_items.line_total)
  - term: active customer
    meaning: ordered within a year
"""


def _folder(tmp_path: Path, **files: str) -> Path:
    for name, text in files.items():
        (tmp_path / f"{name}.yaml").write_text(text, "utf-8")
    return tmp_path


def test_descriptions_join_the_catalog(tmp_path: Path) -> None:
    knowledge = load_knowledge(_folder(tmp_path, catalog=CATALOG))
    assert knowledge.catalog.as_of == date(2026, 6, 30)
    orders = next(t for t in describe(small_catalog(), knowledge.catalog).tables if t.name == "orders")
    assert orders.description == "What customers bought"
    assert next(c for c in orders.columns if c.name == "status").description == "completed or cancelled"


def test_no_folder_and_an_empty_one_mean_no_knowledge(tmp_path: Path) -> None:
    assert load_knowledge(None) == load_knowledge(tmp_path) == Knowledge()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tables: [", r"catalog.yaml, line \d+: "),
        ("tables: 5", "catalog.yaml: tables: "),
        ("colour: red", "catalog.yaml: colour: "),
        ("as_of: soon", "catalog.yaml: as_of: "),
        ("tables: {orders: {columns: {status: {a: b}}}}", "catalog.yaml: tables.orders.columns.status: "),
    ],
)
def test_file_that_breaks_the_format_is_named_with_the_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InvalidKnowledge, match=message):
        load_knowledge(_folder(tmp_path, catalog=text))


def test_file_that_is_no_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "glossary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidKnowledge, match=r"glossary\.yaml cannot be read"):
        load_knowledge(tmp_path)


def test_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidKnowledge, match="no folder"):
        load_knowledge(tmp_path / "nowhere")


@pytest.mark.parametrize("tables", [{"nowhere": {}}, {"orders": {"columns": {"nothing": "x"}}}])
def test_description_of_what_is_not_there_is_refused(tables: dict[str, object]) -> None:
    with pytest.raises(InvalidKnowledge, match="which the database has not"):
        describe(small_catalog(), CatalogNotes.model_validate({"tables": tables}))


@pytest.mark.parametrize(
    ("question", "terms"),
    [
        ("What did we earn? No: what was EARNED?", ["revenue"]),
        ("revenues by month", ["revenue"]),
        ("How many active  customers bring the most sales?", ["active customer", "revenue"]),
        ("Is it salesy?", []),
        ("", []),
    ],
)
def test_terms_are_found_by_whole_words_and_synonyms(tmp_path: Path, question: str, terms: list[str]) -> None:
    glossary = load_knowledge(_folder(tmp_path, glossary=GLOSSARY)).glossary
    found = LocalKnowledgeBase(glossary.terms).retrieve(question, 5)
    assert [passage.source for passage in found] == [f"glossary: {term}" for term in terms]


def test_passage_holds_the_expression_and_the_limit_is_kept(tmp_path: Path) -> None:
    base = LocalKnowledgeBase(load_knowledge(_folder(tmp_path, glossary=GLOSSARY)).glossary.terms)
    (passage,) = base.retrieve("active customers and sales", 1)
    assert passage.source == "glossary: active customer"
    (passage,) = base.retrieve("sales", 1)
    assert "SUM(order_items.line_total)" in passage.text


def test_metric_is_told_with_its_expression_and_grain(tmp_path: Path) -> None:
    metrics = """
metrics:
  - metric: basket size
    synonyms: [AOV]
    meaning: what an order brings
    sql: SUM(order_items.line_total) / COUNT(DISTINCT orders.order_id)
    grain: one value per order
    tables: [order_items, orders]
"""
    knowledge = load_knowledge(_folder(tmp_path, metrics=metrics))
    base = LocalKnowledgeBase(knowledge.metrics.metrics)
    (passage,) = base.retrieve("What was the AOV last year?", 4)
    assert passage.source == "metric: basket size"
    assert passage.text == (
        "basket size: what an order brings Grain: one value per order."
        " SQL: SUM(order_items.line_total) / COUNT(DISTINCT orders.order_id)"
    )
    assert base.retrieve("What was the AOV last year?", 4, frozenset({"line_total"})) == ()
    assert base.measures(frozenset({"orders", "order_items"})) == ("basket size",)


def test_metric_without_sql_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidKnowledge, match=r"metrics\.yaml: metrics\.0\.sql"):
        load_knowledge(_folder(tmp_path, metrics="metrics: [{metric: basket size}]"))


def test_check_finds_terms_and_metrics_that_do_not_fit_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEXT2SQL_CACHE_DIR", str(tmp_path / "cache"))
    metrics = """
metrics:
  - {metric: spend, sql: SUM(line_total), tables: [order_items]}
  - {metric: weight, sql: SUM(order_items.weight), tables: [order_items]}
  - {metric: theft, sql: "1) FROM customers; DROP TABLE customers; --", tables: [orders]}
  - {metric: stock, sql: COUNT(*), tables: [warehouses]}
"""
    shop = write_small_shop(tmp_path / "shop.db")
    folder = _folder(tmp_path, glossary=GLOSSARY, metrics=metrics)
    options = ["--database", f"sqlite:///{shop}", "--knowledge", str(folder)]
    checked = CliRunner().invoke(text2sql, ["knowledge", "check", *options], standalone_mode=False)
    assert checked.return_value == 1
    told = checked.stdout.splitlines()
    assert [line.partition(": ")[2].partition(":")[0] for line in told] == ["weight", "theft", "stock"]
    assert "weight" in told[0]
    assert told[2] == "metric: stock: The database has no table warehouses."
    assert "3 of 6 terms and metrics fit." in checked.stderr
