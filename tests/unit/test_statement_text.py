import time

import pytest

from text2sql.errors import QueryFailed
from text2sql.execution.statement import (
    identifiers,
    names_within,
    refuse_side_effects,
    refuse_unreadable_text,
    stops_at_its_limit,
)


def test_identifiers_are_words_and_quoted_names_only() -> None:
    sql = "SELECT o.`order total`, 'Secret word' AS x -- hidden\nFROM Orders o /* gone */ WHERE y = \"text\""
    assert identifiers(sql, "mysql") == {*"select o as x from orders where y".split(), "order total"}


def test_sqlite_has_its_own_quotes() -> None:
    sql = 'SELECT "a ""b""", [c d], `e`, \'f\'\'g\''
    assert identifiers(sql, "sqlite") == {"select", 'a "b"', "c d", "e"}


def test_backslash_escapes_in_mysql_only() -> None:
    assert "b" not in identifiers(r"SELECT 'a\' b'", "mysql")
    assert "b" in identifiers(r"SELECT 'a\' b", "sqlite")


@pytest.mark.parametrize(
    ("candidates", "kept"),
    [
        (["o.total"], ("o.total",)),
        (["shop.orders.total"], ("orders.total",)),
        (["shop.items.TOTAL"], ("TOTAL",)),
        (["secret"], ()),
        (["total.secret"], ()),
        (["total", "total"], ("total",)),
        ([""], ()),
    ],
)
def test_only_the_statements_own_names_are_kept(candidates: list[str], kept: tuple[str, ...]) -> None:
    assert names_within(candidates, "SELECT o.total FROM orders o WHERE x = 'secret'", "mysql") == kept


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        " ( SELECT 1 ) ",
        "select 1;",
        "WITH x AS (SELECT 1) SELECT * FROM x",
        "VALUES ROW(1)",
        "TABLE orders",
        "SELECT 'INTO' AS `INTO`, \"FOR UPDATE\"",
        "SELECT a /* INTO */ FROM t -- FOR UPDATE",
        "SELECT ';' AS x",
        "SELECT updated, share, into_date FROM t WHERE for_update = 1",
        "SELECT 5--3",
        r"SELECT '\' INTO OUTFILE ' -- '; DROP TABLE t",
    ],
)
def test_reading_statement_passes(sql: str) -> None:
    refuse_side_effects(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "   ",
        "-- SELECT 1",
        "DELETE FROM t",
        "(DELETE FROM t)",
        "SELECT 1; SELECT 2",
        "SELECT 1;;SELECT 2",
        "SELECT a iNtO OUTFILE 'x' FROM t",
        "SELECT a INTO/**/@x FROM t",
        "SELECT a FROM t FOR/**/UPDATE",
        "SELECT a FROM t LOCK IN SHARE MODE",
        "SELECT a FROM t FOR SHARE",
        "SELECT /*!50000 1 */",
        "SELECT /*M! 1 */",
        "/*! DELETE FROM t */",
        "SELECT @x := 1",
        "SET @x = 1",
        "SELECT 'a' INTO OUTFILE 'x' -- '",
    ],
)
def test_statement_that_may_do_more_is_refused(sql: str) -> None:
    with pytest.raises(QueryFailed):
        refuse_side_effects(sql)


@pytest.mark.parametrize("text", ["a\0", "\ud83d"])
def test_what_is_no_text_is_refused(text: str) -> None:
    with pytest.raises(QueryFailed):
        refuse_unreadable_text(f"SELECT '{text}'")


@pytest.mark.parametrize("piece", ["'", '"', "`", "/*", "[", "\\'", "''", "-- \n", "a.", "("])
def test_hostile_text_takes_no_time(piece: str) -> None:
    started = time.monotonic()
    for dialect in ("mysql", "sqlite"):
        identifiers("SELECT " + piece * 10_000, dialect)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "sql",
    ["SELECT a, b FROM t LIMIT 5", "SELECT `where` FROM t -- (\nLIMIT 5", "SELECT 'order (' FROM t LIMIT 5"],
)
def test_plain_select_stops_at_its_limit(sql: str) -> None:
    assert stops_at_its_limit(sql, "mariadb")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a FROM t",
        "SELECT a AS `limit` FROM t",
        "SELECT a FROM t WHERE a = 1 LIMIT 5",
        "SELECT a FROM t GROUP BY a LIMIT 5",
        "SELECT a FROM t ORDER BY a LIMIT 5",
        "SELECT DISTINCT a FROM t LIMIT 5",
        "SELECT COUNT(*) FROM t LIMIT 5",
        "SELECT a FROM t LIMIT 5 OFFSET 90000000",
        "SELECT a FROM t UNION SELECT b FROM u LIMIT 5",
        "WITH x AS (SELECT a FROM t) SELECT a FROM x LIMIT 5",
    ],
)
def test_other_statements_may_read_on(sql: str) -> None:
    assert not stops_at_its_limit(sql, "mysql")
