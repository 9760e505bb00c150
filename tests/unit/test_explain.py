"""Plans as servers answer them, shortened to what is read; the integration tests ask real servers."""

import json
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from text2sql.errors import QueryTooExpensive
from text2sql.execution.explain import Estimate, refuse_expensive
from text2sql.execution.explain_json import estimate_json
from text2sql.execution.explain_sqlite import estimate_plan, row_counts
from text2sql.execution.port import QueryLimits


def mysql(
    name: str, rows: int, access: str = "ALL", filtered: str = "100.00", **more: object
) -> dict[str, Any]:
    counted = {"rows_examined_per_scan": rows, "rows_produced_per_join": rows, "filtered": filtered}
    cost = {"read_cost": "1.88", "eval_cost": "35.00", "prefix_cost": "36.88"}
    return {"table": {"table_name": name, "access_type": access, **counted, "cost_info": cost, **more}}


def mariadb(name: str, rows: int, access: str = "ALL", **more: object) -> dict[str, Any]:
    return {"table": {"table_name": name, "access_type": access, "rows": rows, "filtered": 100, **more}}


def block(**parts: object) -> dict[str, Any]:
    return {"query_block": {"select_id": 1, "cost_info": {"query_cost": "36.87"}, **parts}}


def read(plan: dict[str, Any]) -> tuple[int, int]:
    estimate = estimate_json(json.dumps(plan))
    assert estimate
    return estimate.scan_rows, estimate.join_rows


HASHED = {
    "using_join_buffer": "hash join",
    "attached_condition": "(`shop`.`b`.`ref` = `shop`.`a`.`ref`)",
    "filtered": "10.00",
}


@pytest.mark.parametrize(
    ("plan", "scanned", "joined"),
    [
        pytest.param(block(message="No tables used"), 0, 0, id="no table"),
        pytest.param(block(message="no matching row in const table"), 0, 0, id="no matching row"),
        pytest.param(block(message="Select tables optimized away"), 0, 0, id="optimized away"),
        pytest.param(block(**mysql("a", 1, "const")), 1, 0, id="const table"),
        pytest.param(block(**mysql("a", 900, filtered="10.00")), 900, 900, id="one scan"),
        pytest.param(block(**mysql("a", 30, "range")), 30, 0, id="range"),
        pytest.param(
            block(
                nested_loop=[mysql("a", 500, filtered="10.00"), mysql("b", 3, "ref"), mysql("c", 1, "eq_ref")]
            ),
            500 + 50 * 3 + 150,
            500,
            id="lookups, filtered",
        ),
        pytest.param(
            block(nested_loop=[mysql("a", 500), mysql("b", 400, using_join_buffer="Block Nested Loop")]),
            900,
            500 + 500 * 400,
            id="8.0.17: nested loop",
        ),
        pytest.param(
            block(nested_loop=[mysql("a", 500), mysql("b", 400, using_join_buffer="hash join")]),
            900,
            500 + 500 * 400,
            id="8.0.20: cross join, called a hash join",
        ),
        pytest.param(
            block(
                nested_loop=[
                    mysql("a", 500),
                    mysql(
                        "b",
                        400,
                        using_join_buffer="hash join",
                        attached_condition="(`shop`.`b`.`x` = `shop`.`b`.`y`)",
                    ),
                ]
            ),
            900,
            500 + 500 * 400,
            id="a condition on one table alone joins nothing",
        ),
        pytest.param(
            block(nested_loop=[mysql("a", 500), mysql("b", 400, **HASHED), mysql("c", 2, "ref")]),  # type: ignore[arg-type]
            500 + 400 + 500 * 2,
            500,
            id="hashed by equal columns",
        ),
        pytest.param(
            block(
                ordering_operation={
                    "using_filesort": True,
                    "grouping_operation": {
                        "using_temporary_table": True,
                        "duplicates_removal": mysql("a", 500),
                    },
                }
            ),
            500,
            500,
            id="ordered, grouped, distinct",
        ),
        pytest.param(
            block(
                windowing={
                    "windows": [{"name": "<unnamed window>", "functions": ["rank"]}],
                    **mysql("a", 500),
                }
            ),
            500,
            500,
            id="window",
        ),
        pytest.param(
            block(
                union_result={
                    "table_name": "<union1,2>",
                    "access_type": "ALL",
                    "query_specifications": [
                        {"dependent": False, **block(**mysql("a", 500))},
                        {"dependent": False, **block(**mysql("b", 40))},
                    ],
                }
            ),
            540,
            540,
            id="union",
        ),
        pytest.param(
            block(
                nested_loop=[
                    mysql("x", 90_000, materialized_from_subquery=block(**mysql("a", 90_000))),
                    mysql(
                        "y",
                        90_000,
                        materialized_from_subquery={"sharing_temporary_table_with": {"select_id": 2}},
                    ),
                ]
            ),
            90_000 + 1_000 + 1_000,
            90_000 + 1_000 + 1_000 * 1_000,
            id="derived table, twice",
        ),
        pytest.param(
            block(**mysql("a", 500), select_list_subqueries=[{"dependent": True, **block(**mysql("b", 40))}]),
            540,
            500 + 500 * 40,
            id="dependent subquery",
        ),
        pytest.param(
            block(**mysql("a", 500), having_subqueries=[{"dependent": False, **block(**mysql("b", 40))}]),
            540,
            540,
            id="subquery",
        ),
        pytest.param(
            block(
                **mysql("a", 500, attached_subqueries=[{"dependent": True, **block(**mysql("b", 40))}]),
                optimized_away_subqueries=[{"dependent": False, **block(**mysql("c", 7))}],
            ),
            547,
            500 + 500 * 40 + 7,
            id="subquery of a condition",
        ),
    ],
)
def test_plan_of_mysql_8_is_read(plan: dict[str, Any], scanned: int, joined: int) -> None:
    assert read(plan) == (scanned, joined)


