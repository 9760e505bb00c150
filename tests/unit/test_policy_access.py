"""What a caller may see: groups joined, the catalog without a trace of the rest, statements narrowed."""

from pathlib import Path
from typing import Any

import pytest

from small_shop import small_catalog
from text2sql.datasource.catalog import Catalog, Column, Table
from text2sql.datasource.knowledge import Term
from text2sql.datasource.policy.access import Access, AttributeValue, Caller, TableRules
from text2sql.datasource.policy.decide import access_for
from text2sql.errors import AccessDenied, SqlRejected
from text2sql.messages import Dialect, SqlDraft
from text2sql.retrieval.local import LocalKnowledgeBase
from text2sql.retrieval.schema_text import render_schema
from text2sql.validation.policy.load import load_policy
from text2sql.validation.step import validate_sql

POLICY = """
attributes: {segment: text, ids: list of integer}
groups:
  everyone: {tables: {orders: {}}}
  sales:
    inherits: [everyone]
    tables:
      customers:
        deny: [customer_id]
        mask: {name: last_four}
        rows: segment = {caller.segment}
  support:
    tables:
      customers:
        mask: {name: hash, segment: full}
        filter_by: [name]
        rows: customer_id IN {caller.ids}
  audit: {tables: {customers: {}}}
  reports:
    tables:
      orders:
        mask: {order_date: year_only}
        filter_by: [order_date]
        rows: customer_id IN (SELECT customer_id FROM customers WHERE segment = {caller.segment})
"""


def _access(
    tmp_path: Path,
    *groups: str,
    dialect: Dialect = "sqlite",
    catalog: Catalog | None = None,
    **given: AttributeValue,
) -> Access:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY, "utf-8")
    whole = catalog or small_catalog(dialect)
    return access_for(load_policy(path, whole), Caller(groups=groups, attributes=given), whole)


def _columns(access: Access) -> dict[str, str]:
    return {table.name: " ".join(column.name for column in table.columns) for table in access.catalog.tables}


def _emitted(sql: str, access: Access) -> str:
    return " ".join(validate_sql(SqlDraft(sql=sql), access, 10).sql.split())


# ── groups and attributes ────────────────────────────────────────────────────────────────────────


def test_group_sees_what_it_names_and_inherits_and_nothing_else(tmp_path: Path) -> None:
    access = _access(tmp_path, "sales", segment="Corporate")
    assert _columns(access) == {
        "customers": "name segment",
        "orders": "order_id customer_id order_date status",
    }


@pytest.mark.parametrize("groups", [(), ("nobody",), ("Sales",)])
def test_caller_without_a_group_sees_nothing(tmp_path: Path, groups: tuple[str, ...]) -> None:
    with pytest.raises(AccessDenied, match="shows you nothing"):
        _access(tmp_path, *groups)


def test_groups_join_rows_and_keep_the_strictest_of_columns(tmp_path: Path) -> None:
    rules = _access(tmp_path, "sales", "support", "unknown", segment="x", ids=(1,)).rules["customers"]
    assert rules.masks == {"name": "hash", "segment": "full"}
    assert rules.raw_filters == frozenset()  # sales may not filter by the name
    assert len(rules.rows) == 2
    assert "customer_id" not in _columns(_access(tmp_path, "audit", "sales"))["customers"]


def test_group_that_sees_every_row_needs_no_attribute_of_another(tmp_path: Path) -> None:
    access = _access(tmp_path, "audit", "sales")
    assert access.rules["customers"].rows == ()
    assert access.attributes == {}


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({}, "decides by your segment, which is not known"),
        ({"segment": 5}, "decides by your segment, which must be text"),
        ({"segment": ("secret",)}, "which must be text"),
    ],
)
def test_attribute_that_is_missing_or_of_another_type_denies(
    tmp_path: Path, given: dict[str, Any], problem: str
) -> None:
    with pytest.raises(AccessDenied, match=problem) as caught:
        _access(tmp_path, "sales", **given)
    assert "secret" not in caught.value.message + caught.value.remedy


# ── what the model is told ───────────────────────────────────────────────────────────────────────


