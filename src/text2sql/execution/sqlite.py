"""The SQLite adapter of the database port: a file opened for reading only, for one call."""

import hashlib
import os
import re
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import date, datetime
from pathlib import Path
from threading import Event

from text2sql.datasource.catalog import Catalog
from text2sql.datasource.introspection.sqlite import read_schema, read_tables, read_texts
from text2sql.datasource.values import ColumnTexts, TextColumn, TextLimits
from text2sql.errors import DatabaseEmpty, DatabaseError, QueryFailed
from text2sql.execution.cancel import cancellable, refuse_cancelled
from text2sql.execution.explain import refuse_expensive
from text2sql.execution.explain_sqlite import estimate_plan, row_counts
from text2sql.execution.port import QueryLimits
from text2sql.execution.result import RowStream, collect, cut_cell, result_set
from text2sql.execution.sqlite_errors import file_problem, translated
from text2sql.execution.statement import refuse_unreadable_text
from text2sql.messages import Cell, ResultSet

BUSY_SECONDS = 1.0
"""How long a call waits for another program's lock."""
STEPS_BETWEEN_CHECKS = 2_000
"""Steps of SQLite's virtual machine between two looks at the clock; well under a millisecond."""
VALUE_BYTES = 64 * 1024 * 1024
"""The largest value that a statement may make or read."""
PATTERN_BYTES = 200
"""The longest LIKE or GLOB pattern: a long one with many wildcards runs for hours between two steps."""

_DENIED_FUNCTIONS = {"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer"}
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_DATETIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d{1,6})?")


class SqliteDatabase:
    """An SQLite file; it is never created, changed, or locked for longer than a call."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def schema_version(self) -> str:
        """Return a digest of the tables' and views' definitions; see the port."""
        with self._opened() as connection:
            schema = read_schema(connection)
        return hashlib.sha256(repr(schema).encode(errors="replace")).hexdigest()[:16]

    def read_catalog(self) -> Catalog:
        """Read the catalog; sampling and counting stop after a few seconds. See the port for errors."""
        with self._opened() as connection:
            tables = read_tables(connection)
        if not tables:
            raise DatabaseEmpty(
                f"The database {self.path.name} has no tables.", remedy="Check that it is the right file."
            )
        return Catalog(
            name=self.path.stem, dialect="sqlite", server=f"SQLite {sqlite3.sqlite_version}", tables=tables
        )

    def read_texts(self, wanted: Sequence[TextColumn], limits: TextLimits) -> tuple[ColumnTexts, ...]:
        """Read columns one after the other; see the port."""
        with self._opened() as connection:
            return read_texts(connection, wanted, limits)

    def check_account(self) -> None:
        """Make sure of the driver; of accounts SQLite has none, and the file is open for reading only."""
        with self._opened() as connection, suppress(sqlite3.ProgrammingError):
            connection.execute("SELECT 1; SELECT 2")
            raise DatabaseError("The driver runs several statements at once.", remedy="Use another Python.")

    def query(self, sql: str, limits: QueryLimits, cancelled: Event | None = None) -> ResultSet:
        """Run one statement read-only; see the port.

        Text that is an ISO date or time in all of a column's rows becomes dates: SQLite has no such type.
        """
        with self.stream(sql, limits, cancelled) as stream:
            rows, cut_by = collect(stream.rows, limits)
        return result_set(stream.names, _with_dates(rows), cut_by, stream.declared)

    @contextmanager
    def stream(self, sql: str, limits: QueryLimits, cancelled: Event | None = None) -> Iterator[RowStream]:
        """Run one statement and lend its rows one by one, without a limit on their number; see the port."""
        refuse_unreadable_text(sql)
        cancelled = cancelled or Event()
        refuse_cancelled(cancelled)
        deadline = time.monotonic() + limits.seconds

        def is_due() -> bool:
            return cancelled.is_set() or time.monotonic() > deadline

        with cancellable(cancelled), self._opened(sql) as connection:
            _load_modules(connection)
            counts = {} if limits.in_background else row_counts(connection, sql)
            connection.set_authorizer(_authorize)
            connection.set_progress_handler(is_due, STEPS_BETWEEN_CHECKS)
            try:
                if not limits.in_background:
                    self._refuse_expensive(connection, sql, counts, limits)
                yield _run(connection, sql, limits, cancelled)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT and not is_due():
                    # SQLite turns a Ctrl-C that falls into the progress handler into an interrupt.
                    raise KeyboardInterrupt from None
                raise

    def _refuse_expensive(
        self, connection: sqlite3.Connection, sql: str, counts: Mapping[str, int], limits: QueryLimits
    ) -> None:
        """Look at the plan; what SQLite says here against the statement, it says again when it runs."""
        explain = f"EXPLAIN QUERY PLAN {sql}"
        with suppress(QueryFailed), translated(self.path, explain):
            estimate = estimate_plan(connection.execute(explain).fetchall(), counts)
            refuse_expensive(estimate, sql, "sqlite", limits)

    @contextmanager
    def _opened(self, sql: str = "") -> Iterator[sqlite3.Connection]:
        with translated(self.path):
            connection = self._connect()
        with closing(connection), translated(self.path, sql):
            yield connection

    def _connect(self) -> sqlite3.Connection:
        problem = file_problem(self.path)
        if problem:
            raise problem
        try:
            return _connect(f"{self.path.absolute().as_uri()}?mode=ro")
        except sqlite3.OperationalError:
            # A database in WAL mode wants to write beside itself even to be read. Where it cannot, it is
            # safe to call it unchanging as long as no writer has left anything in its log.
            if not self._is_quiet_wal_file():
                raise
            return _connect(f"{self.path.absolute().as_uri()}?mode=ro&immutable=1")

    def _is_quiet_wal_file(self) -> bool:
        log = self.path.with_name(self.path.name + "-wal")
        try:
            with self.path.open("rb") as file:
                in_wal_mode = file.read(20)[18:20] == b"\x02\x02"
            writable = os.access(self.path.parent, os.W_OK)
            return in_wal_mode and not writable and not (log.exists() and log.stat().st_size)
        except OSError:
            return False


def _connect(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        connection.text_factory = lambda data: data.decode("utf-8", errors="replace")
        if hasattr(connection, "enable_load_extension"):  # some builds of Python leave it out
            connection.enable_load_extension(False)  # noqa: FBT003  # the C function takes no name
        connection.create_function("sha2", 2, sha2, deterministic=True)
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, VALUE_BYTES)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, PATTERN_BYTES)
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA schema_version").fetchone()  # the first look into the file
    except BaseException:
        connection.close()
        raise
    return connection


def sha2(value: bytes | None, bits: int) -> str | None:
    """Return the digest that MySQL's function of this name returns: an access policy masks with it."""
    return None if value is None else hashlib.new(f"sha{bits}", value).hexdigest()


