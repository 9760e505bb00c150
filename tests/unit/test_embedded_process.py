"""Starting, finding and ending the embedded model's server."""

import os
import signal
import stat
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from embedded_machine import FAKE, Machine, ask, await_true, is_running, machine
from text2sql.errors import ModelUnavailable
from text2sql.generation import embedded_process
from text2sql.generation.embedded_state import ServerState

__all__ = ["machine"]  # a fixture, which tests name as an argument


# ── starting and reusing ───────────────────────────────────────────────────────────────────────────


def test_server_is_started_once_and_reused(machine: Machine) -> None:
    first, second = machine.client(), machine.client()
    ask(first)
    ask(first)
    ask(second)
    assert len(machine.loads) == 1
    assert machine.server().status().state == "ready"
    assert machine.server().status().pid == machine.loads[0]


def test_key_is_sent_and_only_this_user_can_read_it(machine: Machine) -> None:
    told = ask(machine.client())
    state = machine.folder.read_state()
    assert state
    assert told["key"] == f"Bearer {state.key}"
    assert len(state.key) > 30
    assert stat.S_IMODE(machine.folder.path.stat().st_mode) == 0o700
    for name in ("server.json", "server.lock", "server.log", "request.lock", "slot"):
        assert stat.S_IMODE((machine.folder.path / name).stat().st_mode) == 0o600


def test_folder_open_to_others_is_closed(machine: Machine) -> None:
    machine.folder.path.mkdir(mode=0o755)
    ask(machine.client())
    assert stat.S_IMODE(machine.folder.path.stat().st_mode) == 0o700


def test_our_settings_do_not_reach_the_server(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXT2SQL_DATABASE_PASSWORD", "secret")
    monkeypatch.setenv("SOMETHING_ELSE", "1")
    ask(machine.client())
    environment = (machine.folder.path / "environment").read_text().split()
    assert "SOMETHING_ELSE" in environment
    assert "TEXT2SQL_DATABASE_PASSWORD" not in environment


@pytest.mark.parametrize("content", ["", "{", '{"pid": 1}'])
def test_unreadable_state_left_behind_is_no_obstacle(machine: Machine, content: str) -> None:
    machine.folder.create()
    (machine.folder.path / "server.json").write_text(content)
    ask(machine.client())
    assert len(machine.loads) == 1


def test_state_of_a_killed_server_is_not_believed(machine: Machine) -> None:
    ask(machine.client())
    os.kill(machine.loads[0], signal.SIGKILL)
    await_true(lambda: not machine.folder.server_lives())
    assert machine.folder.read_state()
    assert machine.server().status().state == "stopped"
    ask(machine.client())
    assert len(machine.loads) == 2


def test_process_that_has_a_dead_server_s_id_is_left_alone(machine: Machine) -> None:
    machine.folder.create()
    state = ServerState(pid=os.getpid(), url="http://127.0.0.1:1", key="k", fingerprint="f", started=0.0)
    machine.folder.write_state(state)
    (machine.folder.path / "server.lock").write_text(str(os.getpid()))
    assert machine.server().stop() is False


@pytest.mark.parametrize("change", ["threads", "file", "version"])
def test_server_that_others_started_differently_is_replaced(
    machine: Machine, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(machine.client())
    if change == "file":
        machine.model_file.write_bytes(b"GGUF and something else")
    if change == "version":
        monkeypatch.setattr(embedded_process, "__version__", "0.0.0")  # as after an upgrade
    ask(machine.client(threads=7 if change == "threads" else 0))
    first, second = machine.loads
    assert machine.server().status().pid == second
    await_true(lambda: not is_running(first))


def test_server_that_does_not_answer_is_replaced(machine: Machine) -> None:
    ask(machine.client("deaf-at-first"))
    assert len(machine.loads) == 2


def test_two_clients_at_once_start_one_server(machine: Machine) -> None:
    answers: list[dict[str, Any]] = []
    threads = [threading.Thread(target=lambda: answers.append(ask(machine.client("slow")))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 2
    assert len(machine.loads) == 1


def test_interrupted_starter_leaves_its_server_to_the_next_client(machine: Machine, tmp_path: Path) -> None:
    script = tmp_path / "starter.py"
    script.write_text(
        textwrap.dedent(f"""
        from pathlib import Path
        from text2sql.generation.embedded import EmbeddedModel
        from text2sql.generation.embedded_process import EmbeddedServer

        command = {(sys.executable, str(FAKE), "slow")!r}
        server = EmbeddedServer(Path({str(machine.folder.path)!r}), Path({str(machine.model_file)!r}),
                                command=command)
        EmbeddedModel(Path({str(machine.cache)!r}), server=server).warm("The schema.")
        """)
    )
    starter = subprocess.Popen([sys.executable, str(script)], stderr=subprocess.PIPE, start_new_session=True)
    await_true((machine.folder.path / "loads").exists)
    assert machine.server().status().state == "loading"
    os.killpg(starter.pid, signal.SIGINT)  # as a terminal does, to all that it started
    _, errors = starter.communicate(timeout=10)
    assert b"KeyboardInterrupt" in errors
    ask(machine.client("slow"))
    assert len(machine.loads) == 1


def test_waiting_for_the_load_is_told(machine: Machine) -> None:
    told: list[str] = []
    ask(machine.client("slow", on_wait=told.append))
    assert "Loading the embedded model" in told
    assert told[-1] == "Reading the schema for the first time"


# ── ending ─────────────────────────────────────────────────────────────────────────────────────────


def test_stop_ends_the_server_and_leaves_no_state(machine: Machine) -> None:
    ask(machine.client())
    assert machine.server().stop() is True
    assert machine.server().stop() is False
    assert machine.folder.read_state() is None
    assert machine.server().status().state == "stopped"


def test_stop_and_status_without_a_folder_make_none(machine: Machine) -> None:
    assert machine.server().stop() is False
    assert machine.server().status().state == "stopped"
    assert not machine.folder.path.exists()


def test_server_that_ignores_the_signal_is_killed(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_process, "STOP_SECONDS", 0.3)  # a constant, too long for a test
    ask(machine.client("stubborn"))
    assert machine.server().stop() is True


def test_server_that_cannot_be_killed_is_told(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(machine.client())
    with monkeypatch.context() as patched:
        patched.setattr(embedded_process, "STOP_SECONDS", 0.1)  # a constant, too long for a test
        patched.setattr(os, "kill", lambda *_: None)  # no process withstands SIGKILL
        with pytest.raises(ModelUnavailable, match="does not end"):
            machine.server().stop()


def test_idle_server_ends_by_itself(machine: Machine) -> None:
    ask(machine.client(idle_seconds=0.3))
    await_true(lambda: not machine.folder.server_lives())
    assert machine.folder.read_state() is None


def test_request_in_flight_keeps_an_idle_server(machine: Machine) -> None:
    client = machine.client(idle_seconds=0.3)
    ask(client)
    with machine.folder.request_lock(5.0, lambda: None):
        pid = machine.server().status().pid
        time.sleep(1.0)
        assert machine.server().status().pid == pid
    await_true(lambda: not machine.folder.server_lives())
