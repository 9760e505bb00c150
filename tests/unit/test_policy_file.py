"""A policy that does not fit is refused whole, with the file and the line."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from text2sql.datasource.catalog import Catalog, Column, Table
from text2sql.datasource.policy.file import PolicyFile, is_of_type, read_value
from text2sql.datasource.policy.grants import Policy
from text2sql.errors import InvalidPolicy
from text2sql.messages import Dialect
from text2sql.validation.policy.load import load_policy


def _catalog(dialect: Dialect) -> Catalog:
    columns = {"id": "INTEGER", "name": "VARCHAR(40)", "born": "DATE", "region": "VARCHAR(9)", "note": "TEXT"}
    tables = tuple(
        Table(name=name, columns=tuple(Column(name=each, type=kind) for each, kind in columns.items()))
        for name in ("people", "odd table")
    )
    return Catalog(name="shop", dialect=dialect, server="test", tables=tables)


def _load(tmp_path: Path, text: str, dialect: Dialect = "sqlite") -> Policy:
    path = tmp_path / "policy.yaml"
    path.write_text(text, "utf-8")
    return load_policy(path, _catalog(dialect))


def _of_people(entry: str) -> str:
    """Return a policy whose line 6 begins with this entry."""
    return (
        "attributes: {region: text, ids: list of integer, level: integer}\n"
        f"groups:\n  support:\n    tables:\n      people:\n        {entry}\n"
    )


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("", 1, "the file"),
        ("groups: [", 1, "did not find expected|expected the node content"),
        ("groups: {a: {}}\ncolour: red", 2, "colour: Extra inputs"),
        ("groups:\n  a: {}\n  a: {}", 3, "a stands there twice"),
        ("groups:\n  a: &x {}\n  b: *x", 3, "aliases are not allowed"),
        ("groups:\n  ? [a]\n  : {}", 2, "a name must be text"),
        ("attributes:\n  x: number\ngroups: {}", 2, r"attributes\.x"),
        ("groups:\n  a:\n    personal_data: hidden", 3, "personal_data: Input should be 'masked' or 'shown'"),
        ("groups:\n  a:\n    inherits: [b]", 3, "there is no group b"),
        ("groups:\n  a: {inherits: [b]}\n  b:\n    inherits:\n    - a", 5, "in a cycle: a > b > a"),
        ("groups:\n  a:\n    inherits: [a]", 3, "in a cycle: a > a"),
        ("groups:\n  a: {}\n  b:\n    inherits: [a, a]", 4, "a stands there twice"),
        (
            (
                "groups:\n  a: {tables: {people: {}}}\n  b: {tables: {people: {deny: [id]}}}\n"
                "  c:\n    inherits: [a, b]"
            ),
            5,
            "c inherits two different rules for people",
        ),
        ("groups:\n  a:\n    tables:\n      persons: {}", 4, "the database has no table persons"),
        ("groups:\n  a:\n    tables:\n      People: {}", 4, "the database has no table People"),
        ("groups:\n  a:\n    tables:\n      people:", 4, "people"),
        (_of_people("deny: [name,\n          nowhere]"), 7, "the table has no column nowhere"),
        (_of_people("deny: [name, name]"), 6, "name stands there twice"),
        (_of_people("deny: [id, name, born, region, note]"), 6, "all of people is denied"),
        (_of_people("mask: {nowhere: full}"), 6, "the table has no column nowhere"),
        (_of_people("mask:\n          name: half"), 7, "mask.name"),
        (_of_people("mask: {name: full, name: hash}"), 6, "name stands there twice"),
        (_of_people("deny: [name]\n        mask: {name: full}"), 7, "denied as well as masked"),
        (_of_people("mask: {id: year_only}"), 6, "id holds no dates"),
        (_of_people("filter_by: [name]"), 6, "name is not masked"),
        (_of_people("filter_by: [nowhere]"), 6, "the table has no column nowhere"),
        (_of_people("show: [name]"), 6, "show: Extra inputs"),
        (_of_people("rows: ''"), 6, "the condition is empty"),
        (_of_people("rows: region ="), 6, "rows: .* not valid SQL"),
        (_of_people("rows: nowhere = 1"), 6, "rows: There is no column nowhere"),
        (_of_people("rows: id IN (SELECT id FROM nowhere)"), 6, "rows: There is no table nowhere"),
        (_of_people("rows: load_extension('x') = 1"), 6, "rows: The function LOAD_EXTENSION"),
        (_of_people("rows: 1 = 1; DROP TABLE people"), 6, "rows:"),
        (_of_people("rows: 1 = 1) UNION SELECT 1 WHERE (1 = 1"), 6, "rows:"),
        (_of_people("rows: 1 = 1) ORDER BY (id"), 6, "it must be one condition"),
        (_of_people("rows: id IN (WITH a AS (SELECT 1 AS x) SELECT x FROM a)"), 6, "it may not hold WITH"),
        (_of_people("rows: \"region = '{caller.region}'\""), 6, "inside quotes"),
        (_of_people("rows: 'region = {caller.region} /* {caller.x} */'"), 6, "inside quotes or a comment"),
        (_of_people("rows: 'region = {region}'"), 6, "a brace begins"),
        (_of_people("rows: 'region = {caller.team}'"), 6, "declares no attribute team"),
        (_of_people("rows: 'id = {caller.ids}'"), 6, "ids is a list, which stands behind IN alone"),
        (_of_people("rows: 'id IN ({caller.ids}, 5)'"), 6, "ids is a list, which stands behind IN alone"),
    ],
)
def test_policy_is_refused_with_its_line(tmp_path: Path, text: str, line: int, problem: str) -> None:
    with pytest.raises(InvalidPolicy, match=rf"^policy\.yaml, line {line}: .*(?:{problem})") as caught:
        _load(tmp_path, text)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("condition", "problem"),
    [
        ("region = {caller.level}", "level is integer, and the column region is VARCHAR"),
        ("id = {caller.region}", "region is text, and the column id is INTEGER"),
        ("name IN {caller.ids}", "ids is list of integer, and the column name is VARCHAR"),
    ],
)
def test_comparison_that_mysql_would_do_as_numbers_is_refused(
    tmp_path: Path, condition: str, problem: str
) -> None:
    with pytest.raises(InvalidPolicy, match=problem):
        _load(tmp_path, _of_people(f"rows: '{condition}'"), "mysql")
    _load(tmp_path, _of_people(f"rows: '{condition}'"), "sqlite")


def test_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "policy.yaml", tmp_path / "nowhere.yaml", tmp_path):
        with pytest.raises(InvalidPolicy, match="cannot be read"):
            load_policy(path, _catalog("sqlite"))


@pytest.mark.parametrize("dialect", ["sqlite", "mysql"])
def test_condition_is_kept_with_every_name_in_full(tmp_path: Path, dialect: Dialect) -> None:
    condition = (
        "id IN (SELECT id FROM `odd table` AS o WHERE o.note = {caller.region}) OR level IN {caller.ids}"
    )
    text = _of_people("rows: " + json.dumps(condition.replace("level", "people.id")))
    rows = _load(tmp_path, text, dialect).groups["support"]["people"].rows.replace('"', "`")
    schema = "main" if dialect == "sqlite" else "shop"
    assert rows == (
        f"`people`.id IN (SELECT `o`.id FROM `{schema}`.`odd table` AS o WHERE o.note = '{{caller.region}}') "
        "OR people.id IN ('{caller.ids}')"
    )


def test_own_entry_replaces_an_inherited_one(tmp_path: Path) -> None:
    text = (
        "groups:\n  a: {tables: {people: {deny: [id]}, odd table: {}}}\n"
        "  b: {inherits: [a], tables: {people: {}}}"
    )
    groups = _load(tmp_path, text).groups
    assert groups["b"]["people"].denied == frozenset()
    assert groups["b"]["odd table"] == groups["a"]["odd table"]


def test_json_schema_is_that_of_the_format(repository: Path) -> None:
    documented = json.loads((repository / "docs" / "policy.schema.json").read_text("utf-8"))
    assert documented == PolicyFile.model_json_schema()


@pytest.mark.parametrize(
    ("text", "declared", "value"),
    [
        ("a, b", "text", "a, b"),
        ("-7", "integer", -7),
        ("1.50", "decimal", Decimal("1.50")),
        ("2026-01-31", "date", date(2026, 1, 31)),
        ("True", "boolean", True),
        ("a, b", "list of text", ("a", "b")),
        ("", "list of integer", ()),
    ],
)
def test_value_is_read_by_its_declared_type(text: str, declared: Any, value: object) -> None:
    read = read_value(text, declared)
    assert (read, type(read)) == (value, type(value))
    assert is_of_type(read, declared)


@pytest.mark.parametrize(
    ("text", "declared"),
    [
        ("x", "integer"),
        ("1e", "decimal"),
        ("NaN", "decimal"),
        ("31.1.2026", "date"),
        ("1", "boolean"),
        ("1,x", "list of integer"),
    ],
)
def test_value_of_another_type_is_refused(text: str, declared: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # as int and Decimal say it
        read_value(text, declared)


@pytest.mark.parametrize(
    ("value", "declared"),
    [
        (True, "integer"),
        ("1", "integer"),
        (1, "text"),
        ((1,), "integer"),
        (1, "list of integer"),
        ((1, "a"), "list of integer"),
        (Decimal("NaN"), "decimal"),
    ],
)
def test_type_is_taken_exactly(value: Any, declared: Any) -> None:
    assert not is_of_type(value, declared)
