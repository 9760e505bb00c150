"""Masks, attributes and filters as each real database understands them."""

from datetime import date
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest

from database_fixtures import LentDatabase
from text2sql.datasource.policy.access import Access, AttributeValue, Caller
from text2sql.datasource.policy.decide import access_for
from text2sql.errors import QueryFailed
from text2sql.execution.port import QueryLimits
from text2sql.messages import Cell, SqlDraft
from text2sql.validation.policy.load import load_policy
from text2sql.validation.step import validate_sql

ODD_TEXTS = (
    *("plain", "it's", 'say "x"', "back\\slash", "\\' OR 1=1 -- ", "' OR 'a'='a", "`tick`", "100%_"),
    *("Ünïcode \U0001f511", "new\nline", "/* comment */", "{caller.value}", "", "nul\x00nul"),
)
FITTING = "ABS(-9223372036854775807 - (name LIKE 'z%')) > 0"
"""An error for a name that begins with z."""


def _access(lent: LentDatabase, tmp_path: Path, policy: str, **given: AttributeValue) -> Access:
    path = tmp_path / "policy.yaml"
    path.write_text(policy, "utf-8")
    catalog = lent.database.read_catalog()
    return access_for(load_policy(path, catalog), Caller(groups=("all",), attributes=given), catalog)


def _rows(lent: LentDatabase, access: Access, sql: str) -> list[tuple[Cell, ...]]:
    valid = validate_sql(SqlDraft(sql=sql), access, 100)
    return list(lent.database.query(valid.sql, QueryLimits()).rows)


def _table(policy: str, attribute: str = "text") -> str:
    return (
        f"attributes: {{value: {attribute}}}\ngroups:\n  all:\n    tables:\n      things:\n        {policy}\n"
    )


@pytest.mark.parametrize(
    ("column", "value", "shown"),
    [
        ("VARCHAR(40)", "'1234567'", "****"),
        ("VARCHAR(40)", "'12345678'", "****5678"),
        ("VARCHAR(40)", "'ÄÖÜäöüßé'", "****öüßé"),
        ("VARCHAR(40)", "NULL", None),
        ("BIGINT", "123456789012", "****9012"),
        ("DECIMAL(12, 2)", "1234567.5", {"sqlite": "****67.5", "mariadb": "****7.50", "mysql": "****7.50"}),
        ("DATE", "'2026-01-31'", "****1-31"),
        ("BLOB", "x'0011FF2233'", "****2233"),
    ],
)
def test_last_four_shows_the_end_of_long_values(
    any_database: LentDatabase, tmp_path: Path, column: str, value: str, shown: object
) -> None:
    any_database.load(f"CREATE TABLE things (a {column})", f"INSERT INTO things VALUES ({value})")
    access = _access(any_database, tmp_path, _table("mask: {a: last_four}"))
    expected = shown[any_database.product] if isinstance(shown, dict) else shown
    assert _rows(any_database, access, "SELECT a FROM things") == [(expected,)]


def test_hash_full_and_year_hide_what_they_should(any_database: LentDatabase, tmp_path: Path) -> None:
    any_database.load(
        "CREATE TABLE things (a VARCHAR(40), b INT, c DATE, d BLOB, n INT)",
        "INSERT INTO things VALUES ('secret', 5, '2026-01-31', x'00FF', 1), (NULL, NULL, NULL, NULL, 2)",
    )
    mask = "mask: {a: hash, b: full, c: year_only, d: hash}"
    access = _access(any_database, tmp_path, _table(mask))
    rows = _rows(any_database, access, "SELECT a, b, c, d FROM things ORDER BY n")
    assert rows == [
        (sha256(b"secret").hexdigest(), "***", 2026, sha256(b"\x00\xff").hexdigest()),
        (None, "***", None, None),
    ]


def test_attribute_is_compared_as_it_is(any_database: LentDatabase, tmp_path: Path) -> None:
    any_database.load("CREATE TABLE things (a VARCHAR(40), n INT)")
    texts = [text for text in ODD_TEXTS if "\x00" not in text]
    for number, text in enumerate(texts):
        any_database.load(f"INSERT INTO things VALUES (CAST(x'{text.encode().hex()}' AS CHAR), {number})")
    for value in ODD_TEXTS:
        access = _access(any_database, tmp_path, _table("rows: a = {caller.value}"), value=value)
        expected = [(texts.index(value),)] if value in texts else []
        assert _rows(any_database, access, "SELECT n FROM things") == expected, value


@pytest.mark.parametrize(
    ("attribute", "condition", "value", "found"),
    [
        ("integer", "n = {caller.value}", -2, [-2]),
        ("decimal", "n * 1.0 > {caller.value}", Decimal("1.5"), [2]),
        ("date", "d = {caller.value}", date(2026, 1, 2), [2]),
        ("boolean", "(n > 0) = {caller.value}", False, [-2]),
        ("list of integer", "n IN {caller.value}", (1, -2, 9), [-2, 1]),
        ("list of integer", "n IN ({caller.value})", (), []),
        ("list of integer", "NOT n IN {caller.value}", (), []),
        ("list of text", "a IN {caller.value}", ("x", "it's"), [1, 2]),
    ],
)
def test_attribute_of_each_type_filters(
    any_database: LentDatabase,
    tmp_path: Path,
    attribute: str,
    condition: str,
    value: AttributeValue,
    found: list[int],
) -> None:
    any_database.load(
        "CREATE TABLE things (n INT, d DATE, a VARCHAR(9))",
        "INSERT INTO things VALUES (1, '2026-01-01', 'x'), (2, '2026-01-02', 'it''s'), (-2, NULL, NULL)",
    )
    access = _access(any_database, tmp_path, _table(f"rows: '{condition}'", attribute), value=value)
    assert _rows(any_database, access, "SELECT n FROM things ORDER BY n") == [(n,) for n in found]


@pytest.mark.parametrize(
    "condition",
    ["region = 'north'", "id IN (SELECT id FROM things WHERE region = 'north')"],
)
def test_hidden_row_cannot_tell_of_itself_by_an_error(
    any_database: LentDatabase, tmp_path: Path, condition: str
) -> None:
    any_database.load(
        "CREATE TABLE things (id INT, region VARCHAR(9), name VARCHAR(9))",
        "INSERT INTO things VALUES (1, 'north', 'a'), (2, 'south', 'zz')",
    )
    sql = f"SELECT id FROM things WHERE {FITTING}"
    everything = _access(any_database, tmp_path, _table("{}"))
    with pytest.raises(QueryFailed):
        _rows(any_database, everything, sql)
    access = _access(any_database, tmp_path, _table(f'rows: "{condition}"'))
    assert _rows(any_database, access, sql) == [(1,)]
