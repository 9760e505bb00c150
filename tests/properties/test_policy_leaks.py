"""No row or column outside the policy ever comes back, whatever the statement."""

import random
import re
from collections import Counter
from contextlib import closing

import pymysql
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy_leaks import (
    CALLERS,
    ROW_LIMIT,
    Judge,
    Rows,
    SqliteTwin,
    accesses,
    catalog,
    rows_for,
    sqlite_judges,
    statements_that_build,
    told,
)
from policy_statements import random_statement
from servers import Server
from text2sql.datasource.policy.access import Access
from text2sql.errors import SqlRejected
from text2sql.execution.mysql_errors import translation
from text2sql.execution.url import MysqlUrl
from text2sql.messages import Dialect, SqlDraft
from text2sql.validation.step import validate_sql

JUDGES = sqlite_judges()
_URL = MysqlUrl(host="localhost", port=3306, user="reader", database="policy_1")
SERVER_STATEMENTS = 250
"""For each caller, on each real server."""


@pytest.mark.parametrize("caller", CALLERS)
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(chance=st.randoms(use_true_random=False))
def test_statement_cannot_tell_apart_what_its_caller_may_not_see(
    caller: str, chance: random.Random, tally: Counter[str]
) -> None:
    verdict = JUDGES[caller].judge(random_statement(chance))
    tally["ran under a policy" if verdict.ran else "refused under a policy"] += 1
    assert not verdict.leak, verdict.sql


_PHONE = "CASE WHEN LENGTH(phone) >= 8 THEN '****' || SUBSTR(phone, -4) ELSE '****' END"
_NORTH = "SELECT customer_id FROM customers WHERE region = 'north'"
VISIBLE = {
    "customers": f"SELECT customer_id, name, region, {_PHONE} AS phone, "
    "CAST(STRFTIME('%Y', birth_date) AS INTEGER) AS birth_date, '***' AS tax_id, "
    "SHA2(CAST(code AS BLOB), 256) AS code FROM customers WHERE region = 'north'",
    "orders": f"SELECT order_id, customer_id, day, amount FROM orders WHERE customer_id IN ({_NORTH})",
    "products": "SELECT product_id, name, price FROM products",
}
"""What a caller of the region north sees, written by hand."""
_IN_ANY_ORDER = re.compile(r"GROUP_CONCAT|JSON_GROUP|OVER \(|LIMIT|WITH", re.IGNORECASE)
"""What answers by the order in which rows are found; and names that the database reads in its own way."""


def test_answer_is_that_of_a_database_that_holds_nothing_else(tally: Counter[str]) -> None:
    whole, bare = (SqliteTwin(rows_for("of a region", second=False)) for _ in range(2))
    bare.reduce(VISIBLE)
    access = accesses(catalog())["of a region"]
    chance = random.Random(5)
    for _ in range(3_000):
        sql = random_statement(chance)
        if _IN_ANY_ORDER.search(sql):
            continue
        narrowed, plain = _emitted(sql, access), _emitted(sql, Access(catalog=access.catalog))
        assert bool(narrowed) == bool(plain)
        if not plain:
            continue
        found, expected = whole.run(narrowed), bare.run(plain)
        if isinstance(found[0], list) and isinstance(expected[0], list):
            tally["answered as without the hidden rows"] += 1
            assert sorted(map(repr, found[1])) == sorted(map(repr, expected[1])), sql


def _emitted(sql: str, access: Access) -> str:
    try:
        return validate_sql(SqlDraft(sql=sql), access, ROW_LIMIT).sql
    except SqlRejected:
        return ""


class ServerTwin:
    """One of the two databases, on a server; statements are written for the first of them."""

    def __init__(self, server: Server, number: int, rows: Rows) -> None:
        self._name = f"policy_{number}"
        server.execute(
            f"DROP DATABASE IF EXISTS {self._name}", f"CREATE DATABASE {self._name} CHARACTER SET utf8mb4"
        )
        self._connection = server.connect(self._name)
        with self._connection.cursor() as cursor:
            for sql, each in statements_that_build(rows):
                if each:
                    cursor.executemany(sql.replace("?", "%s"), each)

    def run(self, sql: str) -> object:
        """Return the columns and the rows, which a server orders as it likes, or the error as it is told."""
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(sql.replace("`policy_1`", f"`{self._name}`"))
                return [column[0] for column in cursor.description], sorted(map(repr, cursor.fetchall()))
        except pymysql.MySQLError as error:
            return told(translation(error, _URL, sql))

    def close(self) -> None:
        self._connection.close()


@pytest.fixture(params=["mariadb", "mysql"])
def server(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue(f"{request.param}_server")
    return found


@pytest.mark.parametrize("caller", CALLERS)
def test_statement_on_a_server_cannot_tell_it_apart_either(
    caller: str, server: Server, tally: Counter[str]
) -> None:
    dialect: Dialect = "mariadb" if server.product == "MariaDB" else "mysql"
    chance = random.Random(f"{caller} {dialect}")
    first, second = (ServerTwin(server, number, rows_for(caller, second=number == 2)) for number in (1, 2))
    with closing(first), closing(second):
        judge = Judge(accesses(catalog(dialect, "policy_1"))[caller], first, second)
        for _ in range(SERVER_STATEMENTS):
            sql = random_statement(chance)
            if "OVER (" in sql or "GROUP_CONCAT" in sql:
                continue  # a server answers these, where rows are alike, now in one order, now in another
            verdict = judge.judge(sql)
            tally["ran under a policy" if verdict.ran else "refused under a policy"] += 1
            assert not verdict.leak, verdict.sql
