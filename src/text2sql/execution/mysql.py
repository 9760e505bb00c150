"""The MySQL and MariaDB adapter of the database port: one fresh read-only session for each call."""

import hashlib
import time
from contextlib import AbstractContextManager

import pymysql
from pymysql.constants import FIELD_TYPE

from text2sql.datasource.catalog import Catalog
from text2sql.datasource.introspection.mysql import STATEMENT_SECONDS, read_structure, read_tables
from text2sql.errors import DatabaseEmpty
from text2sql.execution.mysql_errors import query_failed, timed_out, translated
from text2sql.execution.mysql_session import (
    GRACE_SECONDS,
    Session,
    StreamingCursor,
    read_only_session,
    stop,
    stopped_after,
)
from text2sql.execution.port import QueryLimits
from text2sql.execution.result import ColumnType, cut_cell, result_set
from text2sql.execution.statement import identifiers, refuse_side_effects, refuse_unreadable_text
from text2sql.execution.url import MysqlUrl
from text2sql.messages import Cell, ResultSet

CONNECT_SECONDS = 5.0
CATALOG_SECONDS = 10.0
"""For each statement that reads the catalog; sampling has its own, smaller limit."""

_TYPES: dict[int, ColumnType] = {
    **dict.fromkeys(
        (
            FIELD_TYPE.TINY,
            FIELD_TYPE.SHORT,
            FIELD_TYPE.INT24,
            FIELD_TYPE.LONG,
            FIELD_TYPE.LONGLONG,
            FIELD_TYPE.FLOAT,
            FIELD_TYPE.DOUBLE,
            FIELD_TYPE.DECIMAL,
            FIELD_TYPE.NEWDECIMAL,
            FIELD_TYPE.YEAR,
            FIELD_TYPE.BIT,
        ),
        "number",
    ),
    FIELD_TYPE.DATE: "date",
    FIELD_TYPE.DATETIME: "datetime",
    FIELD_TYPE.TIMESTAMP: "datetime",
    FIELD_TYPE.VAR_STRING: "text",
    FIELD_TYPE.STRING: "text",
    FIELD_TYPE.JSON: "text",
    FIELD_TYPE.TIME: "text",
}


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
        return Catalog(name=self.url.database, dialect="mysql", server=session.flavour.server, tables=tables)

    def query(self, sql: str, limits: QueryLimits) -> ResultSet:
        """Run one statement read-only; see the port."""
        refuse_unreadable_text(sql)
        refuse_side_effects(sql)
        with (
            translated(self.url),
            read_only_session(
                self.url, seconds=limits.seconds, connect_timeout=self.connect_timeout
            ) as session,
            translated(self.url, sql),
            stopped_after(self.url, session.id, limits.seconds + GRACE_SECONDS),
        ):
            return self._fetch(session, sql, limits)

    def _catalog_session(self) -> AbstractContextManager[Session]:
        return read_only_session(
            self.url, seconds=CATALOG_SECONDS, connect_timeout=self.connect_timeout, for_catalog=True
        )

    def _fetch(self, session: Session, sql: str, limits: QueryLimits) -> ResultSet:
        started = time.monotonic()
        rows: list[list[Cell]] = []
        with session.connection.cursor(StreamingCursor) as cursor:
            cursor.execute(sql)
            description = cursor.description or ()
            while len(rows) <= limits.rows and (row := cursor.fetchone()) is not None:
                rows.append([cut_cell(value, limits.cell_characters) for value in row])
            truncated = len(rows) > limits.rows
            if truncated and not _has_ended(cursor):
                # Nobody will read the rest; without this the server goes on until it notices.
                stop(self.url, session.id)
        if not truncated and time.monotonic() - started >= limits.seconds:
            # A SLEEP that is cut short returns as if it had ended by itself.
            raise timed_out()
        if not truncated and "recursive" in identifiers(sql, "mysql"):
            _refuse_cut_recursion(session)
        declared = {place: _TYPES.get(int(column[1]), "unknown") for place, column in enumerate(description)}
        return result_set([column[0] for column in description], rows, limits, declared)


def _has_ended(cursor: StreamingCursor) -> bool:
    """Tell whether the last row is read: so it is after a LIMIT, and no second connection is needed."""
    try:
        return cursor.fetchone() is None
    except pymysql.MySQLError:
        return True


def _refuse_cut_recursion(session: Session) -> None:
    """Make an error of what MariaDB only warns of: a recursive CTE cut off at its limit."""
    with session.connection.cursor() as cursor:
        cursor.execute("SHOW WARNINGS")
        warnings = cursor.fetchall()
    if any(warning[1] == session.flavour.recursion_warning for warning in warnings):
        raise query_failed("The recursive CTE did not end within the allowed rounds.")
