"""The sample shop's policy fits the sample shop."""

from pathlib import Path

import pytest

from text2sql.datasource.policy.access import Caller
from text2sql.datasource.policy.decide import access_for
from text2sql.execution.port import QueryLimits
from text2sql.execution.sqlite import SqliteDatabase
from text2sql.messages import SqlDraft
from text2sql.validation.policy.load import load_policy
from text2sql.validation.step import validate_sql


def test_example_policy_shows_a_group_its_part(repository: Path) -> None:
    shop = repository / ".cache" / "shop.sqlite"
    if not shop.exists():
        pytest.skip("make builds the sample shop")
    database = SqliteDatabase(shop)
    catalog = database.read_catalog()
    policy = load_policy(repository / "examples" / "shop" / "policy.yaml", catalog)
    caller = Caller(groups=("marketing",), attributes={"country": "Germany"})
    access = access_for(policy, caller, catalog)
    sql = (
        "SELECT c.country, COUNT(DISTINCT o.order_id) AS n, SUM(i.line_total) AS revenue FROM customers AS c "
        "JOIN orders AS o ON o.customer_id = c.customer_id JOIN order_items AS i ON i.order_id = o.order_id "
        "WHERE c.signup_date >= '2024-01-01' GROUP BY c.country"
    )
    allowed = validate_sql(SqlDraft(sql=sql), access, 100)
    narrowed = database.query(allowed.sql, QueryLimits()).rows
    plain = database.query(sql.replace("WHERE", "WHERE c.country = 'Germany' AND"), QueryLimits()).rows
    assert [(row[0], row[1], round(float(str(row[2])), 2)) for row in narrowed] == [
        (row[0], row[1], round(float(str(row[2])), 2)) for row in plain
    ]
    assert len(narrowed) == 1
