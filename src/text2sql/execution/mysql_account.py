"""Judges what SHOW GRANTS tells of an account, and makes one that only reads."""

import re
from collections.abc import Iterable, Iterator
from contextlib import closing

import pymysql

from text2sql.errors import DatabaseAccessDenied, DatabaseAccountCanWrite
from text2sql.execution.mysql_errors import errno, translated
from text2sql.execution.mysql_session import connect
from text2sql.execution.url import MysqlUrl

READING = frozenset({"USAGE", "SELECT", "SHOW VIEW"})
"""The privileges that an account may have; any other, known or not, makes it unfit."""

SECONDS = 10.0
"""For signing in as an administrator, and for each of its statements."""

_NOT_ALLOWED = (1044, 1227)
_QUOTED = re.compile(r"`(?:[^`]|``)*`|'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\"")
_COLUMNS = re.compile(r"\([^)]*\)")
_PRIVILEGES = re.compile(r"GRANT (.+?) ON .+")
_ROLES = re.compile(r"GRANT Q(?:@Q)?(?:, ?Q(?:@Q)?)* TO .+")
_HARMLESS = re.compile(r"(?:REVOKE|SET DEFAULT ROLE) .+")
_MAY_GIVE_ON = re.compile(r" WITH .*\b(GRANT|ADMIN) OPTION\b")


def refuse_writing_account(grants: Iterable[str], url: MysqlUrl) -> None:
    """Refuse an account that may do more than read; `grants` are the lines of SHOW GRANTS.

    Raises:
        DatabaseAccountCanWrite: it may.
    """
    found = sorted({each for line in grants for each in _privileges(line)} - READING)
    if found:
        raise DatabaseAccountCanWrite(
            f"The user {url.user} may do more than read: {', '.join(found)}.",
            remedy=f"Make a user that can only read, with a password of yours, and connect as that one:\n"
            f"{reader_statements(url.database)}\n"
            "For a database that you can throw away, --i-know or TEXT2SQL_I_KNOW=true goes on.",
        )


def reader_statements(database: str) -> str:
    """Return what to run for an account that can only read this database."""
    return (
        "CREATE USER 'text2sql_reader'@'%' IDENTIFIED BY '…';\n"
        f"GRANT SELECT, SHOW VIEW ON {_only(database)}.* TO 'text2sql_reader'@'%';"
    )


def make_reader(administrator: MysqlUrl, reader: MysqlUrl) -> None:
    """Make the account `reader`, which can only read its database, and by TLS alone.

    Where it is there already, it gets this password; what else it may do is left for `check_account` to find.

    Raises:
        DatabaseAccessDenied: the administrator may not do it.
        DatabaseError: as the port says.
    """
    account = {"user": reader.user, "password": reader.password.get_secret_value()}
    statements = (
        "CREATE USER IF NOT EXISTS %(user)s@'%%' IDENTIFIED BY %(password)s REQUIRE SSL",
        "ALTER USER %(user)s@'%%' IDENTIFIED BY %(password)s REQUIRE SSL",
        f"GRANT SELECT, SHOW VIEW ON {_only(reader.database).replace('%', '%%')}.* TO %(user)s@'%%'",
    )
    with (
        translated(administrator, "an account"),
        closing(connect(administrator, connect_timeout=SECONDS, read_timeout=SECONDS)) as connection,
        connection.cursor() as cursor,
    ):
        for statement in statements:
            try:
                cursor.execute(statement, account)
            except pymysql.OperationalError as error:
                if errno(error) not in _NOT_ALLOWED:
                    raise
                raise DatabaseAccessDenied(
                    f"The user {administrator.user} may not make accounts, or not give them this database.",
                    remedy="Let it be the database's administrator: on RDS, the master user.",
                ) from error


def _only(database: str) -> str:
    """Return the name of a database as GRANT reads it, where `_` and `%` stand for other letters."""
    return "`" + re.sub(r"([_%\\])", r"\\\1", database).replace("`", "``") + "`"


def _privileges(line: str) -> Iterator[str]:
    """Yield what a line grants; the whole line where it is of no known form."""
    plain = _COLUMNS.sub("", _QUOTED.sub("Q", line))
    option = _MAY_GIVE_ON.search(plain)
    if option:
        yield f"{option.group(1)} OPTION"
    granted = _PRIVILEGES.fullmatch(plain)
    if granted:
        yield from (" ".join(each.split()) for each in granted.group(1).split(","))
    elif not _ROLES.fullmatch(plain) and not _HARMLESS.fullmatch(plain):
        yield plain
