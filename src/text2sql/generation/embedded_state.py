"""What the embedded model's server and its clients share: a private folder, locks and a state file."""

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from text2sql.errors import ModelUnavailable
from text2sql.messages import Message
from text2sql.private_file import write_private

POLL_SECONDS = 0.05

_M = TypeVar("_M", bound=Message)


class ServerOptions(Message):
    """What a server is started with; holds no secret, for other users can read a command line."""

    folder: Path
    model_path: Path
    threads: int
    idle_seconds: float
    fingerprint: str
    """Names all that two callers must agree on to share a server."""
    lock_fd: int
    """The descriptor that holds the lock on `server.lock`."""


class ServerState(Message):
    """Where a ready server is; written by the server, readable for this user alone."""

    pid: int
    url: str
    key: str
    """The API key; new with each start."""
    fingerprint: str
    started: float
    """Seconds since the epoch."""


class ServerFailure(Message):
    """Why a server could not load the model, safe to show."""

    reason: str
    remedy: str


class StateFolder:
    """The folder of the embedded model's server.

    `server.lock` is locked as long as a server process lives, from before its start until its end, so that
    nobody has to trust a process id. `request.lock` is locked during a request, for the server takes one at
    a time; whoever starts or ends a server holds it too.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = path / "server.log"
        self.prefixes = path / "prefixes"
        self._state = path / "server.json"
        self._failure = path / "failure.json"
        self._slot = path / "slot"
        self._server_lock = path / "server.lock"
        self._request_lock = path / "request.lock"

    def create(self) -> None:
        """Make the folder, for this user alone.

        Raises:
            ModelUnavailable: it cannot be written, or belongs to somebody else.
        """
        try:
            self.prefixes.mkdir(mode=0o700, parents=True, exist_ok=True)
            ours = self.path.stat().st_uid == os.getuid()
            if ours:
                self.path.chmod(0o700)
        except OSError as error:
            raise ModelUnavailable(
                f"The embedded model's folder cannot be used: {self.path}.", remedy="Set TEXT2SQL_CACHE_DIR."
            ) from error
        if not ours:
            raise ModelUnavailable(
                f"The embedded model's folder belongs to another user: {self.path}.",
                remedy="Set TEXT2SQL_CACHE_DIR to a folder of your own.",
            )

    def lock_server(self) -> int | None:
        """Return a descriptor that holds the server's lock; None while a server lives."""
        held = _lock(self._server_lock, fcntl.LOCK_EX)
        if held is not None:
            os.ftruncate(held, 0)
        return held

    def server_lives(self) -> bool:
        """Tell whether there is a server process, ready or not."""
        shared = _lock(self._server_lock, fcntl.LOCK_SH)
        if shared is not None:
            os.close(shared)
        return shared is None

    @contextmanager
    def request_lock(self, seconds: float, on_wait: Callable[[], None]) -> Iterator[None]:
        """Hold the request lock; call `on_wait` again and again while another holds it.

        Raises:
            TimeoutError: it was not free within `seconds`.
        """
        end = time.monotonic() + seconds
        while (held := self.try_request_lock()) is None:
            if time.monotonic() >= end:
                raise TimeoutError
            on_wait()
            time.sleep(POLL_SECONDS)
        try:
            yield
        finally:
            os.close(held)

    def try_request_lock(self) -> int | None:
        """Return a descriptor that holds the request lock; None while another holds it."""
        return _lock(self._request_lock, fcntl.LOCK_EX)

    def write_pid(self, lock_fd: int) -> None:
        """Say which process holds the server's lock."""
        os.pwrite(lock_fd, str(os.getpid()).encode("ascii"), 0)

    def read_pid(self) -> int | None:
        """Return the process that holds the server's lock; None when there is none, or not known yet."""
        if self.server_lives():
            with contextlib.suppress(OSError, ValueError):
                return int(self._server_lock.read_text("ascii"))
        return None

    def write_state(self, state: ServerState) -> None:
        """Tell clients that the server is ready."""
        write_private(self._state, state.model_dump_json())

    def read_state(self) -> ServerState | None:
        """Return the state of a ready server, or one left by a dead server; None when there is none."""
        return _read(self._state, ServerState)

    def clear(self) -> None:
        """Remove what an earlier server left."""
        self._state.unlink(missing_ok=True)
        self._failure.unlink(missing_ok=True)
        self._slot.unlink(missing_ok=True)

    def read_slot(self) -> str:
        """Return what the last request left about the server's slot; empty when there was none."""
        try:
            return self._slot.read_text("ascii")
        except (OSError, ValueError):
            return ""

    def write_slot(self, holds: str) -> None:
        """Say what the server's slot holds, for the next request."""
        write_private(self._slot, holds)

    def touch(self) -> None:
        """Start the idle time anew."""
        with contextlib.suppress(OSError):
            os.utime(self._state)

    def idle_seconds(self) -> float:
        """Return how long ago the last request began or ended; infinite when the state file is gone."""
        try:
            return max(0.0, time.time() - self._state.stat().st_mtime)
        except OSError:
            return float("inf")

    def write_failure(self, failure: ServerFailure) -> None:
        """Leave word of why the server could not start."""
        write_private(self._failure, failure.model_dump_json())

    def read_failure(self) -> ServerFailure | None:
        """Return why the last server could not start; None when it left no word."""
        return _read(self._failure, ServerFailure)


def _lock(path: Path, mode: int) -> int | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _read(path: Path, kind: type[_M]) -> _M | None:
    try:
        return kind.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
