"""The policy file: its format, and what its values may be; no database is known here."""

from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import Field

from text2sql.datasource.policy.access import AttributeValue, Mask, PersonalData, Scalar
from text2sql.errors import InvalidPolicy
from text2sql.messages import Message
from text2sql.yaml_file import YamlFile

ScalarType: TypeAlias = Literal["text", "integer", "decimal", "date", "boolean"]
AttributeType: TypeAlias = (
    ScalarType
    | Literal["list of text", "list of integer", "list of decimal", "list of date", "list of boolean"]
)

_PYTHON: dict[ScalarType, type[Scalar]] = {
    "text": str,
    "integer": int,
    "decimal": Decimal,
    "date": date,
    "boolean": bool,
}
_BOOLEANS = {"true": True, "false": False}


class TableEntry(Message):
    """What a group sees of a table; without any key, all of it."""

    deny: tuple[str, ...] = Field((), description="Columns that the group must not know of.")
    mask: dict[str, Mask] = Field({}, description="Columns whose values are shown in part, and how.")
    filter_by: tuple[str, ...] = Field(
        (), description="Masked columns that may be filtered and grouped by their stored value."
    )
    rows: str = Field(
        "",
        description="A condition on the table's columns that holds for the rows that the group sees; "
        "{caller.name} stands for an attribute of the caller.",
    )


class GroupEntry(Message):
    """What a group sees: the tables that it names or inherits, and nothing else."""

    inherits: tuple[str, ...] = Field((), description="Groups whose tables this group sees as well.")
    tables: dict[str, TableEntry] = Field({}, description="By table; an entry replaces an inherited one.")
    personal_data: PersonalData = Field(
        "shown", description="Whether personal data is masked in all that the group sees."
    )


class PolicyFile(Message):
    """Who may see which tables, columns and rows of a database."""

    attributes: dict[str, AttributeType] = Field({}, description="What row conditions may ask of a caller.")
    groups: dict[str, GroupEntry] = Field(description="By the name of the group.")


def read_policy_file(path: Path) -> YamlFile[PolicyFile]:
    """Read a policy and check its format.

    Raises:
        InvalidPolicy: it cannot be read, is no YAML, or does not follow the format.
    """
    return YamlFile(path, PolicyFile, InvalidPolicy, "docs/policy.md")


def element_type(declared: AttributeType) -> tuple[ScalarType, bool]:
    """Return the type of one value, and whether the attribute is a list of them."""
    is_list = declared.startswith("list of ")
    name: ScalarType = declared.removeprefix("list of ")  # type: ignore[assignment]
    return name, is_list


def is_of_type(value: AttributeValue, declared: AttributeType) -> bool:
    """Tell whether the value is of exactly that type; an integer is a decimal, too."""
    element, is_list = element_type(declared)
    if is_list:
        return isinstance(value, tuple) and all(_is_element(each, element) for each in value)
    return not isinstance(value, tuple) and _is_element(value, element)


def read_value(text: str, declared: AttributeType) -> AttributeValue:
    """Read what a person wrote for an attribute; a list's values are separated by commas.

    Raises:
        ValueError: it is no such value.
    """
    element, is_list = element_type(declared)
    if is_list:
        return tuple(_read_element(part.strip(), element) for part in text.split(",") if part.strip())
    return _read_element(text, element)


def _is_element(value: Scalar, element: ScalarType) -> bool:
    if element == "decimal" and type(value) is Decimal:
        return value.is_finite()
    return type(value) is _PYTHON[element] or (element == "decimal" and type(value) is int)


def _read_element(text: str, element: ScalarType) -> Scalar:
    if element == "text":
        return text
    if element == "integer":
        return int(text)
    if element == "date":
        return date.fromisoformat(text)
    if element == "boolean":
        if text.lower() not in _BOOLEANS:
            raise ValueError(text)
        return _BOOLEANS[text.lower()]
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError(text) from None
    if not value.is_finite():
        raise ValueError(text)
    return value
