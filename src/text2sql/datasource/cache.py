"""Keeps a database's catalog between commands, for as long as its schema stays the same."""

import hashlib
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from text2sql import __version__
from text2sql.datasource.catalog import Catalog
from text2sql.execution.port import Database
from text2sql.messages import Message
from text2sql.private_file import write_private


class _Entry(Message):
    schema_version: str
    catalog: Catalog


def load_catalog(database: Database, identity: str, folder: Path) -> Catalog:
    """Return the catalog of `database`, from `folder` when its schema has not changed.

    `identity` tells databases apart, for example a URL without its password. A cache that cannot be
    read or written is done without.

    Raises:
        DatabaseError: as the port says.
    """
    digest = hashlib.sha256(f"{__version__} {identity}".encode()).hexdigest()[:24]
    path = folder / f"{digest}.json"
    schema_version = database.schema_version()
    try:
        entry = _Entry.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        entry = None
    if entry and entry.schema_version == schema_version:
        return entry.catalog
    catalog = database.read_catalog()
    entry = _Entry(schema_version=schema_version, catalog=catalog)
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, entry.model_dump_json())  # it holds sample values
    return catalog