def _load_modules(connection: sqlite3.Connection) -> None:
    """Use each virtual table once: then its module declares its columns, which an authorizer would refuse."""
    virtual = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE VIRTUAL%'"
    names = [name for (name,) in connection.execute(virtual)]
    for name in ("json_each", "json_tree", *names):
        with suppress(sqlite3.OperationalError):  # no such module: then the statement cannot use it either
            quoted = '"' + name.replace('"', '""') + '"'
            connection.execute(f"SELECT 1 FROM {quoted} LIMIT 0")  # noqa: S608  # quoted


def _authorize(action: int, first: str | None, second: str | None, _schema: object, _view: object) -> int:
    """Allow what reading takes; SQLite asks for each table, column and function while it prepares."""
    if action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE):
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_READ and not str(first).casefold().startswith("sqlite_"):
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_FUNCTION and second not in _DENIED_FUNCTIONS:
        return sqlite3.SQLITE_OK
    # A full-text table asks this before each search, to learn whether its cache still holds.
    if action == sqlite3.SQLITE_PRAGMA and first == "data_version" and second is None:
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def _run(connection: sqlite3.Connection, sql: str, limits: QueryLimits, cancelled: Event) -> RowStream:
    cursor = connection.execute(sql)
    if cursor.description is None:
        text = "The statement returns no rows; write a SELECT."
        raise QueryFailed(text, feedback=text)
    return RowStream([column[0] for column in cursor.description], _rows(cursor, limits, cancelled))


def _rows(cursor: sqlite3.Cursor, limits: QueryLimits, cancelled: Event) -> Iterator[tuple[Cell, ...]]:
    for row in cursor:
        refuse_cancelled(cancelled)
        yield tuple(cut_cell(value, limits.cell_characters) for value in row)


def _with_dates(rows: list[tuple[Cell, ...]]) -> list[tuple[Cell, ...]]:
    columns = [_dates_or_same(column) for column in zip(*rows, strict=True)]
    return list(zip(*columns, strict=True)) if columns else rows


def _dates_or_same(column: Sequence[Cell]) -> Sequence[Cell]:
    filled = [value for value in column if value is not None]
    for pattern, read in ((_DATE, date.fromisoformat), (_DATETIME, datetime.fromisoformat)):
        if filled and all(isinstance(value, str) and pattern.fullmatch(value) for value in filled):
            try:
                return [None if value is None else read(str(value)) for value in column]
            except ValueError:  # the 30th of February
                return column
    return column
