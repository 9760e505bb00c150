"""Keeps a database's catalog between commands, for as long as its schema stays the same."""

from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from text2sql.datasource.catalog import Catalog
from text2sql.datasource.shared_catalog import SharedCatalog
from text2sql.errors import KnowledgeBaseUnavailable
from text2sql.execution.port import Database
from text2sql.messages import Message
from text2sql.private_file import write_private


class _Entry(Message):
    schema_version: str
    catalog: Catalog


def load_catalog(
    database: Database, identity: str, folder: Path, shared: SharedCatalog | None = None
) -> Catalog:
    """Return the catalog of `database`, from `folder` or else from `shared` when its schema has not changed.

    `identity` tells databases apart, and is a file's name. What cannot be read or written of either is
    done without.

    Raises:
        DatabaseError: as the port says.
    """
    path = folder / f"{identity}.json"
    schema_version = database.schema_version()
    try:
        entry = _Entry.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        entry = None
    if entry and entry.schema_version == schema_version:
        return entry.catalog
    catalog = _find_shared(shared, identity, schema_version) or database.read_catalog()
    entry = _Entry(schema_version=schema_version, catalog=catalog)
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, entry.model_dump_json())  # it holds sample values
    return catalog


def _find_shared(shared: SharedCatalog | None, identity: str, schema_version: str) -> Catalog | None:
    with suppress(KnowledgeBaseUnavailable):
        stored = shared.read(identity) if shared else None
        if stored and stored.schema_version == schema_version:
            return stored.catalog
    return None
