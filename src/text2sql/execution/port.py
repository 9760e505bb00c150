"""The database port."""

from typing import Protocol

from text2sql.datasource.catalog import Catalog
from text2sql.messages import Message, ResultSet


class QueryLimits(Message):
    """How much one statement may take."""

    rows: int = 1000
    """Rows to return; one more is fetched to know whether there are more."""
    seconds: float = 30.0
    cell_characters: int = 65_536
    """A longer text or binary cell is cut and ends in `…`."""


class Database(Protocol):
    """A database opened for reading; every call makes its own connection and closes it."""

    def schema_version(self) -> str:
        """Return a short digest that changes when a table, view or column does; takes milliseconds.

        Raises:
            DatabaseError: see `query`.
        """
        ...

    def read_catalog(self) -> Catalog:
        """Return tables, columns, keys, comments, row counts and sample values.

        Raises:
            DatabaseEmpty: there is no table to read.
            DatabaseError: see `query`.
        """
        ...

    def query(self, sql: str, limits: QueryLimits) -> ResultSet:
        """Run one statement read-only.

        Raises:
            QueryFailed: the database refuses the statement; the feedback names only what the
                statement itself names.
            QueryTimedOut: it ran longer than `limits.seconds`.
            DatabaseUnavailable: not reachable, locked, or gone in the middle.
            DatabaseNotFound, DatabaseAccessDenied, DatabaseCorrupt: as they say.
        """
        ...