def _sampled() -> Catalog:
    """Return the small catalog with a sample in each column."""
    catalog = small_catalog()
    tables = []
    for table in catalog.tables:
        columns = tuple(
            column.model_copy(update={"samples": (f"{table.name} {column.name}",), "distinct": 1})
            for column in table.columns
        )
        tables.append(table.model_copy(update={"columns": columns, "row_count": 3}))
    return catalog.model_copy(update={"tables": tuple(tables)})


def test_prompt_shows_nothing_that_is_hidden(tmp_path: Path) -> None:
    access = _access(tmp_path, "sales", segment="x", catalog=_sampled())
    text = render_schema(access.catalog, "", 10_000)
    assert "order_items" not in text
    assert "customers name" not in text, "a sample of a masked column"
    assert "customers segment" not in text, "a sample that may come from a hidden row"
    assert "REFERENCES" not in text, "a key that leads to a denied column"
    assert "PRIMARY KEY" in text
    assert "'orders status'" in text
    assert "masked: the last four characters" in text
    assert access.catalog.tables[0].row_count is None


@pytest.mark.parametrize(
    ("term", "is_told"),
    [
        (Term(term="margin", meaning="what is left"), True),
        (Term(term="margin", meaning="what is left", tables=("order_items",)), False),
        (Term(term="margin", meaning="what is left", sql="SUM(order_items.line_total)"), False),
        (Term(term="margin", meaning="what is left", sql="SUM(Line_Total)"), False),
        (Term(term="margin", meaning="see order_items"), False),
        (Term(term="margin", meaning="what is left", sql="COUNT(customers.customer_id)"), False),
        (Term(term="margin", meaning="what is left", sql="COUNT(orders.customer_id)"), True),
    ],
)
def test_term_that_names_what_is_hidden_is_not_told(tmp_path: Path, term: Term, is_told: bool) -> None:
    access = _access(tmp_path, "sales", segment="x")
    found = LocalKnowledgeBase((term,)).retrieve("What was the margin?", 4, access.hidden)
    assert bool(found) is is_told


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT * FROM order_items", "UNKNOWN_TABLE"),
        ("SELECT * FROM main.order_items", "UNKNOWN_TABLE"),
        ("SELECT customer_id FROM customers", "UNKNOWN_COLUMN"),
        ("SELECT name FROM customers WHERE customer_id = 1", "UNKNOWN_COLUMN"),
        ("SELECT name FROM customers ORDER BY customers.customer_id", "UNKNOWN_COLUMN"),
        ("SELECT COUNT(*) FROM customers GROUP BY customer_id", "UNKNOWN_COLUMN"),
        ("SELECT 1 FROM customers AS c JOIN orders AS o ON o.customer_id = c.customer_id", "UNKNOWN_COLUMN"),
        ("SELECT 1 FROM customers JOIN orders USING (customer_id)", "UNKNOWN_COLUMN"),
        ("SELECT rowid FROM customers", "UNKNOWN_COLUMN"),
        ("SELECT 1 AS order_items FROM customers WHERE 1 IN order_items", "CONSTRUCT_NOT_ALLOWED"),
    ],
)
def test_denied_is_unknown_and_feedback_does_not_betray_it(tmp_path: Path, sql: str, reason: str) -> None:
    access = _access(tmp_path, "sales", segment="x")
    with pytest.raises(SqlRejected) as caught:
        validate_sql(SqlDraft(sql=sql), access, 10)
    assert caught.value.reason == reason
    words = set((caught.value.message + caught.value.feedback).replace(".", " ").replace(",", " ").split())
    assert not words & {"line_total", "item_id"}


# ── the rewriting ────────────────────────────────────────────────────────────────────────────────

_CUSTOMERS = (
    '( SELECT "customers"."segment" FROM "main"."customers" '
    """WHERE ( "customers".segment = 'x' ) LIMIT 9223372036854775807 )"""
)
_ORDERS = '( SELECT "orders"."status" FROM "main"."orders" )'


