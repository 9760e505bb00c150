"""The allow-list of functions against real servers: what is on it exists, and is no routine of a schema."""

import sqlite3

import pymysql
from pymysql.cursors import Cursor

from servers import Server
from text2sql.validation.function_names import FUNCTIONS

NO_SUCH_ROUTINE = {1305, 1046, 1370, 1630}
"""Unknown function; no database selected to look for it in; no right to run it; unknown function."""
CALLS = ("1, 2", "1, 2, 3, 4, 5, 6, 7")
LATER_THAN_SQLITE_3_40 = {"CONCAT", "CONCAT_WS", "IF", "OCTET_LENGTH", "TIMEDIFF", "UNHEX"}


def _unknown(server: Server, names: frozenset[str]) -> set[str]:
    """Return those that the server does not know, whatever it says of their arguments."""
    with server.connect() as connection, connection.cursor() as cursor:
        return {name for name in names if not any(_is_known(cursor, name, call) for call in CALLS)}


def _is_known(cursor: Cursor, name: str, arguments: str) -> bool:
    try:
        cursor.execute(f"SELECT {name}({arguments})")
    except pymysql.MySQLError as error:
        return error.args[0] not in NO_SUCH_ROUTINE
    return True


def test_mariadb_knows_every_allowed_function(mariadb_server: Server) -> None:
    assert _unknown(mariadb_server, FUNCTIONS["mariadb"]) == set()


def test_mysql_knows_every_allowed_function(mysql_server: Server) -> None:
    assert _unknown(mysql_server, FUNCTIONS["mysql"]) == set()


def test_sqlite_knows_every_allowed_function() -> None:
    connection = sqlite3.connect(":memory:")
    known = {name.upper() for (name,) in connection.execute("SELECT DISTINCT name FROM pragma_function_list")}
    connection.close()
    assert FUNCTIONS["sqlite"] - known - LATER_THAN_SQLITE_3_40 == set()


def test_an_unknown_function_is_noticed(mariadb_server: Server, mysql_server: Server) -> None:
    for server in (mariadb_server, mysql_server):
        assert _unknown(server, frozenset(("NO_SUCH_FUNCTION",))) == {"NO_SUCH_FUNCTION"}
