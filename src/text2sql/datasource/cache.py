"""Keeps a database's catalog between commands, for as long as its schema stays the same."""

import hashlib
import os
import tempfile
from pathlib import Path

from pydantic import ValidationError

from text2sql import __version__
from text2sql.datasource.catalog import Catalog
from text2sql.execution.port import Database
from text2sql.messages import Message


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
    _write(path, _Entry(schema_version=schema_version, catalog=catalog))
    return catalog


def _write(path: Path, entry: _Entry) -> None:
    """Write for this user only: a catalog holds sample values."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent)
    except OSError:
        return
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(entry.model_dump_json())
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