@pytest.mark.parametrize(
    ("sql", "emitted"),
    [
        ("SELECT segment FROM customers", f"SELECT segment FROM {_CUSTOMERS} AS customers"),
        ("SELECT c.segment FROM main.CUSTOMERS AS c", f"SELECT c.segment FROM {_CUSTOMERS} AS c"),
        ("SELECT status FROM orders AS o", f"SELECT status FROM {_ORDERS} AS o"),
        (
            "SELECT status FROM orders WHERE status IN (SELECT segment FROM customers)",
            (
                f"SELECT status FROM {_ORDERS} AS orders "
                f"WHERE status IN ( SELECT segment FROM {_CUSTOMERS} AS customers )"
            ),
        ),
        (
            "WITH customers AS (SELECT status FROM orders) SELECT customers.status FROM customers",
            (
                f"WITH with_customers AS ( SELECT status FROM {_ORDERS} AS orders ) "
                "SELECT customers.status FROM with_customers AS customers"
            ),
        ),
        (
            "SELECT (SELECT MAX(status) FROM orders) FROM orders AS o",
            (
                f"SELECT ( SELECT MAX(status) FROM {_ORDERS} AS orders ) AS "
                f'"(SELECT MAX(status) FROM orders)" FROM {_ORDERS} AS o'
            ),
        ),
    ],
)
def test_every_reference_becomes_a_derived_table(tmp_path: Path, sql: str, emitted: str) -> None:
    assert _emitted(sql, _access(tmp_path, "sales", segment="x")) == f"{emitted} LIMIT 11"


def test_star_stands_for_what_is_visible(tmp_path: Path) -> None:
    emitted = _emitted("SELECT * FROM customers", _access(tmp_path, "sales", segment="x"))
    assert "customer_id" not in emitted
    assert '>= 8 THEN \'****\' || SUBSTR(CAST("customers"."name" AS TEXT), -4)' in emitted


def test_prefix_of_common_expressions_is_that_of_no_table(tmp_path: Path) -> None:
    access = _access(tmp_path, "sales", segment="x").model_copy(update={"hidden": frozenset({"with_a"})})
    emitted = _emitted("WITH a AS (SELECT 1 AS x) SELECT x FROM a", access)
    assert emitted == "WITH with__a AS ( SELECT 1 AS x ) SELECT x FROM with__a AS a LIMIT 11"


def test_table_without_rules_under_a_policy_is_refused(tmp_path: Path) -> None:
    access = _access(tmp_path, "sales", segment="x")
    rules = {"orders": access.rules["orders"]}
    with pytest.raises(SqlRejected, match="no table customers"):
        _emitted("SELECT name FROM customers", access.model_copy(update={"rules": rules}))


@pytest.mark.parametrize(
    ("sql", "stored"),
    [
        ("SELECT status FROM orders WHERE order_date > '2025-01-01'", "WHERE orders.order_date_stored_0 >"),
        ("SELECT o.status FROM orders AS o JOIN orders AS p ON o.order_date = p.order_date",
         "ON o.order_date_stored_0 = p.order_date_stored_1"),
        ("SELECT COUNT(*) FROM orders GROUP BY order_date", "orders.order_date_stored_0, orders.order_date"),
        ("SELECT COUNT(*) FROM orders GROUP BY SUBSTR(order_date, 1, 4)", ""),
        ("SELECT COUNT(*) FROM orders GROUP BY status HAVING MAX(order_date) > 1", ""),
        ("SELECT status FROM orders ORDER BY order_date", ""),
        ("SELECT order_date FROM orders", ""),
        ("SELECT status FROM orders AS o WHERE EXISTS (SELECT 1 FROM orders WHERE o.order_date = 1)", ""),
        ("SELECT status FROM orders JOIN (SELECT 1 AS x) AS y USING (order_date)", None),
    ],
)  # fmt: skip
def test_stored_value_of_a_masked_column_serves_in_conditions_alone(
    tmp_path: Path, sql: str, stored: str | None
) -> None:
    access = _access(tmp_path, "reports", segment="x")
    if stored is None:
        with pytest.raises(SqlRejected):
            _emitted(sql, access)
        return
    emitted = _emitted(sql, access)
    assert stored in emitted
    assert ("_stored" in emitted) is bool(stored)