@pytest.mark.parametrize(
    ("plan", "scanned", "joined"),
    [
        pytest.param(block(table={"message": "Impossible WHERE"}), 0, 0, id="message"),
        pytest.param(
            block(
                nested_loop=[
                    mariadb("a", 500),
                    {"block-nl-join": {**mariadb("b", 400), "buffer_type": "flat", "join_type": "BNL"}},
                ]
            ),
            900,
            500 + 500 * 400,
            id="joined block by block",
        ),
        pytest.param(
            block(
                nested_loop=[
                    mariadb("a", 500),
                    {"block-nl-join": {**mariadb("b", 400), "buffer_type": "flat", "join_type": "BNLH"}},
                ]
            ),
            900,
            500,
            id="joined by a hash",
        ),
        pytest.param(
            block(
                filesort={"temporary_table": {"nested_loop": [mariadb("a", 500)]}},
                subqueries=[
                    {"expression_cache": {"state": "uninitialized", **block(nested_loop=[mariadb("b", 9)])}}
                ],
            ),
            509,
            500 + 500 * 9,
            id="dependent subquery",
        ),
        pytest.param(
            block(
                nested_loop=[
                    mariadb("<derived2>", 90_000, materialized=block(nested_loop=[mariadb("a", 90_000)])),
                    {
                        "block-nl-join": {
                            **mariadb("<derived3>", 90_000),
                            "join_type": "BNL",
                            "materialized": block(nested_loop=[mariadb("a", 90_000)]),
                        }
                    },
                ]
            ),
            182_000,
            90_000 * 2 + 1_000 + 1_000_000,
            id="derived tables",
        ),
        pytest.param(
            block(nested_loop=[{"read_sorted_file": {"filesort": {"sort_key": "a.x", **mariadb("a", 500)}}}]),
            500,
            500,
            id="sorted first",
        ),
    ],
)
def test_plan_of_mariadb_is_read(plan: dict[str, Any], scanned: int, joined: int) -> None:
    assert read(plan) == (scanned, joined)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-> Table scan on a  (cost=0.35 rows=1)",
        "[]",
        '"x"',
        '{"query_block": {"table": []}}',
        '{"query_block": {"table": {"access_type": "ALL", "rows": "many"}}}',
        '{"query_block": {"nested_loop": 3}}',
        '{"a":' * 5_000 + "1" + "}" * 5_000,
    ],
)
def test_plan_that_cannot_be_read_is_none(text: str) -> None:
    assert estimate_json(text) is None


COUNTS = {"orders": 1_000, "o": 1_000, "items": 5_000, "i": 5_000}


@pytest.mark.parametrize(
    ("details", "scanned", "joined"),
    [
        (["SCAN o", "SCAN i"], 6_000, 1_000 + 5_000_000),
        (["SCAN TABLE orders AS o", "SCAN TABLE items AS i USING COVERING INDEX x"], 6_000, 5_001_000),
        (["SCAN i", "SEARCH o USING INTEGER PRIMARY KEY (rowid=?)"], 10_000, 5_000),
        (["SCAN o", "SEARCH i USING AUTOMATIC COVERING INDEX (order_id=?) LEFT-JOIN"], 6_000, 1_000),
        (["SEARCH o USING INDEX by_day (day>? AND day<?)", "SEARCH i USING INDEX x (order_id=?)"], 600, 0),
        (["SCAN main.orders", "SCAN main.items"], 6_000, 5_001_000),
        (["SEARCH orders"], 1, 0),
        (["SCAN CONSTANT ROW"], 0, 0),
        (
            ["SCAN (subquery-2)", "SCAN 3 CONSTANT ROWS", "SCAN docs VIRTUAL TABLE INDEX 0:"],
            3_000,
            1_001_001_000,
        ),
        (
            ["SCAN o", "USE TEMP B-TREE FOR ORDER BY", "BLOOM FILTER ON i (order_id=?)", "what is new"],
            1_000,
            1_000,
        ),
    ],
)
def test_loops_of_sqlite_are_read(details: list[str], scanned: int, joined: int) -> None:
    rows = [(number, 0, 0, detail) for number, detail in enumerate(details, 2)]
    estimate = estimate_plan(rows, COUNTS)
    assert (estimate.scan_rows, estimate.join_rows) == (scanned, joined)


