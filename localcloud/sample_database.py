"""The sample shop for the local cloud: on a MariaDB of its own where there is one, else in SQLite."""

import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pymysql

from local_cloud import REPOSITORY
from processes import AS_ROOT, child_process, find_programs, free_port

START_SECONDS = 30.0
DATABASE = "shop"
READER = "reader"
_SETTINGS = (
    "--bind-address=127.0.0.1",
    "--skip-name-resolve",
    "--skip-log-bin",
    "--performance-schema=OFF",
    "--innodb-buffer-pool-size=64M",
    "--innodb-log-file-size=16M",
)


@dataclass(frozen=True)
class SampleDatabase:
    """Where the shop is."""

    url: str
    product: str
    password: str = ""


@contextmanager
def open_sample_database(folder: Path, shop: Path, say: Callable[[str], None]) -> Iterator[SampleDatabase]:
    """Lend the shop; `folder` keeps MariaDB's data for the next time, `shop` is the SQLite file."""
    program, install = _find("mariadbd"), _find("mariadb-install-db")
    if program is None or install is None:
        yield SampleDatabase(f"sqlite:///{shop}", "SQLite")
        return
    data = folder / "mariadb"
    if not data.exists():
        say("Loading the sample shop into MariaDB, once")
        _load(program, install, data, folder)
    password = secrets.token_urlsafe(16)
    # A new password each time; nobody else can reach the server but the administrator at the socket.
    statements = (
        f"CREATE OR REPLACE USER {READER}@'127.0.0.1' IDENTIFIED BY '{password}'",
        f"GRANT SELECT ON {DATABASE}.* TO {READER}@'127.0.0.1'",
    )
    with tempfile.TemporaryDirectory(
        prefix="text2sql-"
    ) as short:  # a socket's path is at most 107 characters
        init = Path(short) / "init.sql"
        init.touch(0o600)
        init.write_text("".join(f"{statement};\n" for statement in statements), "utf-8")
        port = free_port()
        command = _command(program, data, Path(short), f"--port={port}", f"--init-file={init}")
        with child_process(command, folder / "mariadb.log") as process:
            _wait(lambda: _connect(port, password), process, folder / "mariadb.log").close()
            init.unlink()
            url = f"mysql://{READER}@127.0.0.1:{port}/{DATABASE}"
            yield SampleDatabase(url, "MariaDB", password)


def _load(program: Path, install: Path, data: Path, folder: Path) -> None:
    """Make the data folder, whole or not at all."""
    unfinished = folder / "mariadb.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    log = folder / "mariadb.log"
    script = folder / "shop.sql"
    build = [sys.executable, REPOSITORY / "examples" / "shop" / "build.py", "--mysql", script]
    initialise = [
        *(install, "--no-defaults", *AS_ROOT, f"--datadir={unfinished}", "--skip-test-db"),
        *("--auth-root-authentication-method=normal", "--innodb-log-file-size=16M"),
    ]
    with log.open("wb") as output:
        for command in (build, initialise):
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    with tempfile.TemporaryDirectory(prefix="text2sql-") as short:
        socket = Path(short) / "socket"
        command = _command(program, unfinished, Path(short), "--skip-networking")
        with child_process(command, log) as process:
            connection = _wait(lambda: _connect_at(socket), process, log)
            with connection, connection.cursor() as cursor:
                cursor.execute(
                    "DELETE FROM mysql.global_priv WHERE NOT (User = 'root' AND Host = 'localhost')"
                )
                cursor.execute("FLUSH PRIVILEGES")
                cursor.execute(f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4")
                cursor.execute(f"USE {DATABASE}")
                for statement in script.read_text("utf-8").split(";\n"):
                    if statement.strip():
                        cursor.execute(statement)
                connection.commit()
                cursor.execute("SHUTDOWN")
            process.wait(START_SECONDS)
    script.unlink()
    unfinished.rename(data)


def _command(program: Path, data: Path, short: Path, *more: str) -> list[str]:
    return [
        *(str(program), "--no-defaults", *AS_ROOT, f"--datadir={data}", *_SETTINGS),
        *(f"--socket={short / 'socket'}", f"--pid-file={short / 'pid'}", *more),
    ]


def _connect(port: int, password: str) -> "pymysql.Connection":  # type: ignore[type-arg]
    return pymysql.connect(host="127.0.0.1", port=port, user=READER, password=password, database=DATABASE)


def _connect_at(socket: Path) -> "pymysql.Connection":  # type: ignore[type-arg]
    if not socket.exists():  # PyMySQL would leave its end of it open
        raise pymysql.OperationalError
    return pymysql.connect(unix_socket=str(socket), user="root")


def _wait(
    connect: Callable[[], "pymysql.Connection"],  # type: ignore[type-arg]
    process: "subprocess.Popen[bytes]",
    log: Path,
) -> "pymysql.Connection":  # type: ignore[type-arg]
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            return connect()
        except pymysql.OperationalError:
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"MariaDB did not start; see {log}") from None
            time.sleep(0.05)


def _find(name: str) -> Path | None:
    return next(find_programs(name), None)
