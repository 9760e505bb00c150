"""Statements and catalogs as JSON, for checks without a database."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from text2sql.datasource.catalog import Catalog, Column, Table
from text2sql.errors import InvalidSettings
from text2sql.messages import Dialect


class Case(BaseModel):
    """One line of a file of statements; what else it holds is not looked at."""

    id: Any = None
    sql: str | None = None
    """None where the line holds no statement."""
    db: str | None = None
    """The schema that names without one belong to."""
    ctx: str | None = None
    """The context whose tables there are."""


_FILE = TypeAdapter(dict[str, dict[str, dict[str, str]]])


class Contexts:
    """The contexts of one file, as catalogs."""

    def __init__(self, tables: dict[str, dict[str, dict[str, str]]], dialect: Dialect) -> None:
        self._tables = tables
        self._dialect = dialect
        self.catalog = lru_cache(maxsize=256)(self._catalog)

    def _catalog(self, context: str | None, schema: str) -> Catalog:
        """Return the catalog of a context as it looks from inside `schema`; without a context it is empty.

        Raises:
            KeyError: there is no such context.
        """
        named = self._tables[context].items() if context is not None else ()
        return Catalog(
            name=schema,
            dialect=self._dialect,
            server="",
            tables=tuple(_table(name, columns, schema) for name, columns in named),
        )


def read_case(line: bytes) -> Case:
    """Return the statement of a JSON line, or what can be told of a line that holds none."""
    try:
        return Case.model_validate_json(line)
    except ValidationError:
        pass
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        return Case()
    return Case(id=content.get("id")) if isinstance(content, dict) else Case()


def load_contexts(path: Path | None, dialect: Dialect) -> Contexts:
    """Read a file `{"context": {"schema.table": {"column": "type"}}}`; without one, catalogs are empty.

    Raises:
        InvalidSettings: the file cannot be read, or is not of that form.
    """
    if path is None:
        return Contexts({}, dialect)
    try:
        return Contexts(_FILE.validate_python(json.loads(path.read_bytes())), dialect)
    except (OSError, ValueError, RecursionError) as error:
        what = error.errors()[0]["loc"] if isinstance(error, ValidationError) else "it is no JSON file"
        raise InvalidSettings(
            f"The contexts of {path.name} cannot be read: {what}.",
            remedy='Write {"context": {"schema.table": {"column": "type"}}}.',
        ) from error


def _table(name: str, columns: dict[str, str], own_schema: str) -> Table:
    schema, table = name.split(".", 1) if "." in name else ("", name)
    is_own = not schema or schema.lower() == own_schema.lower()
    return Table(
        name=table,
        schema_name="" if is_own else schema,
        columns=tuple(Column(name=column, type=kind) for column, kind in columns.items()),
    )
