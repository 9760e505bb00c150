"""Opens read-only sessions on a MySQL or MariaDB server, and stops statements; it asks no question."""

import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import date
from threading import Event, Thread
from typing import Any, NamedTuple

import pymysql
from pymysql.constants import CR, FIELD_TYPE
from pymysql.converters import conversions, convert_date, convert_datetime
from pymysql.cursors import SSCursor

from text2sql.errors import DatabaseUnavailable
from text2sql.execution.flavour import Flavour, detect_flavour
from text2sql.execution.url import MysqlUrl

LOCK_SECONDS = 2
"""How long a statement waits for another's lock."""
GRACE_SECONDS = 0.5
"""How long the server may take beyond a limit until a second connection stops the statement."""
SILENCE_SECONDS = 3.0
"""How long beyond a limit a server may say nothing until the connection counts as lost."""
WATCH_SECONDS = 0.05
"""How long a cancelled statement may go on until it is noticed."""
STOP_AGAIN_SECONDS = 0.5
"""How long a statement may go on after it was stopped: a stop that comes between two statements is lost."""

VECTOR = 242
"""The number of MySQL's VECTOR type, which PyMySQL does not know."""

# Words of sql_mode that change what a quote, `||` or NOT means, and the old combinations that hold them.
_GRAMMAR_MODES = frozenset(
    "ANSI ANSI_QUOTES PIPES_AS_CONCAT NO_BACKSLASH_ESCAPES HIGH_NOT_PRECEDENCE IGNORE_SPACE ORACLE MSSQL DB2 "
    "POSTGRESQL MAXDB EMPTY_STRING_IS_NULL".split()
)


class Session(NamedTuple):
    """A connection in a read-only transaction."""

    connection: "pymysql.Connection[Any]"
    flavour: Flavour
    id: int


class StreamingCursor(SSCursor):
    """Reads row by row and can be left in the middle; PyMySQL's own would read on to the last row."""

    _result: Any  # the stubs leave it out

    def execute(self, query: str, args: object = None) -> int:
        """Run the statement; a VECTOR is left as it comes, where PyMySQL would take it for ASCII."""
        count = super().execute(query, args)
        if self._result.field_count:
            columns = zip(self._result.fields, self._result.converters, strict=True)
            self._result.converters = [
                (None, None) if field.type_code == VECTOR else known for field, known in columns
            ]
        return count

    @property
    def is_streaming(self) -> bool:
        """Whether the server has rows, or an error, that are not read yet."""
        return bool(self._result and self._result.unbuffered_active and self.connection.open)

    def close(self) -> None:
        """Let go of the result; the connection must be closed next."""
        if self._result is not None:
            self._result.unbuffered_active = False
        self.connection = None  # type: ignore[assignment]  # as PyMySQL does


def _date_or_text(value: str | bytes) -> date | str | None:
    """Return a date; None for MySQL's `0000-00-00`, text for a date like `2024-00-00`."""
    text = value.decode() if isinstance(value, bytes) else value
    return None if text.startswith("0000-00-00") else convert_date(text)


def _datetime_or_text(value: str | bytes) -> date | str | None:
    text = value.decode() if isinstance(value, bytes) else value
    return None if text.startswith("0000-00-00") else convert_datetime(text)


def _bits(value: bytes) -> int:
    return int.from_bytes(value, "big")


_CONVERSIONS = {
    **conversions,
    FIELD_TYPE.DATE: _date_or_text,
    FIELD_TYPE.DATETIME: _datetime_or_text,
    FIELD_TYPE.TIMESTAMP: _datetime_or_text,
    FIELD_TYPE.BIT: _bits,
}


