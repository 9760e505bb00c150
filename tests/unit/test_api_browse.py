"""What a caller is shown of a database and of what was written down about it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from api_world import Issuer, SteadyModel, World, open_world, shop_services
from text2sql.datasource.knowledge import Metric, Term
from text2sql.messages import VerifiedQuery
from text2sql.retrieval.local import LocalKnowledgeBase
from text2sql.retrieval.verified import VerifiedIndex

KNOWLEDGE = "/v1/datasources/shop/knowledge"
SCHEMA = "/v1/datasources/shop/schema"
POLICY = """
groups:
  all:
    tables: {customers: {}, orders: {}}
  support:
    tables: {orders: {}}
  few:
    tables:
      orders: {rows: "order_id = 1"}
      customers: {mask: {name: hash}}
"""
TERMS = (
    Term(term="buyer", synonyms=("client",), meaning="A customer with an order.", tables=("customers",)),
    Term(term="order", meaning="What was bought at once.", tables=("orders",)),
    Term(term="payroll", meaning="What people earn.", sql="SUM(salary)", tables=("salaries",)),
    Metric(
        metric="order count", sql="COUNT(orders.order_id)", grain="one value per shop", tables=("orders",)
    ),
    Metric(metric="names", sql="COUNT(DISTINCT customers.name)", tables=("customers",)),
)
QUERIES = tuple(
    VerifiedQuery(question=question, sql=sql, approved_by="ada", approved_on=date(2026, 1, 1))
    for question, sql in {
        "How many orders are there?": "SELECT COUNT(*) FROM orders",
        "Who buys?": "SELECT name FROM customers",
        "What was there once?": "SELECT x FROM gone",
    }.items()
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    (tmp_path / "policy.yaml").write_text(POLICY)
    services = replace(
        shop_services(tmp_path / "shop.db", SteadyModel(), tmp_path / "policy.yaml"),
        knowledge_base=LocalKnowledgeBase(TERMS),
        verified=VerifiedIndex(lambda: QUERIES),
    )
    with open_world(tmp_path, issuer=Issuer(), datasources={"shop": services}) as opened:
        yield opened


def told(world: World, *groups: str) -> dict[str, list[str]]:
    """Return what is listed, by its names."""
    body = world.client("ada", *groups).get(KNOWLEDGE).json()
    assert body.pop("id") == "shop"
    names = {"terms": "term", "metrics": "metric", "verified": "question"}
    return {kind: [each[names[kind]] for each in body[kind]] for kind in names}


def test_terms_metrics_and_verified_queries_are_listed_as_they_were_written(world: World) -> None:
    body = world.client("ada", "all").get(KNOWLEDGE).json()
    assert told(world, "all") == {
        "terms": ["buyer", "order"],
        "metrics": ["order count", "names"],
        "verified": ["How many orders are there?", "Who buys?"],
    }
    assert body["terms"][0]["synonyms"] == ["client"]
    assert body["metrics"][0]["grain"] == "one value per shop"
    assert body["verified"][0] == {
        "question": "How many orders are there?",
        "sql": "SELECT COUNT(*) FROM orders",
        "approved_by": "ada",
        "approved_on": "2026-01-01",
        "note": "",
    }


def test_what_names_a_hidden_table_is_not_listed(world: World) -> None:
    assert told(world, "support") == {
        "terms": ["order"],
        "metrics": ["order count"],
        "verified": ["How many orders are there?"],
    }


def test_statement_on_a_table_of_which_rows_are_hidden_is_not_listed(world: World) -> None:
    assert told(world, "few")["verified"] == []


def test_nobody_else_learns_of_it(world: World) -> None:
    for groups in ((), ("other",)):
        reply = world.client("eve", *groups).get(KNOWLEDGE)
        assert (reply.status_code, reply.json()["code"]) == (404, "NOT_FOUND")
    assert world.client("ada", "all").get("/v1/datasources/nowhere/knowledge").status_code == 404


def test_schema_tells_keys_counts_and_values(world: World) -> None:
    tables = {each["name"]: each for each in world.client("ada", "all").get(SCHEMA).json()["tables"]}
    orders, customers = tables["orders"], tables["customers"]
    assert (orders["primary_key"], customers["primary_key"]) == (["order_id"], ["customer_id"])
    (key,) = orders["foreign_keys"]
    assert key == {"columns": ["customer_id"], "table": "customers", "references": ["customer_id"]}
    assert customers["row_count"] > 0
    described = {column["name"]: column for column in customers["columns"]}
    assert "Ada" in described["name"]["samples"]


def test_schema_shows_no_value_that_the_caller_may_not_see(world: World) -> None:
    tables = {each["name"]: each for each in world.client("ada", "few").get(SCHEMA).json()["tables"]}
    assert tables["orders"]["row_count"] is None
    for table in tables.values():
        for column in table["columns"]:
            if table["name"] == "orders" or column["name"] == "name":
                assert (column["samples"], column["lowest"], column["highest"]) == ([], None, None)
