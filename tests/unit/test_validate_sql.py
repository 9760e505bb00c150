"""ValidateSql on statements kept as data: what passes, what does not, and why."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from small_shop import small_catalog, write_small_shop
from text2sql.datasource.catalog import Catalog, Column, Table
from text2sql.datasource.policy.access import Access
from text2sql.errors import SqlRejected
from text2sql.messages import SqlDraft, ValidSql
from text2sql.validation.rules import RULES, emission
from text2sql.validation.statement import Statement
from text2sql.validation.step import validate_sql

ROW_LIMIT = 10
DIALECTS = {"": ["sqlite", "mysql", "mariadb"], "sqlite": ["sqlite"], "mysql": ["mysql", "mariadb"]}
"""Those that a case is for; what is not said is meant for all."""


def _cases(name: str) -> list[Any]:
    cases = yaml.safe_load(Path(__file__).with_name(name).read_text("utf-8"))
    return [
        pytest.param(case, dialect, id=f"{dialect}: {case['sql'][:60]!r}")
        for case in cases
        for dialect in DIALECTS[case.get("dialect", "")]
    ]


def _validate(sql: str, catalog: Catalog) -> ValidSql:
    return validate_sql(SqlDraft(sql=sql), Access(catalog=catalog), ROW_LIMIT)


@pytest.mark.parametrize(("case", "dialect"), _cases("sql_accepted.yaml"))
def test_honest_statement_is_accepted_and_written_anew(case: dict[str, str], dialect: Any) -> None:
    valid = _validate(case["sql"], small_catalog(dialect))
    emitted = " ".join(valid.sql.split())
    assert "LIMIT" in emitted
    assert emitted == case.get("emitted", emitted)


@pytest.mark.parametrize(("case", "dialect"), _cases("sql_accepted.yaml"))
def test_emitted_text_is_that_of_the_checked_tree_also_where_reading_alike_suffices(
    case: dict[str, str], dialect: Any
) -> None:
    statement = Statement(case["sql"], Access(catalog=small_catalog(dialect)), ROW_LIMIT)
    assert not any(rule(statement) for rule in RULES)
    assert emission._parses_alike(statement.sql, statement)


@pytest.mark.parametrize(
    ("text", "emitted", "alike"),
    [
        ("select a b from t", "SELECT a AS b FROM t LIMIT 11", True),
        ("SELECT a FROM t WHERE a != 1;", "SELECT a FROM t WHERE a <> 1", True),
        ("SELECT a FROM t", "SELECT b FROM t", False),
        ("SELECT a FROM t", "SELECT a FROM t LIMIT 11 OFFSET 2", False),
        ("SELECT 'a' FROM t", "SELECT 'A' FROM t", False),
        ("SELECT a--b FROM t", "SELECT a--b FROM t", False),
        ("SELECT x'41'", "SELECT x'41'", False),
        ('SELECT "a"', 'SELECT "a"', False),
        ("SELECT a /* b */", "SELECT a", False),
        ("SELECT '\\'", "SELECT '\\'", False),
        ("SELECT 1e5", "SELECT 1e5", False),
        ("SELECT a<=>b", "SELECT a <=> b", False),
    ],
)
def test_only_plain_texts_of_the_same_words_and_signs_read_alike(
    text: str, emitted: str, alike: bool
) -> None:
    assert emission._reads_alike(text, emitted) is alike


@pytest.mark.parametrize(("case", "dialect"), _cases("sql_rejected.yaml"))
def test_statement_is_rejected_with_its_reason(case: dict[str, str], dialect: Any) -> None:
    with pytest.raises(SqlRejected) as caught:
        _validate(case["sql"], small_catalog(dialect))
    assert caught.value.reason == case["reason"]
    assert case.get("feedback", "") in caught.value.feedback


@pytest.mark.parametrize(
    "sql",
    [
        "WITH {name} AS (SELECT order_id FROM orders) SELECT order_id FROM {name}",
        "WITH {name} AS (SELECT orders.order_id FROM Orders) SELECT order_id FROM {name}",
        "WITH {name} AS (SELECT order_id + 9 AS order_id FROM main.orders) SELECT order_id FROM {name}",
        "WITH {name} AS (SELECT order_id FROM main.orders UNION ALL SELECT 9) SELECT order_id FROM {name}",
        "WITH {name} AS (SELECT order_id FROM shop.orders) SELECT order_id FROM {name}",
        "WITH {name} AS (SELECT * FROM (SELECT * FROM orders) AS x) SELECT order_id FROM {name}",
        "WITH {name} AS (WITH y AS (SELECT * FROM orders) SELECT * FROM y) SELECT order_id FROM {name}",
        "WITH {name} AS (SELECT (SELECT MAX(order_id) FROM orders) AS n) SELECT n FROM {name}",
        "SELECT x.n FROM (WITH {name} AS (SELECT 3 AS n FROM orders) SELECT n FROM {name}) AS x, orders",
    ],
)
def test_sqlite_reads_the_table_inside_an_expression_of_the_same_name(tmp_path: Path, sql: str) -> None:
    with closing(sqlite3.connect(write_small_shop(tmp_path / "shop.db"))) as connection:
        shadowed, renamed = (
            connection.execute(_validate(sql.format(name=name), small_catalog()).sql).fetchall()
            for name in ("orders", "renamed")
        )
    assert shadowed == renamed
    assert renamed


def test_table_of_another_schema_keeps_it_inside_an_expression_of_the_same_name() -> None:
    table = Table(name="orders", schema_name="old", columns=(Column(name="n", type="INTEGER"),))
    catalog = Catalog(name="shop", dialect="sqlite", server="test", tables=(table,))
    valid = _validate("WITH orders AS (SELECT n FROM old.orders) SELECT n FROM orders", catalog)
    assert "FROM old.orders" in valid.sql


def test_tables_that_are_read_are_named_in_order() -> None:
    sql = "SELECT name FROM customers WHERE customer_id IN (SELECT customer_id FROM orders)"
    assert set(_validate(sql, small_catalog()).tables) == {"customers", "orders"}


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT name FROM customers", ("At most 10 rows are returned.",)),
        ("SELECT name FROM customers LIMIT 99", ("LIMIT 99 was lowered to 10 rows.",)),
        ("SELECT name FROM customers LIMIT 10", ()),
        ("SELECT customers.name FROM customers AS c LIMIT 10", ("customers.name was read as c.name.",)),
    ],
)
def test_changes_are_told(sql: str, told: tuple[str, ...]) -> None:
    assert _validate(sql, small_catalog()).changes == told


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT " + "(" * 31 + "1" + ")" * 31,
        "SELECT '" + "x" * 20_000 + "'",
        "SELECT '" + "é" * 10_001 + "'",
        "SELECT " + "- " * 9_000 + "1",
        "SELECT " + "NOT " * 4_900 + "1",
    ],
    ids=["parentheses", "bytes", "two-byte characters", "minus signs", "NOTs"],
)
def test_monstrous_statement_is_refused_not_crashed_on(sql: str) -> None:
    with pytest.raises(SqlRejected) as caught:
        _validate(sql, small_catalog())
    assert caught.value.reason in {"STATEMENT_TOO_LARGE", "NOT_PARSED", "CONSTRUCT_NOT_ALLOWED"}


def test_feedback_never_quotes_a_log_line(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(SqlRejected):
        _validate("GRANT ALL ON secret TO someone", small_catalog("mysql"))
    assert "secret" not in caplog.text
