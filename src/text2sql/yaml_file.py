"""A YAML file that people write: checked against its format, with the line of each of its values."""

from pathlib import Path
from typing import Any, Generic, NoReturn, TypeAlias, TypeVar

from pydantic import ValidationError

from text2sql.errors import Text2SqlError
from text2sql.messages import Message

Place: TypeAlias = tuple[str | int, ...]
"""The keys and positions that lead to a value of the file."""

_Content = TypeVar("_Content", bound=Message)


class YamlFile(Generic[_Content]):
    """A file as read. Every scalar is text: what else it may be, its format decides."""

    def __init__(self, path: Path, kind: type[_Content], refusal: type[Text2SqlError], manual: str) -> None:
        """Read and check the format.

        Args:
            path: where the file is.
            kind: its format.
            refusal: what is raised where it does not follow it.
            manual: the page that describes the format.

        Raises:
            Text2SqlError: the refusal; it cannot be read, is no YAML, or does not follow the format.
        """
        self.path = path
        self._refusal = refusal
        self._manual = manual
        self._lines: dict[Place, int] = {}
        content = self._read()
        try:
            self.content: _Content = kind.model_validate(content)
        except ValidationError as error:
            first = error.errors()[0]
            place = tuple(part for part in first["loc"] if part != "[key]")
            self.refuse(place, f"{'.'.join(map(str, place)) or 'the file'}: {first['msg']}.")

    def holds(self, place: Place) -> bool:
        """Tell whether something is written down there."""
        return place in self._lines

    def refuse(self, place: Place, problem: str) -> NoReturn:
        """Raise the complaint about the value at `place`, or about the nearest one around it.

        Raises:
            Text2SqlError: the refusal, always.
        """
        while place and place not in self._lines:
            place = place[:-1]
        raise self._refusal(
            f"{self.path.name}, line {self._lines.get(place, 1)}: {problem}",
            remedy=f"Correct the line; see {self._manual} for the format.",
        )

    def _read(self) -> object:
        import yaml

        try:
            text = self.path.read_text("utf-8")
            for event in yaml.parse(text):
                if isinstance(event, yaml.AliasEvent):
                    self._lines[()] = getattr(event.start_mark, "line", 0) + 1
                    self.refuse((), "aliases are not allowed, write it out.")
            node = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            self._lines[()] = getattr(error.problem_mark, "line", 0) + 1
            self.refuse((), f"{error.problem}.")
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise self._refusal(f"{self.path} cannot be read.", remedy="Save it as UTF-8 YAML.") from error
        return None if node is None else self._note(node, ())

    def _note(self, node: Any, place: Place) -> object:
        """Return the value of a node, and note the lines of what is in it."""
        import yaml

        self._lines.setdefault(place, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            found: dict[object, object] = {}
            for key_node, value_node in node.value:
                key = self._scalar(key_node, place)
                inside = (*place, key)
                if key in found:
                    self._lines[inside] = key_node.start_mark.line + 1
                    self.refuse(inside, f"{key} stands there twice.")
                self._lines[inside] = key_node.start_mark.line + 1
                found[key] = self._note(value_node, inside)
            return found
        if isinstance(node, yaml.SequenceNode):
            return tuple(self._note(item, (*place, number)) for number, item in enumerate(node.value))
        return self._scalar(node, place)

    def _scalar(self, node: Any, place: Place) -> Any:
        """Return text as it stands there: what else it may be, the format decides."""
        import yaml

        if not isinstance(node, yaml.ScalarNode):
            self._lines[place] = node.start_mark.line + 1
            self.refuse(place, "a name must be text.")
        return node.value
