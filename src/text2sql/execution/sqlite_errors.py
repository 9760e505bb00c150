"""Translates SQLite's errors into ours, with our own words; nothing of a stored value gets through."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from text2sql.errors import (
    DatabaseAccessDenied,
    DatabaseCorrupt,
    DatabaseNotFound,
    DatabaseUnavailable,
    QueryFailed,
    QueryTimedOut,
    SchemaChanged,
    Text2SqlError,
)
from text2sql.execution.statement import names_within

_REFUSED = "The database refused the statement."
# What a statement that names only what the catalog has cannot cause by itself.
_SCHEMA_CHANGE = re.compile(r"no such (?:column|table): ")

# What SQLite says about a statement (all of it under one error code), what we say, and which of its words
# may be repeated: those that the statement holds too.
_STATEMENT_PROBLEMS: tuple[tuple[str, str], ...] = (
    (r"no such column: (.+)", "Unknown column{} in the statement."),
    (r"no such table: (.+)", "Unknown table{} in the statement."),
    (r"no such function: (.+)", "Unknown function{} in the statement."),
    (r"ambiguous column name: (.+)", "The column name{} is ambiguous: write its table before it."),
    (r"misuse of aggregate(?: function)?:? (\w+)\(\)", "The aggregate{} stands where none may stand."),
    (r"misuse of aggregate: (.+)", "The aggregate{} stands where none may stand."),
    (r"misuse of aliased (?:aggregate|window function) (.+)", "The aggregate{} stands where none may stand."),
    (r"misuse of window function (\w+)\(\)", "The window function{} stands where none may stand."),
    (r"wrong number of arguments to function (\w+)\(\)", "Wrong number of arguments to the function{}."),
    (r"(?s)near \"(.+)\": syntax error", "Syntax error in the statement near{}."),
    (r"You can only execute one statement at a time\.?", "Only one statement may run."),
    (r"incomplete input", "The statement ends too early."),
    (r"a GROUP BY clause is required before HAVING", "HAVING needs a GROUP BY."),
    (r"aggregate functions are not allowed in the GROUP BY clause", "GROUP BY may hold no aggregate."),
    (
        r"SELECTs to the left and right of [A-Z ]+ do not have the same number of result columns",
        "Both sides of the UNION need the same number of columns.",
    ),
    (r"sub-select returns \d+ columns - expected \d+", "A subquery returns the wrong number of columns."),
    (
        r".*ORDER BY term does not match any column in the result set",
        "ORDER BY names no column of the UNION.",
    ),
)
# What is wrong with the file or the moment, by code; `{}` is the file's name.
_DAMAGED = (
    DatabaseCorrupt,
    "The file {} is no SQLite database, or is damaged.",
    "Check the path, or restore the file from a backup.",
)
_LOCKED = (
    DatabaseUnavailable,
    "The database {} is locked by another program.",
    "Try again when it is done.",
)
_UNREADABLE = (
    DatabaseUnavailable,
    "The database {} cannot be read at the moment.",
    "Check the disk and the memory that is left.",
)
_FILE_PROBLEMS: dict[int, tuple[type[Text2SqlError], str, str]] = {
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_PROTOCOL: _LOCKED,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_IOERR: _UNREADABLE,
    sqlite3.SQLITE_FULL: _UNREADABLE,
    sqlite3.SQLITE_NOMEM: _UNREADABLE,
    sqlite3.SQLITE_INTERRUPT: (
        QueryTimedOut,
        "The statement took too long and was stopped.",
        "Ask for less, or raise TEXT2SQL_QUERY_TIMEOUT.",
    ),
}
_CANNOT_OPEN = frozenset({sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM})
_STATEMENT_CODES = {
    sqlite3.SQLITE_AUTH: "The statement does something that is not allowed here; only reading is.",
    sqlite3.SQLITE_TOOBIG: "The statement makes a value that is too large.",
}


@contextmanager
def translated(path: Path, sql: str = "") -> Iterator[None]:
    """Raise our errors `from` SQLite's; without `sql` the work was ours, not a statement's."""
    try:
        yield
    except sqlite3.Error as error:
        raise translation(error, path, sql) from error


def translation(error: sqlite3.Error, path: Path, sql: str) -> Text2SqlError:
    """Return our error for one of SQLite's, by its code."""
    code = (getattr(error, "sqlite_errorcode", None) or sqlite3.SQLITE_ERROR) & 0xFF
    if code in _CANNOT_OPEN:
        return file_problem(path) or DatabaseUnavailable(
            f"The database {path.name} is in use, and its folder cannot be written.",
            remedy="Let its writer finish, or copy the file with its -wal file to a folder of yours.",
        )
    if code in _FILE_PROBLEMS:
        problem, text, remedy = _FILE_PROBLEMS[code]
        return problem(text.format(path.name), remedy=remedy)
    if not sql:
        return DatabaseCorrupt(f"The schema of {path.name} cannot be read.")
    text = _STATEMENT_CODES.get(code) or _statement_problem(str(error), sql)
    kind = SchemaChanged if _SCHEMA_CHANGE.match(str(error)) else QueryFailed
    return kind(text, feedback=text)


def file_problem(path: Path) -> Text2SqlError | None:
    """Return why there is no file to open; SQLite itself would wait for a pipe, and read a folder."""
    try:
        if path.is_dir():
            return DatabaseNotFound(
                f"{path} is a folder, not a database file.", remedy="Name the file in it."
            )
        if not path.exists():
            return DatabaseNotFound(
                f"There is no file {path}.", remedy="Check the path; a relative one counts from this folder."
            )
        if not path.is_file():
            return DatabaseNotFound(f"{path} is no file.")
        with path.open("rb"):
            return None
    except PermissionError:
        return DatabaseAccessDenied(
            f"The file {path} may not be read by this user.", remedy="Change the rights of file and folder."
        )
    except OSError:
        return DatabaseNotFound(f"The path {path} cannot be opened.")


def _statement_problem(message: str, sql: str) -> str:
    for pattern, text in _STATEMENT_PROBLEMS:
        found = re.fullmatch(pattern, message)
        if found:
            names = names_within(found.groups(), sql, "sqlite")
            return text.format(f" '{names[0]}'" if names else "")
    return _REFUSED