def _tls_context(url: MysqlUrl) -> ssl.SSLContext:
    if url.ssl_verify:
        context = ssl.create_default_context(cafile=url.ssl_ca)
        # A certificate that MySQL made for itself lacks what Python asks for since 3.13.
        context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
        return context
    # Made by hand: the default one reads the system's certificates, 20 ms for each connection.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def connect(url: MysqlUrl, *, connect_timeout: float, read_timeout: float) -> "pymysql.Connection[Any]":
    """Open a connection; both times are seconds.

    Raises:
        DatabaseUnavailable: the login would take cryptography, which the functions go without.
    """

    def opened(**tls: Any) -> "pymysql.Connection[Any]":
        return pymysql.connect(
            host=url.host,
            port=url.port,
            user=url.user,
            # PyMySQL would encode text as Latin-1.
            password=url.password.get_secret_value().encode(),
            database=url.database,
            unix_socket=url.unix_socket,
            charset="utf8mb4",
            conv=_CONVERSIONS,  # type: ignore[arg-type]  # the stubs know no decoder of bytes
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            write_timeout=read_timeout,
            local_infile=False,
            autocommit=None,  # the server's own; saves a round trip
            program_name="text2sql",
            **tls,
        )

    try:
        return _open(url, opened)
    except RuntimeError as error:
        raise DatabaseUnavailable(
            "The server's login takes a line with TLS here.", remedy="Let the server take TLS connections."
        ) from error


def _open(url: MysqlUrl, opened: "Callable[..., pymysql.Connection[Any]]") -> "pymysql.Connection[Any]":
    if url.ssl == "disabled":
        return opened(ssl_disabled=True)
    try:
        return opened(ssl=_tls_context(url))
    except pymysql.OperationalError as error:
        if url.ssl == "preferred" and error.args[0] == CR.CR_SSL_CONNECTION_ERROR:
            return opened(ssl_disabled=True)
        raise


@contextmanager
def read_only_session(
    url: MysqlUrl, *, seconds: float, connect_timeout: float, for_catalog: bool = False
) -> Iterator[Session]:
    """Open a session whose every SELECT ends after `seconds`, and close it."""
    connection = connect(url, connect_timeout=connect_timeout, read_timeout=seconds + SILENCE_SECONDS)
    with closing(connection):
        with connection.cursor() as cursor:
            cursor.execute("SELECT VERSION(), CONNECTION_ID(), @@SESSION.sql_mode")
            version, number, mode = cursor.fetchone()
            flavour = detect_flavour(str(version))
            kept = ",".join(word for word in str(mode).split(",") if word not in _GRAMMAR_MODES)
            settings = [
                flavour.statement_limit(seconds),
                flavour.recursion_limit,
                f"lock_wait_timeout = {LOCK_SECONDS}",
                f"innodb_lock_wait_timeout = {LOCK_SECONDS}",
                f"sql_mode = '{kept}'",
                *(flavour.catalog_settings if for_catalog else flavour.plan_settings),
            ]
            cursor.execute("SET SESSION " + ", SESSION ".join(settings))
            cursor.execute("SET SESSION TRANSACTION READ ONLY")
            cursor.execute("START TRANSACTION READ ONLY")
        yield Session(connection, flavour, int(number))


def stop(url: MysqlUrl, connection_id: int) -> None:
    """Stop the statement of another connection of this user; says nothing where there is none to stop.

    KILL QUERY, not KILL CONNECTION: MySQL 9.7 that is made to close a TLS connection while it writes to it
    can write into the next one, which then breaks.
    """
    with suppress(pymysql.MySQLError, OSError):
        connection = connect(url, connect_timeout=SILENCE_SECONDS, read_timeout=SILENCE_SECONDS)
        with closing(connection), connection.cursor() as cursor:
            cursor.execute(f"KILL QUERY {connection_id:d}")


@contextmanager
def stopped_when_due(url: MysqlUrl, connection_id: int, seconds: float, cancelled: Event) -> Iterator[None]:
    """Stop the statement when `seconds` have passed, `cancelled` is set, or the block is left by Ctrl-C.

    The server's own limit comes first; this holds where it does not apply.
    """
    ended = Event()
    deadline = time.monotonic() + seconds
    watch = Thread(target=_watch, args=(url, connection_id, deadline, cancelled, ended), daemon=True)
    watch.start()
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        stop(url, connection_id)
        raise
    finally:
        ended.set()
        watch.join()  # a stop that has begun must not hit what comes after


def _watch(url: MysqlUrl, connection_id: int, deadline: float, cancelled: Event, ended: Event) -> None:
    pause = WATCH_SECONDS
    while not ended.wait(pause):
        if cancelled.is_set() or time.monotonic() > deadline:
            stop(url, connection_id)
            pause = STOP_AGAIN_SECONDS
