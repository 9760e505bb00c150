"""One statement in a MySQL or MariaDB session: its plan is judged, then it runs and its rows are told."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event

import pymysql
from pymysql.constants import FIELD_TYPE

from text2sql.errors import QueryFailed, QueryTimedOut
from text2sql.execution.cancel import cancellable, refuse_cancelled
from text2sql.execution.explain import refuse_expensive
from text2sql.execution.explain_json import estimate_json
from text2sql.execution.mysql_errors import query_failed, timed_out, translated
from text2sql.execution.mysql_session import VECTOR, Session, StreamingCursor, stop
from text2sql.execution.port import QueryLimits
from text2sql.execution.result import ColumnType, RowStream, cut_cell
from text2sql.execution.statement import identifiers
from text2sql.execution.url import MysqlUrl
from text2sql.messages import Cell

PLAN_SECONDS = 1.0
"""How long a server may take to tell a statement's plan."""

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
    FIELD_TYPE.GEOMETRY: "binary",
    VECTOR: "binary",
}


class Statement:
    """A statement that may run once; its time counts from here."""

    def __init__(
        self, url: MysqlUrl, session: Session, sql: str, limits: QueryLimits, cancelled: Event
    ) -> None:
        self._url = url
        self._session = session
        self._sql = sql
        self._limits = limits
        self._cancelled = cancelled
        self._deadline = time.monotonic() + limits.seconds

    @contextmanager
    def run(self) -> Iterator[RowStream]:
        """Judge the plan, run the statement and lend its rows; the session cannot be used again."""
        with self._session.connection.cursor(StreamingCursor) as cursor:
            with self._told():
                if not self._limits.in_background:
                    self._refuse_expensive()
                self._refuse_overdue()
                cursor.execute(self._sql)
            columns = cursor.description or ()
            try:
                yield RowStream(
                    names=[column[0] for column in columns],
                    rows=self._rows(cursor),
                    declared={
                        place: _TYPES.get(int(column[1]), "unknown") for place, column in enumerate(columns)
                    },
                )
                with suppress(pymysql.MySQLError):
                    cursor.fetchone()  # after a LIMIT this is the end, and no second connection is needed
            finally:
                if cursor.is_streaming:
                    # Nobody will read the rest; without this the server goes on until it notices.
                    stop(self._url, self._session.id)

    def _refuse_expensive(self) -> None:
        """Look at the plan; without one, for example of a view without SHOW VIEW, the statement runs.

        What the server says here against the statement, it says again when it runs.
        """
        with suppress(QueryFailed, QueryTimedOut), translated(self._url, self._sql):
            estimate = estimate_json(self._plan())
            if estimate:
                refuse_expensive(estimate, self._sql, self._session.flavour.dialect, self._limits)

    def _plan(self) -> str:
        """Return the server's plan, if it comes soon: a server runs some subqueries to make one."""
        seconds = self._limits.seconds
        limit = self._session.flavour.statement_limit
        with self._session.connection.cursor() as cursor:
            cursor.execute(f"SET SESSION {limit(min(PLAN_SECONDS, seconds))}")
            try:
                cursor.execute(f"EXPLAIN FORMAT=JSON {self._sql}")
                return "".join(str(text) for (text,) in cursor.fetchall())
            finally:
                cursor.execute(f"SET SESSION {limit(seconds)}")

    def _rows(self, cursor: StreamingCursor) -> Iterator[tuple[Cell, ...]]:
        with self._told():
            while (row := cursor.fetchone()) is not None:
                refuse_cancelled(self._cancelled)
                yield tuple(cut_cell(value, self._limits.cell_characters) for value in row)
            self._refuse_overdue()
            if "recursive" in identifiers(self._sql, self._session.flavour.dialect):
                self._refuse_cut_recursion()

    def _refuse_overdue(self) -> None:
        """Refuse to go on: a SLEEP that is cut short returns as if it had ended by itself."""
        refuse_cancelled(self._cancelled)
        if time.monotonic() >= self._deadline:
            raise timed_out()

    def _refuse_cut_recursion(self) -> None:
        """Make an error of what MariaDB only warns of: a recursive CTE cut off at its limit."""
        with self._session.connection.cursor() as cursor:
            cursor.execute("SHOW WARNINGS")
            warnings = cursor.fetchall()
        if any(warning[1] == self._session.flavour.recursion_warning for warning in warnings):
            raise query_failed("The recursive CTE did not end within the allowed rounds.")

    @contextmanager
    def _told(self) -> Iterator[None]:
        with cancellable(self._cancelled), translated(self._url, self._sql):
            yield
