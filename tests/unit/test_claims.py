"""Attributes that arrive as text, in the types that a policy declares."""

from datetime import date
from decimal import Decimal

import pytest

from text2sql.datasource.policy.access import AttributeValue, Caller
from text2sql.datasource.policy.claims import read_caller
from text2sql.datasource.policy.file import AttributeType
from text2sql.datasource.policy.grants import Policy


@pytest.mark.parametrize(
    ("declared", "text", "value"),
    [
        ("text", "eu", "eu"),
        ("integer", "7", 7),
        ("decimal", "7.50", Decimal("7.50")),
        ("date", "2026-01-31", date(2026, 1, 31)),
        ("boolean", "true", True),
        ("list of text", "eu,us", ("eu", "us")),
        ("list of integer", "1, 2", (1, 2)),
    ],
)
def test_attribute_has_the_type_that_is_declared(
    declared: AttributeType, text: str, value: AttributeValue
) -> None:
    policy = Policy(attributes={"a": declared}, groups={})
    assert read_caller(("sales",), {"a": text, "other": "x"}, policy) == Caller(
        groups=("sales",), attributes={"a": value}
    )


@pytest.mark.parametrize(
    ("declared", "text"),
    [("integer", "x"), ("integer", "9" * 5000), ("decimal", "x"), ("date", "x"), ("boolean", "maybe")],
)
def test_attribute_that_cannot_be_read_is_left_out(declared: AttributeType, text: str) -> None:
    policy = Policy(attributes={"a": declared}, groups={})
    assert read_caller((), {"a": text}, policy) == Caller()


def test_caller_without_a_policy_has_no_attributes() -> None:
    assert read_caller(("sales",), {"a": "x"}, None) == Caller(groups=("sales",))
