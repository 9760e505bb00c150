"""The policy file: its format, and where each of its values stands; no database is known here."""

from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Literal, NoReturn, TypeAlias

from pydantic import Field, ValidationError

from text2sql.datasource.policy.access import AttributeValue, Mask, Scalar
from text2sql.errors import InvalidPolicy
from text2sql.messages import Message

ScalarType: TypeAlias = Literal["text", "integer", "decimal", "date", "boolean"]
AttributeType: TypeAlias = (
    ScalarType
    | Literal["list of text", "list of integer", "list of decimal", "list of date", "list of boolean"]
)

Place: TypeAlias = tuple[str | int, ...]
"""The keys and positions that lead to a value of the file."""

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


class PolicyFile(Message):
    """Who may see which tables, columns and rows of a database."""

    attributes: dict[str, AttributeType] = Field({}, description="What row conditions may ask of a caller.")
    groups: dict[str, GroupEntry] = Field(description="By the name of the group.")


class SourceFile:
    """A policy file as read, with the line of each of its values."""

    def __init__(self, path: Path) -> None:
        """Read and check the format.

        Raises:
            InvalidPolicy: it cannot be read, is no YAML, or does not follow the format.
        """
        self.path = path
        self.lines: dict[Place, int] = {}
        content = self._read()
        try:
            self.content = PolicyFile.model_validate(content)
        except ValidationError as error:
            first = error.errors()[0]
            place = tuple(part for part in first["loc"] if part != "[key]")
            self.refuse(place, f"{'.'.join(map(str, place)) or 'the file'}: {first['msg']}.")

    def refuse(self, place: Place, problem: str) -> NoReturn:
        """Raise the complaint about the value at `place`, or about the nearest one around it.

        Raises:
            InvalidPolicy: always.
        """
        while place and place not in self.lines:
            place = place[:-1]
        raise InvalidPolicy(
            f"{self.path.name}, line {self.lines.get(place, 1)}: {problem}",
            remedy="Correct the line; see docs/policy.md for the format.",
        )

    def _read(self) -> object:
        import yaml

        try:
            text = self.path.read_text("utf-8")
            for event in yaml.parse(text):
                if isinstance(event, yaml.AliasEvent):
                    self.lines[()] = getattr(event.start_mark, "line", 0) + 1
                    self.refuse((), "aliases are not allowed, write it out.")
            node = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            self.lines[()] = getattr(error.problem_mark, "line", 0) + 1
            self.refuse((), f"{error.problem}.")
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise InvalidPolicy(f"{self.path} cannot be read.", remedy="Save it as UTF-8 YAML.") from error
        return None if node is None else self._note(node, ())

    def _note(self, node: Any, place: Place) -> object:
        """Return the value of a node, and note the lines of what is in it."""
        import yaml

        self.lines.setdefault(place, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            found: dict[object, object] = {}
            for key_node, value_node in node.value:
                key = self._scalar(key_node, place)
                inside = (*place, key)
                if key in found:
                    self.lines[inside] = key_node.start_mark.line + 1
                    self.refuse(inside, f"{key} stands there twice.")
                self.lines[inside] = key_node.start_mark.line + 1
                found[key] = self._note(value_node, inside)
            return found
        if isinstance(node, yaml.SequenceNode):
            return tuple(self._note(item, (*place, number)) for number, item in enumerate(node.value))
        return self._scalar(node, place)

    def _scalar(self, node: Any, place: Place) -> Any:
        """Return text as it stands there: YAML's other types have no place in a policy."""
        import yaml

        if not isinstance(node, yaml.ScalarNode):
            self.lines[place] = node.start_mark.line + 1
            self.refuse(place, "a name must be text.")
        return node.value


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
