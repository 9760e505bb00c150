"""Groups that see no personal data: its columns are masked by the statement, and its rows screened."""

from pathlib import Path

import pytest

from small_shop import small_catalog
from text2sql.datasource.catalog import Catalog, Column, Table
from text2sql.datasource.policy.access import Access, Caller
from text2sql.datasource.policy.decide import access_for
from text2sql.datasource.policy.personal import holds_personal_data
from text2sql.messages import SqlDraft, ValidSql
from text2sql.validation.policy.load import load_policy
from text2sql.validation.step import validate_sql

POLICY = """
groups:
  everyone: {tables: {shops: {}}}
  owners: {tables: {people: {}, shops: {}}}
  partners:
    personal_data: masked
    inherits: [everyone]
    tables:
      people: {mask: {phone: last_four, city: hash}, filter_by: [phone]}
  guests: {inherits: [partners]}
  visitors: {inherits: [partners], tables: {people: {}}}
"""
TOLD = {"samples": ("a",), "distinct": 1, "lowest": "1", "highest": "9"}


@pytest.fixture
def catalog() -> Catalog:
    people = {
        "id": "INTEGER",
        "firstName": "VARCHAR(20)",
        "email": "TEXT",
        "phone": "TEXT",
        "city": "TEXT",
        "born": "DATE",
        "remark": "TEXT",
        "status": "TEXT",
    }
    described = {"remark": "Personal data, as the person told it"}
    columns = tuple(
        Column(name=name, type=kind, description=described.get(name, "")).model_copy(update=TOLD)
        for name, kind in people.items()
    )
    shops = (
        Column(name="town", type="TEXT").model_copy(update=TOLD),
        Column(name="owner_email", type="TEXT"),
    )
    return Catalog(
        name="x",
        dialect="sqlite",
        server="test",
        tables=(Table(name="people", columns=columns), Table(name="shops", columns=shops)),
    )


def access(catalog: Catalog, tmp_path: Path, *groups: str) -> Access:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY, "utf-8")
    return access_for(load_policy(path, catalog), Caller(groups=groups), catalog)


def validated(sql: str, access: Access) -> ValidSql:
    return validate_sql(SqlDraft(sql=sql), access, 10)


@pytest.mark.parametrize(
    ("name", "kind", "description"),
    [
        *((name, "VARCHAR(50)", "") for name in ("email", "homePhone", "street", "birth_date", "iban")),
        *((name, "TEXT", "") for name in ("first_name", "LastName", "surname", "full_name", "user_name")),
        ("phone", "", ""),
        ("email", "enum('number', 'int')", ""),
        ("home_address", "point", ""),
        ("password_hash", "BINARY(32)", ""),
        ("remark", "TEXT", "PII of the customer"),
    ],
)
def test_column_of_personal_data_is_known(name: str, kind: str, description: str) -> None:
    assert holds_personal_data(Column(name=name, type=kind, description=description))


@pytest.mark.parametrize(
    ("name", "kind", "description"),
    [
        *((name, "VARCHAR(50)", "") for name in ("status", "city", "product_name", "name", "file_name")),
        *(("address_id", kind, "") for kind in ("INTEGER", "int(11)", "bigint unsigned", "DECIMAL(9,0)")),
        *(("birth_date", kind, "") for kind in ("DATE", "datetime(6)", "TIMESTAMP", "year")),
        ("salary", "NUMERIC", "confidential"),
        ("remark", "TEXT", "What the person said"),
    ],
)
def test_other_columns_are_not(name: str, kind: str, description: str) -> None:
    assert not holds_personal_data(Column(name=name, type=kind, description=description))


def test_columns_of_personal_data_are_masked_and_those_with_a_mask_keep_it(
    catalog: Catalog, tmp_path: Path
) -> None:
    rules = access(catalog, tmp_path, "partners").rules
    assert rules["people"].masks == {
        **dict.fromkeys(("firstName", "email", "remark"), "full"),
        "phone": "last_four",
        "city": "hash",
    }
    assert rules["people"].raw_filters == {"phone"}
    assert rules["shops"].masks == {"owner_email": "full"}, "what is inherited is masked as well"


@pytest.mark.parametrize(
    ("groups", "people", "shops"),
    [
        (("owners",), False, False),
        (("partners",), True, True),
        (("guests",), True, True),
        (("visitors",), False, True),
        (("owners", "partners"), True, True),
        (("owners", "everyone"), False, False),
    ],
)
def test_personal_data_is_masked_where_one_of_the_groups_that_see_the_table_masks_it(
    catalog: Catalog, tmp_path: Path, groups: tuple[str, ...], people: bool, shops: bool
) -> None:
    given = access(catalog, tmp_path, *groups)
    assert {key: rules.masks_personal_data for key, rules in given.rules.items()} == {
        "people": people,
        "shops": shops,
    }
    assert validated("SELECT status FROM people", given).masks_personal_data is people
    assert validated("SELECT town FROM shops", given).masks_personal_data is shops
    joined = "WITH s AS (SELECT town FROM shops) SELECT status FROM people, s"
    assert validated(joined, given).masks_personal_data is (people or shops)


def test_alternatives_are_masked_as_the_first_draft_is(catalog: Catalog, tmp_path: Path) -> None:
    draft = SqlDraft(sql="SELECT town FROM shops", alternatives=("SELECT status FROM people",))
    valid = validate_sql(draft, access(catalog, tmp_path, "visitors"), 10)
    assert valid.masks_personal_data
    assert [each.masks_personal_data for each in valid.alternatives] == [False]


def test_statement_reads_no_personal_data(catalog: Catalog, tmp_path: Path) -> None:
    sql = "SELECT status FROM people WHERE email LIKE 'a%' ORDER BY firstName"
    emitted = " ".join(validated(sql, access(catalog, tmp_path, "partners")).sql.split())
    assert emitted.count('"email"') == emitted.count("'***' AS \"email\"") == 1
    assert emitted.count('"firstName"') == emitted.count("'***' AS \"firstName\"") == 1


def test_stored_values_of_such_a_table_are_told_to_nobody(catalog: Catalog, tmp_path: Path) -> None:
    given = access(catalog, tmp_path, "visitors")
    telling = {(t.name, c.name) for t in given.catalog.tables for c in t.columns if c.samples or c.lowest}
    assert {table for table, _ in telling} == {"people"}
    assert {table for table, _ in given.stored_columns()} == {"people"}


def test_without_a_policy_nothing_is_masked() -> None:
    assert not validated("SELECT name FROM customers", Access(catalog=small_catalog())).masks_personal_data
