"""Translates PyMySQL's errors into ours, by number and with our own words.

A server's message can hold stored values. Only names that the statement holds too are taken from it.
"""

import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pymysql

from text2sql.errors import (
    DatabaseAccessDenied,
    DatabaseNotFound,
    DatabaseUnavailable,
    QueryFailed,
    QueryTimedOut,
    QueryTooExpensive,
    SchemaChanged,
    Text2SqlError,
)
from text2sql.execution.statement import names_within
from text2sql.execution.url import MysqlUrl

# What each of these says about the statement, and `{}` is where a name stands.
_STATEMENT_PROBLEMS: dict[int, str] = {
    1052: "The column name{} is ambiguous: write its table before it.",
    1054: "Unknown column{} in the statement.",
    1055: "The column{} is neither in GROUP BY nor inside an aggregate: add it to GROUP BY.",
    1056: "GROUP BY may not hold the aggregate{}.",
    1060: "The column name{} occurs twice in a subquery.",
    1064: "Syntax error in the statement near{}.",
    1066: "The table or alias{} occurs twice in one FROM.",
    1109: "Unknown table{} in the statement.",
    1111: "An aggregate stands where none may stand.",
    1128: "The function{} is not known here.",
    1140: "The statement mixes aggregates with the column{}: add GROUP BY with it, or leave it out.",
    1142: "The database user may not read the table{}.",
    1143: "The database user may not read the column{}.",
    1146: "Unknown table{} in the statement.",
    1176: "Unknown index{} in the statement.",
    1222: "Both sides of the UNION need the same number of columns.",
    1235: "The server does not support a form that the statement uses.",
    1241: "A subquery returns the wrong number of columns.",
    1242: "A subquery that must return one row returns several.",
    1247: "The name{} cannot be used before it is defined.",
    1248: "Every derived table needs an alias.",
    1267: "The statement compares texts of different collations.",
    1290: "The server does not allow what the statement does.",
    1305: "Unknown function{} in the statement.",
    1356: "The view{} is broken, or this user may not read what it reads.",
    1370: "The database user may not run the function{}.",
    1412: "A table's definition changed while the statement began.",
    1582: "Wrong number of arguments to the function{}.",
    1583: "Wrong arguments to the function{}.",
    1630: "Unknown function{} in the statement.",
    1690: "A number in the statement goes out of its range.",
    1792: "The statement would change something; only reading is allowed.",
    3029: "ORDER BY holds an aggregate, and the statement is not grouped.",
    3065: "ORDER BY holds the column{}, which a SELECT DISTINCT does not select.",
    3593: "The window function{} stands where none may stand.",
    3636: "The recursive CTE did not end within the allowed rounds.",
}
# Those of them that a statement which names only what the catalog has cannot cause by itself.
_SCHEMA_CHANGES = frozenset({1054, 1109, 1146, 1356, 1412})
_ACCOUNT = re.compile(r"to user '[^']*'@'[^']*'")
_QUOTED = re.compile(r"'([^']*)'|(`[^`]*`(?:\.`[^`]*`)*)")
_CLIENT_ERRORS = range(2000, 3000)
_ROUTINE = re.compile(r"FUNCTION (\S+) does not exist")
_NEAR_WORDS = 3


@contextmanager
def translated(url: MysqlUrl, sql: str = "") -> Iterator[None]:
    """Raise our errors `from` PyMySQL's; without `sql` the work was ours, not a statement's."""
    try:
        yield
    except pymysql.MySQLError as error:
        raise translation(error, url, sql) from error
    except ssl.SSLError as error:
        raise _no_encryption(url) from error
    except (OSError, EOFError) as error:
        raise _gone(url) from error


def errno(error: BaseException) -> int:
    """Return the server's or PyMySQL's number of an error; 0 where it has none."""
    first = error.args[0] if error.args else 0
    return first if isinstance(first, int) else 0


def translation(error: pymysql.MySQLError, url: MysqlUrl, sql: str) -> Text2SqlError:
    """Return our error for one of PyMySQL's, by its number."""
    number = errno(error)
    if isinstance(getattr(error, "original_exception", None), ssl.SSLError):
        return _no_encryption(url)
    if number in _CONNECTION_PROBLEMS:
        return _CONNECTION_PROBLEMS[number](url)
    if not sql or number == 0 or number in _CLIENT_ERRORS:
        return _gone(url)
    text = _statement_problem(number, error, sql)
    return SchemaChanged(text, feedback=text) if number in _SCHEMA_CHANGES else query_failed(text)


