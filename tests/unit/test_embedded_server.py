"""The server process's own code, run in the test's process."""

import os
import signal
import threading
import time

import pytest

from embedded_machine import Machine, await_true, machine
from text2sql.generation.embedded_server import LoadRequest, serve
from text2sql.generation.embedded_state import ServerOptions, ServerState

__all__ = ["machine"]  # a fixture, which tests name as an argument


class Engine:
    listening_address = "http://127.0.0.1:1"


def options_for(machine: Machine, idle_seconds: float = 0.1) -> ServerOptions:
    machine.folder.create()
    return ServerOptions(
        folder=machine.folder.path,
        model_path=machine.model_file,
        threads=1,
        idle_seconds=idle_seconds,
        fingerprint="f",
        lock_fd=-1,
    )


def test_serve_tells_where_it_is_until_it_is_idle(machine: Machine) -> None:
    seen: list[ServerState] = []

    def load(request: LoadRequest) -> Engine:
        assert request.key
        watcher.start()
        return Engine()

    def watch() -> None:
        await_true(lambda: machine.folder.read_state() is not None)
        state = machine.folder.read_state()
        assert state
        seen.append(state)

    watcher = threading.Thread(target=watch)
    assert serve(options_for(machine, idle_seconds=0.5), load) == 0
    watcher.join()
    assert (seen[0].pid, seen[0].url, seen[0].fingerprint) == (os.getpid(), Engine.listening_address, "f")
    assert machine.folder.read_state() is None
    held = machine.folder.try_request_lock()
    assert held is None  # no request reaches a server that is going away: kept to the end of its process


def test_serve_ends_at_sigterm(machine: Machine) -> None:
    before = signal.getsignal(signal.SIGTERM)
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM))

    def load(_: LoadRequest) -> Engine:
        timer.start()
        return Engine()

    assert serve(options_for(machine, idle_seconds=60.0), load) == 0
    timer.join()
    assert signal.getsignal(signal.SIGTERM) == before


def test_serve_waits_while_a_request_is_under_way(machine: Machine) -> None:
    options = options_for(machine)
    held = machine.folder.try_request_lock()
    assert held is not None
    timer = threading.Timer(0.5, os.close, (held,))
    began = time.monotonic()

    def load(_: LoadRequest) -> Engine:
        timer.start()
        return Engine()

    assert serve(options, load) == 0
    timer.join()
    assert time.monotonic() - began >= 0.5


@pytest.mark.parametrize(
    ("error", "file", "reason"),
    [
        (RuntimeError("x"), b"GGUF", "memory"),
        (RuntimeError("x"), b"", "damaged"),
        (ImportError("x"), b"GGUF", "xllamacpp"),
    ],
)
def test_serve_leaves_word_of_a_failure(
    machine: Machine, error: Exception, file: bytes, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.model_file.write_bytes(file)

    def load(_: LoadRequest) -> Engine:
        raise error

    assert serve(options_for(machine), load) == 1
    failure = machine.folder.read_failure()
    assert failure
    assert reason in failure.reason
    assert repr(error) in capsys.readouterr().err