@pytest.mark.parametrize(
    ("around", "times"),
    [
        ("CORRELATED SCALAR SUBQUERY 1", 1_000),
        ("LIST SUBQUERY 1", 1),
        ("MATERIALIZE x", 1),
        ("CO-ROUTINE x", 1),
    ],
)
def test_subquery_of_sqlite_runs_once_or_for_each_row(around: str, times: int) -> None:
    rows = [(2, 0, 0, "SCAN o"), (5, 0, 0, around), (7, 5, 0, "SCAN items")]
    assert estimate_plan(rows, COUNTS) == Estimate(scan_rows=6_000, join_rows=1_000 + times * 5_000, tables=2)


def test_union_of_sqlite_is_added_up() -> None:
    rows = [
        (1, 0, 0, "COMPOUND QUERY"),
        (2, 1, 0, "LEFT-MOST SUBQUERY"),
        (5, 2, 0, "SCAN orders"),
        (11, 1, 0, "UNION USING TEMP B-TREE"),
        (13, 11, 0, "SCAN items"),
    ]
    assert estimate_plan(rows, COUNTS) == Estimate(scan_rows=6_000, join_rows=6_000, tables=2)


def test_either_or_of_sqlite_reads_each_index() -> None:
    rows = [
        (4, 0, 0, "MULTI-INDEX OR"),
        (5, 4, 0, "INDEX 1"),
        (11, 5, 0, "SEARCH o USING INDEX by_day (day=?)"),
        (16, 4, 0, "INDEX 2"),
        (19, 16, 0, "SEARCH o USING INTEGER PRIMARY KEY (rowid=?)"),
        (20, 0, 0, "SCAN items"),
    ]
    assert estimate_plan(rows, COUNTS) == Estimate(scan_rows=5_101, join_rows=100 * 5_000, tables=3)


def counts(sql: str, *statements: str) -> dict[str, int]:
    with closing(sqlite3.connect(":memory:")) as connection:
        for statement in statements:
            connection.execute(statement)
        return dict(row_counts(connection, sql))


MANY = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)"
ORDERS = ("CREATE TABLE Orders (id INTEGER PRIMARY KEY, a)", f"INSERT INTO Orders {MANY} SELECT i, i FROM n")


def test_table_counts_by_its_name_and_its_aliases() -> None:
    found = counts('SELECT x.id FROM orders AS x, "ORDERS" `y` JOIN orders', *ORDERS)
    assert (found["orders"], found["x"], found["y"]) == (300, 300, 300)


def test_table_that_the_statement_does_not_name_is_not_counted() -> None:
    assert counts("SELECT 1 FROM orders o", *ORDERS, "CREATE TABLE other (a)").keys() == {"orders", "o"}


def test_alias_of_two_tables_counts_as_the_larger() -> None:
    sql = "SELECT 1 FROM other x UNION SELECT 2 FROM orders x UNION SELECT 3 FROM other x"
    assert counts(sql, *ORDERS, "CREATE TABLE other (a)")["x"] == 300


def test_views_lead_to_their_tables() -> None:
    inner, outer = "CREATE VIEW v AS SELECT id FROM orders AS deep", "CREATE VIEW w AS SELECT id FROM v"
    assert counts("SELECT id FROM w", *ORDERS, inner, outer)["deep"] == 300


def test_last_analyze_wins_over_the_row_numbers() -> None:
    index = "CREATE INDEX by_a ON Orders (a)"
    later = "INSERT INTO Orders VALUES (9000, 1)"
    assert counts("SELECT 1 FROM orders", *ORDERS, index, "ANALYZE", later)["orders"] == 300


def test_row_numbers_that_the_file_has_no_room_for_are_not_believed() -> None:
    assert (
        counts("SELECT 1 FROM orders", *ORDERS, f"INSERT INTO Orders VALUES ({2**62}, 1)")["orders"] < 10_000
    )


def test_table_without_row_numbers_is_taken_for_a_small_one() -> None:
    assert counts("SELECT 1 FROM t", "CREATE TABLE t (k TEXT PRIMARY KEY) WITHOUT ROWID") == {"t": 1_000}


LIMITS = QueryLimits(scan_rows=1_000, join_rows=5_000)


@pytest.mark.parametrize(("scanned", "joined"), [(1_000, 5_000), (0, 0)])
def test_plan_within_the_limits_is_let_through(scanned: int, joined: int) -> None:
    refuse_expensive(Estimate(scan_rows=scanned, join_rows=joined, tables=2), "SELECT 1", "mysql", LIMITS)


@pytest.mark.parametrize(
    ("scanned", "joined", "numbers"), [(1_001, 0, "1,001 rows; 1,000 are"), (0, 5_001, "5,001 combinations")]
)
def test_refusal_names_the_numbers(scanned: int, joined: int, numbers: str) -> None:
    with pytest.raises(QueryTooExpensive, match=numbers):
        refuse_expensive(Estimate(scan_rows=scanned, join_rows=joined, tables=2), "SELECT 1", "mysql", LIMITS)
