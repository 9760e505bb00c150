"""Child processes of the local cloud: their output goes to a log, and they end with their parent."""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

AS_ROOT = ("--user=root",) if os.geteuid() == 0 else ()
"""Database servers refuse root unless it is asked for."""
STOP_SECONDS = 10.0
_SERVER_FOLDERS = (
    *("/usr/sbin", "/usr/libexec", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"),
    *("/opt/homebrew/opt/mariadb/bin", "/usr/local/opt/mariadb/bin"),
    *("/opt/homebrew/opt/mysql/bin", "/usr/local/opt/mysql/bin"),
)
_SET_SIGNAL_AT_PARENTS_DEATH = 1


@contextmanager
def child_process(
    command: Sequence[str | Path], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """Lend a process that gets no Ctrl-C of its own; at the end it is told to end, and killed if need be."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            list(command),
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=end_with_parent(),  # noqa: PLW1509 — one C call; it takes no lock
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def find_programs(name: str) -> Iterator[Path]:
    """Yield the programs of this name, also of folders that only administrators search for programs."""
    found = (*filter(None, [shutil.which(name)]), *(f"{folder}/{name}" for folder in _SERVER_FOLDERS))
    return (path for path in map(Path, found) if path.is_file())


def free_port() -> int:
    """Return a port of the loopback address that nobody listens at now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def end_with_parent() -> Callable[[], object] | None:
    """Return what a child does first on Linux: ask to be killed when the thread that started it ends."""
    if sys.platform != "linux":
        return None
    return partial(ctypes.CDLL(None).prctl, _SET_SIGNAL_AT_PARENTS_DEATH, signal.SIGKILL)
