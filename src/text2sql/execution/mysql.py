"""The MySQL and MariaDB adapter of the database port: one fresh read-only session for each call."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from threading import Event

import pymysql
from pymysql.cursors import Cursor

from text2sql.datasource.catalog import Catalog
from text2sql.datasource.introspection.mysql import (
    STATEMENT_SECONDS,
    read_structure,
    read_tables,
    read_texts,
)
from text2sql.datasource.values import ColumnTexts, TextColumn, TextLimits
from text2sql.errors import DatabaseEmpty, DatabaseError
from text2sql.execution.mysql_account import refuse_writing_account
from text2sql.execution.mysql_errors import translated
from text2sql.execution.mysql_session import GRACE_SECONDS, Session, read_only_session, stopped_when_due
from text2sql.execution.mysql_statement import Statement
from text2sql.execution.port import QueryLimits
from text2sql.execution.result import RowStream, collect, result_set
from text2sql.execution.statement import refuse_side_effects, refuse_unreadable_text
from text2sql.execution.url import MysqlUrl
from text2sql.messages import ResultSet

CONNECT_SECONDS = 5.0
CATALOG_SECONDS = 10.0
"""For each statement that reads the catalog; sampling has its own, smaller limit."""


class MysqlDatabase:
    """A database on a MySQL or MariaDB server."""

    def __init__(self, url: MysqlUrl, connect_timeout: float = CONNECT_SECONDS) -> None:
        self.url = url
        self.connect_timeout = connect_timeout

    def schema_version(self) -> str:
        """Return a digest of tables, columns and keys; see the port."""
        with translated(self.url), self._catalog_session() as session, session.connection.cursor() as cursor:
            structure = read_structure(cursor, self.url.database)
        return hashlib.sha256(repr(structure).encode()).hexdigest()[:16]

    def read_catalog(self) -> Catalog:
        """Read the catalog; sampling stops after some seconds. See the port for errors."""
        with translated(self.url), self._catalog_session() as session, session.connection.cursor() as cursor:
            limit = session.flavour.statement_limit(STATEMENT_SECONDS)
            tables = read_tables(cursor, self.url.database, limit)
        if not tables:
            raise DatabaseEmpty(
                f"The database {self.url.database} has no table that {self.url.user} may read.",
                remedy="Check the database's name, and give the user SELECT on its tables.",
            )
        return Catalog(
            name=self.url.database,
            dialect=session.flavour.dialect,
            server=session.flavour.server,
            tables=tables,
        )

    def read_texts(self, wanted: Sequence[TextColumn], limits: TextLimits) -> tuple[ColumnTexts, ...]:
        """Read columns one after the other; see the port."""
        with translated(self.url), self._catalog_session() as session, session.connection.cursor() as cursor:
            limit = session.flavour.statement_limit(STATEMENT_SECONDS)
            return read_texts(cursor, self.url.database, wanted, limits, limit)

    def check_account(self) -> None:
        """Look at the account's grants, those of its active roles among them; see the port."""
        with translated(self.url), self._catalog_session() as session, session.connection.cursor() as cursor:
            _refuse_two_statements(cursor)
            cursor.execute("SHOW GRANTS")
            grants = [str(line) for (line,) in cursor.fetchall()]
        refuse_writing_account(grants, self.url)

    def query(self, sql: str, limits: QueryLimits, cancelled: Event | None = None) -> ResultSet:
        """Run one statement read-only; see the port."""
        with self.stream(sql, limits, cancelled) as stream:
            rows, cut_by = collect(stream.rows, limits)
        return result_set(stream.names, rows, cut_by, stream.declared)

    @contextmanager
    def stream(self, sql: str, limits: QueryLimits, cancelled: Event | None = None) -> Iterator[RowStream]:
        """Run one statement and lend its rows one by one, without a limit on their number; see the port."""
        refuse_unreadable_text(sql)
        refuse_side_effects(sql)
        cancelled = cancelled or Event()
        with ExitStack() as stack:
            with translated(self.url):
                session = stack.enter_context(
                    read_only_session(self.url, seconds=limits.seconds, connect_timeout=self.connect_timeout)
                )
            watched = limits.seconds + GRACE_SECONDS
            stack.enter_context(stopped_when_due(self.url, session.id, watched, cancelled))
            yield stack.enter_context(Statement(self.url, session, sql, limits, cancelled).run())

    def _catalog_session(self) -> AbstractContextManager[Session]:
        return read_only_session(
            self.url, seconds=CATALOG_SECONDS, connect_timeout=self.connect_timeout, for_catalog=True
        )


def _refuse_two_statements(cursor: Cursor) -> None:
    """Send two statements at once, which must fail."""
    with suppress(pymysql.ProgrammingError):
        cursor.execute("SELECT 1; SELECT 2")
        raise DatabaseError(
            "The driver runs several statements at once, so that a second one could hide behind a SELECT.",
            remedy="Install the release of PyMySQL that the lock file names.",
        )
