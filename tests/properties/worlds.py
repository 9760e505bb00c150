"""Databases with the small shop in them, over-privileged on purpose, and all that a statement could change.

Only the validator stands between a statement and them.
"""

import sqlite3
from collections import Counter
from collections.abc import Hashable, Iterable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import pymysql
from hostile_sql import CANARY, FILE, LOCKS, VARIABLES

from servers import Server
from small_shop import SCRIPT
from text2sql.messages import Dialect

Rows: TypeAlias = Counter[tuple[Hashable, ...]]
"""A multiset of rows."""
State: TypeAlias = dict[str, object]
"""By what it is: all that must stay as it was."""

SECONDS = 1.5
"""A statement is stopped then, so that a test goes on."""
_SECRETS = (
    "CREATE TABLE secrets (value VARCHAR(40) NOT NULL PRIMARY KEY)",
    f"INSERT INTO secrets VALUES ('{CANARY}')",
    "CREATE VIEW secret_view AS SELECT value FROM secrets",
)


class World(Protocol):
    """A database that a statement may do anything to."""

    dialect: Dialect

    def build(self) -> None:
        """Make everything anew, over a fresh session."""

    def state(self) -> State:
        """Look at all that a statement could have changed."""

    def run(self, sql: str) -> Rows | None:
        """Run a statement with all rights; None where the database refuses it."""


class MariadbWorld:
    """The shop on a server, in an open transaction of an administrator."""

    dialect: Dialect = "mariadb"

    def __init__(self, server: Server) -> None:
        self._server = server
        self._session: pymysql.Connection[Any] | None = None

    def build(self) -> None:
        """Make the shop, and beyond the catalog secrets, a function that writes, and a sequence."""
        self.close()
        (self._server.folder / "data" / "shop" / FILE).unlink(missing_ok=True)
        self._server.execute(
            "DROP DATABASE IF EXISTS shop",
            "CREATE DATABASE shop CHARACTER SET utf8mb4",
            "DROP USER IF EXISTS stolen",
            f"CREATE OR REPLACE USER {CANARY}@localhost",
            f"GRANT ALL ON *.* TO {CANARY}@localhost WITH GRANT OPTION",
        )
        self._server.execute(
            *SCRIPT.replace("TEXT", "VARCHAR(40)").replace("REAL", "DECIMAL(10, 2)").split(";")[:-1],
            *_SECRETS,
            "CREATE FUNCTION change_it() RETURNS INT BEGIN UPDATE orders SET status = 'x'; RETURN 1; END",
            "CREATE SEQUENCE numbers NOCACHE",
            database="shop",
        )
        self._session = pymysql.connect(
            host=self._server.host,
            port=self._server.port,
            user=CANARY,
            database="shop",
            charset="utf8mb4",
            autocommit=True,  # so that the end of the transaction shows
            ssl_disabled=True,
        )
        # The server's own bound on recursion is off, so that only the validator's holds.
        self._ask(f"SET SESSION max_statement_time = {SECONDS}, max_recursive_iterations = 4294967295")
        self._ask("START TRANSACTION")

    def close(self) -> None:
        if self._session:
            with suppress(pymysql.MySQLError):
                self._session.close()

    def state(self) -> State:
        names = [f"@{name}" for name in VARIABLES] + [f"IS_USED_LOCK('{name}')" for name in LOCKS]
        return {
            "stored rows": self._ask("CHECKSUM TABLE customers, orders, order_items, secrets, numbers"),
            "tables": self._ask(
                "SELECT table_schema, table_name, create_time FROM information_schema.tables "
                "WHERE table_schema <> 'information_schema'"
            ),
            "routines": self._ask("SELECT routine_schema, routine_name FROM information_schema.routines"),
            "users": self._ask("SELECT * FROM mysql.global_priv ORDER BY host, user"),
            "variables and locks": self._ask(
                f"SELECT {', '.join(names)}, LAST_INSERT_ID(), DATABASE(), @@in_transaction"
            ),
            "session": self._ask(
                "SELECT * FROM information_schema.session_variables WHERE variable_name NOT IN "
                "('TIMESTAMP', 'WARNING_COUNT', 'ERROR_COUNT', 'RAND_SEED1', 'RAND_SEED2')"
            ),
            "server": self._ask(
                "SELECT * FROM information_schema.global_variables WHERE variable_name NOT LIKE 'GTID%'"
            ),
            "kinds of statements that ran": self._ask(
                "SELECT * FROM information_schema.session_status WHERE variable_name LIKE 'COM\\_%' "
                "AND variable_name NOT IN ('COM_SELECT', 'COM_CHECKSUM', 'COM_STMT_REPREPARE')"
            ),
            "rows that are not locked": self._unlocked_rows(),
            "files": _files(self._server.folder / "data"),
        }

    def run(self, sql: str) -> Rows | None:
        try:
            return Counter(self._ask(sql))
        except pymysql.MySQLError:
            return None

    def _ask(self, sql: str) -> tuple[tuple[Any, ...], ...]:
        assert self._session
        with self._session.cursor() as cursor:
            cursor.execute(sql)
            return tuple(cursor.fetchall())

    def _unlocked_rows(self) -> list[object]:
        """Return the rows that another session could lock at once."""
        with closing(self._server.connect("shop")) as other, other.cursor() as cursor:
            cursor.execute("SET SESSION lock_wait_timeout = 0")
            found: list[object] = []
            for table in ("customers", "orders", "order_items", "secrets"):
                cursor.execute(f"SELECT * FROM {table} FOR UPDATE SKIP LOCKED")
                found.append(cursor.fetchall())
        return found


class SqliteWorld:
    """The shop in a file, over a plain connection that may write."""

    dialect: Dialect = "sqlite"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._session: sqlite3.Connection | None = None

    def build(self) -> None:
        """Make the shop and, beyond the catalog, secrets."""
        self.close()
        for path in self._folder.iterdir():
            path.unlink()
        self._session = sqlite3.connect(self._folder / "shop.sqlite", isolation_level=None)
        self._session.executescript(SCRIPT + ";".join(_SECRETS))

    def close(self) -> None:
        if self._session:
            self._session.close()

    def state(self) -> State:
        assert self._session
        pragmas = ("user_version", "schema_version", "journal_mode", "query_only", "database_list")
        return {
            # First of all, for this look itself puts `temp` among the databases.
            "temporary tables": self._session.execute("SELECT * FROM sqlite_temp_master").fetchall(),
            "stored rows and tables": list(self._session.iterdump()),
            "settings": [self._session.execute(f"PRAGMA {name}").fetchall() for name in pragmas],
            "rows ever changed": self._session.total_changes,
            "in a transaction": self._session.in_transaction,
            "last row put in": self._session.execute("SELECT last_insert_rowid()").fetchall(),
            "files": _files(self._folder),
        }

    def run(self, sql: str) -> Rows | None:
        assert self._session
        steps = iter(range(int(SECONDS * 1000)))
        self._session.set_progress_handler(lambda: next(steps, None) is None, 100_000)
        try:
            return Counter(self._session.execute(sql).fetchall())
        except sqlite3.Error:
            return None
        finally:
            self._session.set_progress_handler(None, 0)


def _files(folder: Path) -> list[str]:
    """Return the names of all files but those that a server makes and removes as it pleases."""
    paths: Iterable[Path] = folder.rglob("*")
    return sorted(str(path) for path in paths if not path.name.startswith(("#", "ib", "undo", "aria")))
