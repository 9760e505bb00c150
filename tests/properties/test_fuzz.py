"""No text makes the validator crash, hang, or raise anything but its refusal."""

import time
from collections import Counter

import pytest
from holding import hold, within
from hostile_sql import statements
from hypothesis import strategies as st

from small_shop import small_catalog
from text2sql.datasource.policy.access import Access
from text2sql.errors import SqlRejected
from text2sql.messages import Dialect, SqlDraft
from text2sql.validation.step import validate_sql

SECONDS = 4.0
"""Of processor time, for any text whatever: below one on an idle machine, and a shared one may count
three times as much. What grows with each level anew would take minutes."""
LEVELS = 100_000
MEGABYTES = 10_000_000
LONGEST = 19_000
"""Bytes that pass the first look at a statement's length."""

_ACCESS = {dialect: Access(catalog=small_catalog(dialect)) for dialect in ("sqlite", "mysql", "mariadb")}
_DIALECTS: tuple[Dialect, ...] = ("sqlite", "mariadb")

# What is written before, at each level, in the middle, and at each level again on the way out.
_NESTED = {
    "parentheses": ("SELECT ", "(", "1", ")"),
    "open parentheses": ("SELECT ", "(", "", ""),
    "closing parentheses": ("SELECT 1", ")", "", ""),
    "brackets": ("SELECT ", "[", "1", "]"),
    "braces": ("SELECT ", "{", "1", "}"),
    "subqueries": ("SELECT ", "(SELECT ", "1", ")"),
    "derived tables": ("SELECT * FROM ", "(SELECT * FROM ", "orders", ") AS t"),
    "CASE": ("SELECT ", "CASE WHEN 1 THEN ", "1", " END"),
    "CASE without END": ("SELECT ", "CASE WHEN ", "1", ""),
    "NOT": ("SELECT ", "NOT ", "1", ""),
    "minus": ("SELECT ", "- ", "1", ""),
    "tilde": ("SELECT ", "~", "1", ""),
    "BINARY": ("SELECT ", "BINARY ", "'a'", ""),
    "functions": ("SELECT ", "ABS(", "1", ")"),
    "CAST": ("SELECT ", "CAST(", "1", " AS CHAR)"),
    "EXISTS": ("SELECT ", "EXISTS (SELECT ", "1", ")"),
    "IN": ("SELECT 1 ", "IN (SELECT 1 WHERE 1 ", "", ")"),
    "joins": ("SELECT * FROM orders ", "JOIN orders ", "", ""),
    "nested joins": ("SELECT * FROM ", "(orders JOIN ", "orders", ")"),
    "AND": ("SELECT 1 ", "AND 1 ", "", ""),
    "OR": ("SELECT 1 ", "OR 1 ", "", ""),
    "plus": ("SELECT 1", "+1", "", ""),
    "comparisons": ("SELECT 1", "=1", "", ""),
    "IS NULL": ("SELECT 1", " IS NULL", "", ""),
    "BETWEEN": ("SELECT 1 ", "BETWEEN 1 AND 1 ", "", ""),
    "COLLATE": ("SELECT 'a' ", "COLLATE binary ", "", ""),
    "IN list": ("SELECT 1 IN (1", ",1", ")", ""),
    "select items": ("SELECT 1", ",1", "", ""),
    "UNION": ("SELECT 1 ", "UNION SELECT 1 ", "", ""),
    "common table expressions": ("WITH a AS (SELECT 1)", ", a AS (SELECT 1)", " SELECT 1", ""),
    "nested WITH": ("", "WITH a AS (", "SELECT 1", ") SELECT 1"),
    "statements": ("SELECT 1", ";SELECT 1", "", ""),
    "texts": ("SELECT ", "'a' ", "", ""),
    "quotes": ("SELECT ", "'", "", ""),
    "backticks": ("SELECT ", "`", "", ""),
    "dots": ("SELECT a", ".a", "", ""),
    "comments": ("SELECT 1 ", "/* ", "", "*/"),
    "line comments": ("SELECT 1 ", "-- x\n", "", ""),
    "white space": ("SELECT ", " ", "1", ""),
    "INTERVAL": ("SELECT 1 ", "+ INTERVAL ", "1", " DAY"),
    "JSON arrows": ("SELECT status", "->'$.a'", " FROM orders", ""),
    "windows": ("SELECT ", "SUM(", "1", ") OVER ()"),
}


