"""The example of a `verified.yaml` fits the sample shop."""

import shutil
from pathlib import Path

import pytest

from text2sql.datasource.knowledge import load_knowledge
from text2sql.datasource.policy.access import Access
from text2sql.execution.port import QueryLimits
from text2sql.execution.sqlite import SqliteDatabase
from text2sql.retrieval.verified import read_verified


def test_example_queries_run_on_the_shop(repository: Path, tmp_path: Path) -> None:
    shop = repository / ".cache" / "shop.sqlite"
    if not shop.exists():
        pytest.skip("make builds the sample shop")
    shutil.copy(repository / "examples" / "verified.yaml", tmp_path)
    database = SqliteDatabase(shop)
    access = Access(catalog=database.read_catalog())
    queries = load_knowledge(tmp_path).verified.queries
    assert len(queries) == 3
    for query in queries:
        assert database.query(read_verified(query, access).sql, QueryLimits()).rows


def test_sample_knowledge_holds_no_verified_query(repository: Path) -> None:
    assert load_knowledge(repository / "examples" / "shop").verified.queries == ()