def query_failed(text: str) -> QueryFailed:
    """Return the error for a statement; `text` is for the model as well."""
    return QueryFailed(text, feedback=text)


def timed_out() -> QueryTimedOut:
    """Return the error for a statement that was stopped."""
    return QueryTimedOut(
        "The statement took too long and was stopped.",
        remedy="Ask for less, or raise TEXT2SQL_QUERY_TIMEOUT.",
    )


def _gone(url: MysqlUrl) -> Text2SqlError:
    return DatabaseUnavailable(
        f"The server {_place(url)} cannot be reached, or went away.",
        remedy="Check that it runs, its host and port, and that a firewall lets you through.",
    )


def _busy(url: MysqlUrl) -> Text2SqlError:
    return DatabaseUnavailable(
        f"The server {_place(url)} is too busy, or a lock holds the tables.", remedy="Try again later."
    )


def _no_login(url: MysqlUrl) -> Text2SqlError:
    return DatabaseAccessDenied(
        f"The server {_place(url)} refuses the user {url.user}.",
        remedy="Check the user, the password (TEXT2SQL_DATABASE_PASSWORD) and where the user may come from.",
    )


def _no_encryption(url: MysqlUrl) -> Text2SqlError:
    return DatabaseAccessDenied(
        f"The server {_place(url)} and this program do not agree on TLS.",
        remedy="Check ssl, ssl_ca and ssl_verify of the database URL.",
    )


def _no_privilege(url: MysqlUrl) -> Text2SqlError:
    return DatabaseAccessDenied(
        f"The user {url.user} may not use the database {url.database}.",
        remedy="Give the user SELECT on the database's tables.",
    )


def _no_database(url: MysqlUrl) -> Text2SqlError:
    return DatabaseNotFound(
        f"The server {_place(url)} has no database {url.database}.", remedy="Check its spelling and case."
    )


def _too_expensive(_url: MysqlUrl) -> Text2SqlError:
    return QueryTooExpensive(
        "The statement would read more rows than the server allows.", remedy="Ask for a shorter period."
    )


_CONNECTION_PROBLEMS: dict[int, Callable[[MysqlUrl], Text2SqlError]] = {
    # KILL QUERY, MariaDB's limit, MySQL's limit
    **dict.fromkeys((1317, 1969, 3024), lambda _url: timed_out()),
    **dict.fromkeys((1045, 1130, 1251, 1698, 1820, 1862, 2059, 3118, 4151), _no_login),
    **dict.fromkeys((2026, 3159), _no_encryption),
    **dict.fromkeys((1040, 1203, 1205, 1213, 1226), _busy),
    **dict.fromkeys((1053, 1129, 1152, 1153, 1158, 1159, 1160, 1161, 1927, 4031), _gone),
    1044: _no_privilege,
    1049: _no_database,
    1104: _too_expensive,
}


def _place(url: MysqlUrl) -> str:
    return url.unix_socket or f"{url.host}:{url.port}"


def _statement_problem(number: int, error: pymysql.MySQLError, sql: str) -> str:
    text = _STATEMENT_PROBLEMS.get(number)
    if text is None:
        return "The database refused the statement."
    message = str(error.args[1]) if len(error.args) > 1 else ""
    if number == 1064:  # noqa: PLR2004  # ER_PARSE_ERROR repeats the rest of the statement
        near = re.search(r"near '(.*)' at line", message, re.DOTALL)
        words = re.findall(r"[\w$]+", near.group(1))[:_NEAR_WORDS] if near else []
        name = " ".join(names_within(words, sql, "mysql"))
        return text.format(f" '{name}'") if name else "Syntax error in the statement."
    quoted = (first or second for first, second in _QUOTED.findall(_ACCOUNT.sub("", message)))
    candidates = [each.replace("`", "") for each in (*quoted, *_ROUTINE.findall(message))]
    names = names_within(candidates, sql, "mysql")
    return text.format(f" '{names[0]}'" if names else "")
