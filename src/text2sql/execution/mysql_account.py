"""Judges what SHOW GRANTS tells of an account, and writes the statements for one that only reads."""

import re
from collections.abc import Iterable, Iterator

from text2sql.errors import DatabaseAccountCanWrite
from text2sql.execution.url import MysqlUrl

READING = frozenset({"USAGE", "SELECT", "SHOW VIEW"})
"""The privileges that an account may have; any other, known or not, makes it unfit."""

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
    schema = re.sub(r"([_%\\])", r"\\\1", database).replace("`", "``")
    return (
        "CREATE USER 'text2sql_reader'@'%' IDENTIFIED BY '…';\n"
        f"GRANT SELECT, SHOW VIEW ON `{schema}`.* TO 'text2sql_reader'@'%';"
    )


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