_ASKS_FOR_ALL = (
    "Which different ones have both a and b, never c, and at least 7, the average and the total, sorted by d?"
)
"""Has every cue that a statement is held to."""

_WORDS = (
    "SELECT FROM WHERE ( ) [ { CASE WHEN THEN END NOT - ~ , . ; ' \" ` /* */ -- : := @ = < > + * | "
    "|| && IN EXISTS ANY ALL IS NULL AS a 1 'x' 0x BETWEEN AND OR LIKE ESCAPE UNION WITH RECURSIVE "
    "JOIN LEFT ON USING LATERAL VALUES INTERVAL DAY CAST( IF( ABS( OVER ( PARTITION BY ORDER GROUP "
    "HAVING LIMIT DISTINCT _utf8 COLLATE BINARY DATE ROW( -> ->> :: ? \\ # ^ % ! VALUES( FOR INTO "
    "PIVOT( UNPIVOT( MATCH( AGAINST( JSON_TABLE( TRIM( EXTRACT( POSITION( SUBSTRING( CONVERT( "
    "GROUP_CONCAT( => ** // << >> <=> IGNORE WINDOW"
).split()


@pytest.fixture(params=_DIALECTS)
def dialect(request: pytest.FixtureRequest) -> Dialect:
    chosen: Dialect = request.param
    return chosen


def _validate(sql: str, dialect: Dialect) -> str:
    """Return the outcome; anything but a refusal goes on."""
    try:
        with within(SECONDS):
            validate_sql(SqlDraft(sql=sql), _ACCESS[dialect], 1000, _ASKS_FOR_ALL)
    except SqlRejected as rejected:
        return rejected.reason
    return "accepted"


def _nested(shape: str, levels: int) -> str:
    before, at_each_level, middle, on_the_way_out = _NESTED[shape]
    return before + at_each_level * levels + middle + on_the_way_out * levels


@pytest.mark.parametrize("shape", _NESTED)
def test_a_hundred_thousand_levels_are_refused_in_milliseconds(shape: str, dialect: Dialect) -> None:
    sql = _nested(shape, LEVELS)
    started = time.process_time()
    assert _validate(sql, dialect) != "accepted"
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize("text", ["SELECT '{}'", "SELECT {}", "{}", "SELECT 1 -- {}", "SELECT /* {} */ 1"])
@pytest.mark.parametrize("filling", ["x", "(", "'", "é", "🙂", "\0", "1,", "\ud800"])
def test_ten_megabytes_are_refused_in_milliseconds(text: str, filling: str, dialect: Dialect) -> None:
    sql = text.format(filling * (MEGABYTES // len(filling)))
    started = time.process_time()
    assert _validate(sql, dialect) != "accepted"
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize("shape", _NESTED)
def test_nesting_of_the_longest_statement_takes_no_more_than_seconds(shape: str, dialect: Dialect) -> None:
    level = len(_nested(shape, 1)) - len(_nested(shape, 0))
    for levels in (29, 60, 500, LONGEST // level):
        _validate(_nested(shape, levels), dialect)


@st.composite
def _repeated(draw: st.DrawFn) -> str:
    """Draw the longest text of a few words that repeat: what makes a parser try again and again."""
    words = st.sampled_from(_WORDS)
    before = " ".join(draw(st.lists(words, max_size=4)))
    unit = draw(st.sampled_from(("", " "))).join(draw(st.lists(words, min_size=1, max_size=3))) + " "
    after = " ".join(draw(st.lists(words, max_size=2)))
    times = draw(st.sampled_from((20, 28, 200, LONGEST)))
    return f"SELECT {before} {unit * min(times, LONGEST // len(unit.encode()))}{after}"


def test_repeated_words_take_no_more_than_seconds(dialect: Dialect, tally: Counter[str]) -> None:
    def check(sql: str) -> None:
        _validate(sql, dialect)
        tally["validated"] += 1

    hold(check, _repeated(), examples=150)


def test_any_text_is_refused_or_accepted(dialect: Dialect, tally: Counter[str]) -> None:
    def check(sql: str) -> None:
        _validate(sql, dialect)
        tally["validated"] += 1

    hold(check, st.one_of(st.text(max_size=200), statements(dialect)), examples=700)
