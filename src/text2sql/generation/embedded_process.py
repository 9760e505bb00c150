"""Starts, finds and ends the background process that keeps the embedded model loaded."""

import contextlib
import hashlib
import importlib.metadata
import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import httpx

from text2sql import __version__
from text2sql.errors import ModelNotInstalled, ModelTimedOut, ModelUnavailable
from text2sql.generation.cpu_cores import usable_cores
from text2sql.generation.embedded_server import CONTEXT_TOKENS, MOST_AT_ONCE
from text2sql.generation.embedded_state import (
    POLL_SECONDS,
    ServerOptions,
    ServerState,
    StateFolder,
)
from text2sql.messages import Message

START_SECONDS = 180.0
"""The longest that a client waits for a server to load the model."""
STOP_SECONDS = 10.0
"""How long a server may take to end before it is killed."""
HEALTH_SECONDS = 5.0

COMMAND = (sys.executable, "-P", "-m", "text2sql.generation.embedded_server")
"""`-P`: a module in the user's current folder must not be taken for one of ours."""

OnWait = Callable[[str], None]


class ServerStatus(Message):
    """What a person may want to know of the server."""

    state: Literal["stopped", "loading", "ready"]
    pid: int | None = None
    started: datetime | None = None
    memory_bytes: int | None = None
    """Memory that the process holds for itself, without the model's file; None where unknown."""
    log: Path


class EmbeddedServer:
    """The one server of a cache folder."""

    def __init__(
        self,
        folder: Path,
        model_path: Path,
        *,
        threads: int = 0,
        idle_seconds: float = 600.0,
        command: tuple[str, ...] = COMMAND,
    ) -> None:
        self.folder = StateFolder(folder)
        self._model_path = model_path
        self._threads = threads or usable_cores()
        self._idle_seconds = idle_seconds
        self._command = command

    def fingerprint(self) -> str:
        """Return what a server must have been started with to serve this client.

        Raises:
            ModelNotInstalled: the model's file or its library is missing.
        """
        try:
            file = self._model_path.stat()
        except OSError as error:
            raise ModelNotInstalled(
                "The embedded model is not on this machine yet.", remedy="Run `text2sql model pull`."
            ) from error
        parts = (
            __version__,
            _library_version(),
            str(self._model_path.resolve()),
            file.st_size,
            file.st_mtime_ns,
            self._threads,
            CONTEXT_TOKENS,
            MOST_AT_ONCE,
        )
        return hashlib.sha256(repr(parts).encode("utf-8")).hexdigest()

    def ensure(self, http: httpx.Client, on_wait: OnWait) -> ServerState:
        """Return a server that is ready, starting one if need be; the caller holds the request lock.

        Raises:
            ModelNotInstalled: the model's file or its library is missing.
            ModelUnavailable: the server could not load the model.
            ModelTimedOut: it is still loading after `START_SECONDS`.
        """
        wanted = self.fingerprint()
        started = False
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            lock = self.folder.lock_server()
            if lock is not None:
                if started:
                    os.close(lock)
                    raise self._failure()
                self._start(lock, wanted)
                started = True
            state = self.folder.read_state()
            if state is None:
                on_wait("Loading the embedded model")
                time.sleep(POLL_SECONDS)
            elif state.fingerprint == wanted and _is_healthy(http, state):
                return state
            else:
                self.stop()
                started = False
        raise ModelTimedOut(
            f"The embedded model is still loading after {START_SECONDS:g} seconds.",
            remedy="Ask again in a while; it goes on loading.",
        )

    def status(self) -> ServerStatus:
        """Return what the server is doing; starts nothing."""
        pid = self.folder.read_pid() if self.folder.path.is_dir() else None
        if pid is None:
            return ServerStatus(state="stopped", log=self.folder.log)
        state = self.folder.read_state()
        return ServerStatus(
            state="ready" if state else "loading",
            pid=pid,
            started=datetime.fromtimestamp(state.started, UTC) if state else None,
            memory_bytes=_memory_bytes(pid),
            log=self.folder.log,
        )

    def stop(self) -> bool:
        """End the server, even in the middle of a request; return whether there was one."""
        if not self.folder.path.is_dir() or not self.folder.server_lives():
            return False
        for number, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, STOP_SECONDS)):
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                pid = self.folder.read_pid()
                if pid is not None:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, number)
                if not self.folder.server_lives():
                    return True
                time.sleep(POLL_SECONDS)
        raise ModelUnavailable(
            "The embedded model's server does not end.", remedy=f"Look at its log, {self.folder.log}."
        )

    def _start(self, lock: int, fingerprint: str) -> None:
        """Start a server that inherits the lock; it stays held when this process ends."""
        options = ServerOptions(
            folder=self.folder.path.resolve(),
            model_path=self._model_path.resolve(),
            threads=self._threads,
            idle_seconds=self._idle_seconds,
            fingerprint=fingerprint,
            lock_fd=lock,
        )
        try:
            self.folder.clear()
            log = os.open(self.folder.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                subprocess.run(  # noqa: S603 — our own module
                    (*self._command, options.model_dump_json()),
                    check=False,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(lock,),
                    start_new_session=True,
                    env=_environment(),
                )
            finally:
                os.close(log)
        except OSError as error:
            raise ModelUnavailable(
                "The embedded model's server cannot be started.", remedy="Set TEXT2SQL_CACHE_DIR."
            ) from error
        finally:
            os.close(lock)

    def _failure(self) -> ModelUnavailable:
        told = self.folder.read_failure()
        if told:
            return ModelUnavailable(told.reason, remedy=told.remedy)
        return ModelUnavailable(
            "The embedded model's server ended while it loaded the model, most likely for lack of memory.",
            remedy=f"Free about 2 GB of memory and ask again. Its log is {self.folder.log}.",
        )


def _is_healthy(http: httpx.Client, state: ServerState) -> bool:
    try:
        answer = http.get(f"{state.url}/health", timeout=HEALTH_SECONDS)
    except httpx.HTTPError:
        return False
    return answer.status_code == httpx.codes.OK


def _library_version() -> str:
    try:
        return importlib.metadata.version("xllamacpp")
    except importlib.metadata.PackageNotFoundError as error:
        raise ModelNotInstalled(
            "The embedded model's library, xllamacpp, is not installed.",
            remedy="Run `pip install 'text2sql[embedded]'`, or set TEXT2SQL_MODEL_PROVIDER=openai.",
        ) from error


def _environment() -> dict[str, str]:
    """Return the environment without our own settings, which hold the database's password."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TEXT2SQL_")}


def _memory_bytes(pid: int) -> int | None:
    with contextlib.suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    return None
