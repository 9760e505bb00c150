"""Reads a database's schema anew, and tells what has changed since it was read last."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from text2sql.datasource.catalog import Catalog, Table
from text2sql.datasource.shared_catalog import SharedCatalog, StoredCatalog
from text2sql.execution.port import Database

FRESH = timedelta(hours=20)
"""So old a catalog is read anew although the schema is the same: its values, ranges and counts are not."""


def sync_schema(
    database: Database, identity: str, shared: SharedCatalog, now: datetime
) -> tuple[str, ...] | None:
    """Bring the shared catalog in line with the database, and return what has changed in its schema.

    Returns:
        The changes in words, without any stored value; empty where there are none, or nothing was known
        before. None where the catalog still holds and was not read.

    Raises:
        DatabaseError: as the port says.
        KnowledgeBaseUnavailable: the shared catalog can be neither read nor written.
    """
    version = database.schema_version()
    stored = shared.read(identity)
    if stored and stored.schema_version == version and now - stored.read_at < FRESH:
        return None
    catalog = database.read_catalog()
    shared.write(StoredCatalog(database=identity, schema_version=version, read_at=now, catalog=catalog))
    return tuple(find_changes(stored.catalog, catalog)) if stored else ()


def find_changes(before: Catalog, after: Catalog) -> Iterator[str]:
    """Yield what is new, gone or other in the second catalog, by the names of tables and columns alone."""
    old, new = ({table.key: table for table in catalog.tables} for catalog in (before, after))
    yield from (f"{name} is new" for name in new if name not in old)
    yield from (f"{name} is gone" for name in old if name not in new)
    for name, table in new.items():
        if name in old:
            yield from (f"{name}{change}" for change in _changes_of(old[name], table))


def _changes_of(before: Table, after: Table) -> Iterator[str]:
    old, new = ({column.name: column for column in table.columns} for table in (before, after))
    yield from (f".{name} is new" for name in new if name not in old)
    yield from (f".{name} is gone" for name in old if name not in new)
    for name, column in new.items():
        if name in old and (column.type, column.nullable) != (old[name].type, old[name].nullable):
            yield f".{name} is of another type"
    if (before.primary_key, before.foreign_keys) != (after.primary_key, after.foreign_keys):
        yield " has other keys"
