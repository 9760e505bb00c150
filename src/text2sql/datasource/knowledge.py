"""The knowledge folder of a datasource.

`catalog.yaml` describes tables, `glossary.yaml` explains terms, `metrics.yaml` says how measures are worked
out, `verified.yaml` holds approved statements. The folder `documents` in it is read elsewhere.
"""

from datetime import date
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import Field, ValidationError

from text2sql.datasource.catalog import Catalog, Column, Table
from text2sql.datasource.verified import VerifiedQueries
from text2sql.errors import InvalidKnowledge
from text2sql.messages import Message


class TableNotes(Message):
    """What `catalog.yaml` says of a table."""

    description: str = ""
    columns: dict[str, str] = Field(default_factory=dict)


class CatalogNotes(Message):
    """The file `catalog.yaml`."""

    name: str = ""
    description: str = ""
    as_of: date | None = None
    """The last day of the data, from which "last year" counts; without it, today."""
    tables: dict[str, TableNotes] = Field(default_factory=dict)


class Term(Message):
    """An entry of `glossary.yaml`."""

    term: str
    synonyms: tuple[str, ...] = ()
    meaning: str
    sql: str = ""
    tables: tuple[str, ...] = ()


class Glossary(Message):
    """The file `glossary.yaml`."""

    terms: tuple[Term, ...] = ()


class Metric(Message):
    """An entry of `metrics.yaml`: a measure, and the expression that works it out."""

    metric: str = Field(min_length=1)
    synonyms: tuple[str, ...] = ()
    meaning: str = ""
    sql: str = Field(min_length=1)
    grain: str = ""
    """What there is one value for, for example `one value per order`."""
    tables: tuple[str, ...] = ()


class Metrics(Message):
    """The file `metrics.yaml`."""

    metrics: tuple[Metric, ...] = ()


class KnownFiles(NamedTuple):
    """Where the files about a database are."""

    knowledge: Path | None = None
    """The folder of `load_knowledge`."""
    policy: Path | None = None
    """The access policy; None where every caller sees all."""
    version: str = ""
    """Another one when the content of any of them has changed, as far as that is watched."""


class Knowledge(Message):
    """What people have written down about a database."""

    catalog: CatalogNotes = CatalogNotes()
    glossary: Glossary = Glossary()
    metrics: Metrics = Metrics()
    verified: VerifiedQueries = VerifiedQueries()


_File = TypeVar("_File", bound=Message)


def load_knowledge(folder: Path | None) -> Knowledge:
    """Read the files that are there.

    Raises:
        InvalidKnowledge: no such folder, or a file that does not follow the format.
    """
    if folder is None:
        return Knowledge()
    if not folder.is_dir():
        raise InvalidKnowledge(
            f"There is no folder {folder}.",
            remedy="Name a folder that holds catalog.yaml, glossary.yaml, metrics.yaml or verified.yaml.",
        )
    return Knowledge(
        catalog=_load(folder / "catalog.yaml", CatalogNotes),
        glossary=_load(folder / "glossary.yaml", Glossary),
        metrics=_load(folder / "metrics.yaml", Metrics),
        verified=_load(folder / "verified.yaml", VerifiedQueries),
    )


def describe(catalog: Catalog, notes: CatalogNotes) -> Catalog:
    """Return the catalog with the notes' descriptions, which win over comments in the database.

    Raises:
        InvalidKnowledge: the notes name a table or column that is not there.
    """
    tables = {table.name: table for table in catalog.tables}
    for name, told in notes.tables.items():
        if name not in tables:
            raise InvalidKnowledge(
                f"catalog.yaml describes a table {name}, which the database has not.",
                remedy="Rename or remove the entry.",
            )
        tables[name] = _describe_table(tables[name], told)
    return catalog.model_copy(update={"tables": tuple(tables.values())})


def _describe_table(table: Table, told: TableNotes) -> Table:
    columns = {column.name: column for column in table.columns}
    for name, description in told.columns.items():
        if name not in columns:
            raise InvalidKnowledge(
                f"catalog.yaml describes a column {table.name}.{name}, which the database has not.",
                remedy="Rename or remove the entry.",
            )
        columns[name] = _describe_column(columns[name], description)
    description = told.description or table.description
    return table.model_copy(update={"description": description, "columns": tuple(columns.values())})


def _describe_column(column: Column, description: str) -> Column:
    return column.model_copy(update={"description": description or column.description})


def _load(path: Path, kind: type[_File]) -> _File:
    if not path.is_file():
        return kind()
    import yaml

    try:
        content: Any = yaml.safe_load(path.read_text("utf-8"))
        return kind.model_validate(content or {})
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InvalidKnowledge(
            f"{path.name}, line {line}: {error.problem}.", remedy="Correct the YAML."
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidKnowledge(
            f"{path.name}: {where}: {first['msg']}.", remedy="See docs/knowledge.md for the format."
        ) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidKnowledge(f"{path.name} cannot be read.", remedy="Save it as UTF-8 YAML.") from error