def test_stored_value_does_not_reach_a_join_but_by_its_condition(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    entry = "{mask: {name: full}, filter_by: [name]}"
    path.write_text(f"groups: {{all: {{tables: {{customers: {entry}}}}}}}", "utf-8")
    catalog = small_catalog("mysql")
    access = access_for(load_policy(path, catalog), Caller(groups=("all",)), catalog)
    table = "JSON_TABLE(JSON_ARRAY(c.name), '$[*]' COLUMNS (x VARCHAR(9) PATH '$')) AS j"
    emitted = _emitted(f"SELECT j.x FROM customers AS c JOIN {table} ON j.x = c.name", access)
    assert "JSON_ARRAY(c.name)" in emitted
    assert "ON j.x = c.name_stored_0" in emitted


def test_star_beside_a_condition_on_a_stored_value_is_refused(tmp_path: Path) -> None:
    access = _access(tmp_path, "reports", segment="x")
    with pytest.raises(SqlRejected) as caught:
        _emitted("SELECT * FROM orders WHERE order_date > '2025-01-01'", access)
    assert caught.value.feedback == "Name the columns in place of *."


def test_parts_of_a_table_are_refused_and_index_hints_dropped(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("groups: {all: {tables: {orders: {}}}}", "utf-8")
    catalog = small_catalog("mysql")
    access = access_for(load_policy(path, catalog), Caller(groups=("all",)), catalog)
    assert "INDEX" not in _emitted("SELECT status FROM orders USE INDEX (i)", access)
    with pytest.raises(SqlRejected, match="PARTITION"):
        _emitted("SELECT status FROM orders PARTITION (p0)", access)


def test_denied_name_with_a_space_is_unknown_whatever_the_whole_catalog_was_asked(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("groups: {all: {tables: {staff: {deny: [yearly pay], rows: city = 'Rome'}}}}", "utf-8")
    columns = (Column(name="city", type="TEXT"), Column(name="yearly pay", type="TEXT"))
    catalog = Catalog(
        name="x", dialect="sqlite", server="test", tables=(Table(name="staff", columns=columns),)
    )
    assert catalog.spaced_names == ("yearly pay",)
    access = access_for(load_policy(path, catalog), Caller(groups=("all",)), catalog)
    assert access.catalog.spaced_names == ()
    with pytest.raises(SqlRejected, match=r"no column yearly\."):
        _emitted("SELECT yearly pay FROM staff", access)


def test_changes_name_the_tables_that_are_limited(tmp_path: Path) -> None:
    access = _access(tmp_path, "sales", segment="x")
    valid = validate_sql(SqlDraft(sql="SELECT status FROM orders, customers LIMIT 5"), access, 10)
    assert valid.changes == ("customers is limited to what you may see.",)
    assert set(valid.tables) == {"orders", "customers"}


# ── stored values ────────────────────────────────────────────────────────────────────────────────


def _with_values(catalog: Catalog) -> Catalog:
    told = {"samples": ("a",), "distinct": 1, "lowest": "1", "highest": "9"}
    tables = [
        table.model_copy(update={"columns": tuple(c.model_copy(update=told) for c in table.columns)})
        for table in catalog.tables
    ]
    return catalog.model_copy(update={"tables": tuple(tables)})


def _telling(access: Access) -> dict[str, list[str]]:
    """Return the columns that tell anything of what is stored."""
    return {
        table.name: [
            column.name
            for column in table.columns
            if column.samples or column.distinct or column.lowest or column.highest
        ]
        for table in access.catalog.tables
    }


def test_masked_columns_and_filtered_tables_tell_nothing_of_what_is_stored(tmp_path: Path) -> None:
    catalog = _with_values(small_catalog())
    access = _access(tmp_path, "sales", catalog=catalog, segment="Corporate")
    everything = ["order_id", "customer_id", "order_date", "status"]
    assert _telling(access) == {"customers": [], "orders": everything}
    assert _telling(_access(tmp_path, "audit", catalog=catalog)) == {
        "customers": ["customer_id", "name", "segment"]
    }
    assert access.stored_columns() == {("orders", name) for name in everything}


def test_stored_values_are_shown_only_of_columns_without_a_mask() -> None:
    rules = {"customers": TableRules(masks={"name": "hash"}, raw_filters=frozenset({"name"}))}
    access = Access(catalog=small_catalog(), rules=rules)
    assert access.stored_columns() == {("customers", "customer_id"), ("customers", "segment")}


def test_without_a_policy_every_column_shows_what_is_stored() -> None:
    access = Access(catalog=small_catalog())
    assert len(access.stored_columns()) == sum(len(table.columns) for table in access.catalog.tables)
