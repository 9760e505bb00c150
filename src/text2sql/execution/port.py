"""The database port."""

from collections.abc import Sequence
from threading import Event
from typing import Protocol

from text2sql.datasource.catalog import Catalog
from text2sql.datasource.values import ColumnTexts, TextColumn, TextLimits
from text2sql.messages import Message, ResultSet


class QueryLimits(Message):
    """How much one statement may take."""

    rows: int = 1000
    """Rows to return; one more is fetched to know whether there are more."""
    bytes: int = 16_000_000
    """Of all cells together; the first row comes whole in any case."""
    seconds: float = 30.0
    cell_characters: int = 65_536
    """A longer text or binary cell is cut and ends in `…`."""
    scan_rows: int = 50_000_000
    """Rows that the statement may read, as its plan tells before it runs."""
    join_rows: int = 1_000_000_000
    """Combinations of rows that its joins may go through without an index, as its plan tells."""
    in_background: bool = False
    """Whether the plan's estimates are let pass, for nobody waits; `seconds` holds all the same."""


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

    def read_texts(self, wanted: Sequence[TextColumn], limits: TextLimits) -> tuple[ColumnTexts, ...]:
        """Return the different texts of the columns that are worth it, and of those that fit the limits.

        A column that cannot be read, or not in time, is left out.

        Raises:
            DatabaseError: see `query`.
        """
        ...

    def check_account(self) -> None:
        """Make sure that this user can only read, and that the driver runs one statement at a time.

        Raises:
            DatabaseAccountCanWrite: the user may do more; the remedy shows how to make one that may not.
            DatabaseError: see `query`.
        """
        ...

    def query(self, sql: str, limits: QueryLimits, cancelled: Event | None = None) -> ResultSet:
        """Run one statement read-only; another thread may set `cancelled`, which ends it within a second.

        Raises:
            QueryTooExpensive: its plan is above the limits. A statement whose plan cannot be read runs.
            SchemaChanged: a table or column that it names does not exist.
            QueryFailed: the database refuses the statement; the feedback names only what the
                statement itself names.
            QueryTimedOut: it ran longer than `limits.seconds`.
            QueryCancelled: `cancelled` was set.
            DatabaseUnavailable: not reachable, locked, or gone in the middle.
            DatabaseNotFound, DatabaseAccessDenied, DatabaseCorrupt: as they say.
        """
        ...
