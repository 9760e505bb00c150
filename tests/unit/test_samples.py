from datetime import date
from decimal import Decimal

import pytest

from text2sql.datasource.catalog import Catalog, Column, ForeignKey, Table
from text2sql.datasource.introspection.samples import (
    summarise,
    tells_private,
    tying_columns,
    with_samples,
    without_private_values,
    worth_sampling,
)
from text2sql.messages import Cell


@pytest.mark.parametrize(
    "name",
    [
        *("email", "customerEmail", "E_Mail", "phone", "mobile_no", "fax", "tel", "password_hash", "pwd"),
        *("api_key", "apiKey", "access_token", "client_secret", "ssn", "iban", "credit_card", "card_number"),
        *("birth_date", "dob", "last_ip", "ip_address", "street", "home_address"),
    ],
)
def test_column_with_a_private_name_is_not_looked_at(name: str) -> None:
    assert not worth_sampling(name, "VARCHAR(50)")


@pytest.mark.parametrize(
    "name", ["status", "city", "country", "description", "hotel", "telling", "shipped", "zip"]
)
def test_column_with_a_plain_name_is_looked_at(name: str) -> None:
    assert worth_sampling(name, "VARCHAR(50)")


@pytest.mark.parametrize("kind", ["BLOB", "longblob", "varbinary(16)", "json", "point", "bit(1)", "GEOMETRY"])
def test_column_of_a_type_that_says_nothing_is_not_looked_at(kind: str) -> None:
    assert not worth_sampling("status", kind)


def test_few_values_are_all_listed_most_frequent_first() -> None:
    values = ["open", "paid", "paid", None, "", "lost", "paid", "open"]
    assert summarise(values) == (("paid", "open", "lost"), 3)


def test_eight_values_are_few_and_nine_are_not() -> None:
    assert summarise([f"v{n}" for n in range(8)]) == (tuple(f"v{n}" for n in range(8)), 8)
    samples, distinct = summarise([f"v{n}" for n in range(9)])
    assert (len(samples), distinct) == (5, 9)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 0, 1], ("1", "0")),
        ([Decimal("1E+2")], ("100",)),
        ([0.5], ("0.5",)),
        ([date(2024, 1, 2)], ("2024-01-02",)),
        (["2024-01-02"], ("2024-01-02",)),
        (["02.01.2024 10:00"], ("02.01.2024 10:00",)),
    ],
)
def test_values_are_shown_as_text(values: list[Cell], expected: tuple[str, ...]) -> None:
    assert summarise(values)[0] == expected


@pytest.mark.parametrize(
    "values",
    [
        [*range(9)],
        [b"x"],
        ["x" * 41] * 3,
        [f"{n} {'prose ' * 10}" for n in range(20)],
        ["ok", "ada@example.org"],
        ["ok", "123-45-6789"],
        ["ok", "+49 30 1234567"],
        ["ok", "(030) 123-4567"],
        ["ok", "4111 1111 1111 1111"],
        ["ok", "DE89370400440532013000"],
        ["ok", "5f4dcc3b5aa765d61d8327deb882cf99"],
        ["ok", "6fa459ea-ee8a-3ca4-894e-db77e160355e"],
    ],
)
def test_values_that_help_nobody_are_not_shown(values: list[Cell]) -> None:
    assert summarise(values)[0] == ()


def test_nothing_seen_is_nothing_said() -> None:
    assert summarise([None, ""]) == ((), None)


def test_key_shows_codes_but_no_identifiers() -> None:
    assert summarise(["EUR", "USD"], is_key=True) == (("EUR", "USD"), 2)
    assert summarise([1, 2], is_key=True) == ((), 2)
    assert summarise(["customer-000001"], is_key=True) == ((), 1)
    assert summarise([f"C{n}" for n in range(9)], is_key=True) == ((), 9)


def test_samples_come_to_their_columns() -> None:
    columns = tuple(Column(name=name, type="TEXT") for name in ("id", "email", "state"))
    found = with_samples(columns, ["id", "state"], [(1, "on"), (2, "off")], {"id"})
    assert [(column.samples, column.distinct) for column in found] == [
        ((), 2),
        ((), None),
        (("on", "off"), 2),
    ]
    assert with_samples(columns, ["id"], [], set()) == columns


def test_keys_tie_rows_together() -> None:
    table = Table(
        name="t",
        columns=(),
        primary_key=("id",),
        foreign_keys=(ForeignKey(columns=("a", "b"), table="u", references=("a", "b")),),
    )
    assert tying_columns(table) == {"id", "a", "b"}


@pytest.mark.parametrize(
    "description", ["PII", "holds pii of customers", "Confidential: pay", "personal data", "sensitive"]
)
def test_description_calls_a_column_private(description: str) -> None:
    assert tells_private(description)


@pytest.mark.parametrize("description", ["", "private or state-run", "the person's name", "the spice"])
def test_other_descriptions_do_not(description: str) -> None:
    assert not tells_private(description)


def test_catalog_shows_no_value_of_a_column_that_is_called_private() -> None:
    told = {"samples": ("1",), "distinct": 1, "lowest": "1", "highest": "9"}
    pay = Column(name="pay", type="INT", description="confidential", **told)
    rank = Column(name="rank", type="INT", **told)
    table = Table(name="staff", columns=(pay, rank))
    catalog = Catalog(name="c", dialect="mysql", server="", tables=(table,))
    hidden, shown = without_private_values(catalog).tables[0].columns
    assert hidden == Column(name="pay", type="INT", description="confidential")
    assert shown == rank
