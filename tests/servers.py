"""Starts private MariaDB and MySQL servers for tests: loopback only, fresh data, gone with the tests."""

import atexit
import os
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import pymysql
import pytest

from processes import AS_ROOT, end_with_parent, find_programs, free_port

REPOSITORY = Path(__file__).resolve().parent.parent
CACHE = REPOSITORY / ".cache"
START_SECONDS = 30.0
MEMORY_FOLDER = Path("/dev/shm")
MEMORY_NEEDED = 1_000_000_000

# Nothing here outlives the tests, so nothing needs to reach a disk, and nobody measures.
_SETTINGS = (
    "--bind-address=127.0.0.1",
    "--skip-log-bin",
    "--performance-schema=OFF",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=0",
    "--innodb-buffer-pool-size=32M",
    # So that the tests see what happens where the server itself would let a file be written.
    "--secure-file-priv=",
)


@dataclass
class Server:
    """A running server and its administrator."""

    product: str
    host: str
    port: int
    user: str
    password: str
    folder: Path
    process: "subprocess.Popen[bytes]" = field(repr=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def connect(self, database: str | None = None) -> "pymysql.Connection":  # type: ignore[type-arg]
        """Open a connection of the administrator."""
        return pymysql.connect(
            host=self.host,
            port=self.port,
            user=self.user,
            password=self.password,
            database=database,
            autocommit=True,
            ssl_disabled=True,
        )

    def execute(self, *statements: str, database: str | None = None) -> list[tuple[object, ...]]:
        """Run statements as the administrator and return the last one's rows."""
        connection = self.connect(database)
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return list(cursor.fetchall())
        finally:
            connection.close()

    def kill(self) -> None:
        """End the server as a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """End the server and remove its data; may be called twice."""
        # A clean shutdown takes seconds and saves data that is about to be deleted.
        if self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
        atexit.unregister(self.stop)


def server_folder(name: str) -> Path:
    """Return a new folder for a server's data: in memory where there is room, which is ten times faster.

    Folders of test runs that were killed are removed on the way.
    """
    in_memory = MEMORY_FOLDER.is_dir() and shutil.disk_usage(MEMORY_FOLDER).free > MEMORY_NEEDED
    root = MEMORY_FOLDER if in_memory else Path(tempfile.gettempdir())
    for old in root.glob("text2sql-tests-*"):
        owner = old.name.split("-")[2]
        if owner.isdigit() and not _is_alive(int(owner)):
            shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"text2sql-tests-{os.getpid()}-{name}-", dir=root))


def start_mariadb(folder: Path) -> Server:
    """Start a MariaDB server; skips the test that asks where there is none."""
    program = _find("mariadbd") or _find("mysqld", "mariadb")
    install = _find("mariadb-install-db") or _find("mysql_install_db")
    if program is None or install is None:
        pytest.skip(
            _reason("mariadb", "no mariadbd and mariadb-install-db; run scripts/install_test_servers.sh")
        )
    initialise = [
        *(str(install), "--no-defaults", *AS_ROOT, f"--datadir={folder / 'data'}"),
        *("--auth-root-authentication-method=normal", "--skip-test-db", "--innodb-log-file-size=8M"),
    ]
    return _start(
        "MariaDB", [str(program), "--no-defaults"], initialise, ["--innodb-log-file-size=8M"], folder
    )


def start_mysql(folder: Path) -> Server:
    """Start a MySQL server; skips the test that asks where there is none."""
    program = _mysql_program()
    if program is None:
        pytest.skip(
            _reason("mysql", "no MySQL server (MariaDB is another); run scripts/install_test_servers.sh")
        )
    initialise = [
        *(*program, "--initialize-insecure", *AS_ROOT),
        *(f"--datadir={folder / 'data'}", "--innodb-doublewrite=0", "--innodb-redo-log-capacity=64M"),
    ]
    return _start("MySQL", program, initialise, ["--mysqlx=OFF", "--innodb-redo-log-capacity=64M"], folder)


def _start(product: str, program: list[str], initialise: list[str], more: list[str], folder: Path) -> Server:
    log = folder / "server.log"
    with log.open("wb") as output:
        subprocess.run(initialise, check=False, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
        for _ in range(3):  # another program may take the free port first
            port = free_port()
            process = subprocess.Popen(
                [
                    *(*program, *AS_ROOT, f"--datadir={folder / 'data'}"),
                    *(f"--port={port}", "--socket=socket", f"--pid-file={folder / 'pid'}", *_SETTINGS, *more),
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # a Ctrl-C is for the tests, which then stop the server
                preexec_fn=end_with_parent(),  # noqa: PLW1509  # one C call; it takes no lock
            )
            server = Server(product, "127.0.0.1", port, "root", "", folder, process)
            atexit.register(server.stop)
            if _is_up(server):
                return server
            process.kill()
            process.wait()
    message = f"{product} did not start: {log.read_text(errors='replace')[-2000:]}"
    server.stop()
    raise RuntimeError(message)


def _is_up(server: Server) -> bool:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and server.process.poll() is None:
        try:
            server.connect().close()
        except pymysql.OperationalError:
            time.sleep(0.02)
        else:
            return True
    return False


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _find(name: str, product: str = "") -> Path | None:
    """Return the program of this name, of a product that its version line names."""
    return next((path for path in find_programs(name) if not product or product in _version(path)), None)


def _version(program: Path) -> str:
    answer = subprocess.run(
        [program, "--version"], capture_output=True, text=True, check=False
    ).stdout.lower()
    return answer if "mariadb" in answer else f"mysql {answer}"


def _mysql_program() -> list[str] | None:
    """Return the command of a MySQL server and its first option: of the private folder, or of the system."""
    root = Path(os.environ.get("TEXT2SQL_MYSQL_ROOT") or CACHE / "mysql-root")
    server = root / "usr/sbin/mysqld"
    loaders = [*root.glob("usr/lib64/ld-linux*.so.*"), *root.glob("usr/lib/ld-linux*.so.*")]
    if server.is_file() and loaders:
        # With its own loader and libraries it runs on an older system, without a chroot and so without root.
        libraries = ":".join(map(str, root.glob("usr/lib/*-linux-gnu*")))
        return [
            str(loaders[0]),
            "--library-path",
            libraries,
            str(server),
            "--no-defaults",
            f"--basedir={root / 'usr'}",
        ]
    found = _find("mysqld", "mysql ")
    return [str(found), "--no-defaults"] if found else None


def _reason(server: str, otherwise: str) -> str:
    note = CACHE / f"{server}.missing"
    return note.read_text().strip() if note.exists() else otherwise
