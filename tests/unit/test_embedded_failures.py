"""What can go wrong between the embedded model's client and its server."""

import importlib.metadata
import os
from pathlib import Path

import pytest

from embedded_machine import Machine, ask, machine
from text2sql.errors import ModelNotInstalled, ModelTimedOut, ModelUnavailable
from text2sql.generation import embedded_process
from text2sql.generation.embedded import EmbeddedModel
from text2sql.generation.embedded_process import EmbeddedServer, OnWait

__all__ = ["machine"]  # a fixture, which tests name as an argument


def test_missing_file_says_how_to_get_it(machine: Machine) -> None:
    machine.model_file.unlink()
    with pytest.raises(ModelNotInstalled) as caught:
        ask(machine.client())
    assert "text2sql model pull" in caught.value.remedy


def test_default_server_uses_the_cache_folder_s_model(tmp_path: Path) -> None:
    model = EmbeddedModel(tmp_path)
    with pytest.raises(ModelNotInstalled):
        ask(model)
    model.close()
    assert model.server.folder.path == tmp_path / "embedded"


def test_missing_library_says_how_to_get_it(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def not_found(_: str) -> str:
        raise importlib.metadata.PackageNotFoundError

    monkeypatch.setattr(importlib.metadata, "version", not_found)  # it is installed here
    with pytest.raises(ModelNotInstalled) as caught:
        ask(machine.client())
    assert "text2sql[embedded]" in caught.value.remedy


@pytest.mark.parametrize(
    ("behaviour", "file", "message", "remedy"),
    [
        ("killed", b"GGUF", "lack of memory", "server.log"),
        ("fails", b"GGUF", "damaged, or memory is short", "text2sql model pull"),
        ("fails", b"<html>", "damaged: ", "text2sql model pull"),
        ("no-library", b"GGUF", "xllamacpp", "pip install"),
    ],
)
def test_failed_load_is_told_in_plain_words_and_the_next_one_can_work(
    machine: Machine, behaviour: str, file: bytes, message: str, remedy: str
) -> None:
    machine.model_file.write_bytes(file)
    with pytest.raises(ModelUnavailable, match=message) as caught:
        ask(machine.client(behaviour))
    assert remedy in caught.value.remedy
    assert "own text" not in caught.value.message + caught.value.remedy
    assert f"loading {behaviour}" in machine.folder.log.read_text()
    ask(machine.client())
    assert len(machine.loads) == 2
    assert machine.folder.log.read_text() == "loading good\n"


def test_server_that_cannot_be_run_is_told(machine: Machine) -> None:
    server = EmbeddedServer(machine.folder.path, machine.model_file, command=("/nonexistent/python",))
    model = EmbeddedModel(machine.cache, server=server)
    with pytest.raises(ModelUnavailable, match="cannot be started"):
        ask(model)
    model.close()
    assert not machine.folder.server_lives()


def test_load_that_takes_too_long_goes_on(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_process, "START_SECONDS", 0.5)  # a constant, too long for a test
    with pytest.raises(ModelTimedOut, match="still loading"):
        ask(machine.client("slow"))
    monkeypatch.undo()
    ask(machine.client("slow"))
    assert len(machine.loads) == 1


def test_server_that_dies_in_a_request_is_told_and_started_again(machine: Machine) -> None:
    with pytest.raises(ModelUnavailable, match="in the middle of a request") as caught:
        ask(machine.client("dies-when-asked"))
    assert "server.log" in caught.value.remedy
    ask(machine.client())


def test_hanging_request_ends_at_the_timeout(machine: Machine) -> None:
    with pytest.raises(ModelTimedOut):
        ask(machine.client("hangs", timeout=0.4))


def test_client_behind_a_long_request_is_told_and_gives_up(machine: Machine) -> None:
    told: list[str] = []
    client = machine.client(timeout=0.3, on_wait=told.append)
    ask(client)
    with machine.folder.request_lock(1.0, lambda: None), pytest.raises(ModelTimedOut, match="busy"):
        ask(client)
    assert told[-1] == "Waiting for another question to the embedded model"


def test_folder_that_cannot_be_made_is_told(machine: Machine) -> None:
    machine.folder.path.write_text("a file")
    with pytest.raises(ModelUnavailable) as caught:
        ask(machine.client())
    assert "TEXT2SQL_CACHE_DIR" in caught.value.remedy
    machine.folder.path.unlink()


def test_folder_of_another_user_is_refused(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: -2)  # tests cannot own files of another user
    with pytest.raises(ModelUnavailable, match="another user"):
        ask(machine.client())


def test_folder_that_goes_away_is_told(machine: Machine) -> None:
    def remove(_: str) -> None:
        (machine.folder.path / "slot").mkdir()  # a file cannot take its place

    with pytest.raises(ModelUnavailable, match="folder cannot be used"):
        ask(machine.client("slow", on_wait=remove_once(remove)))


def remove_once(remove: OnWait) -> OnWait:
    calls = iter([remove])

    def once(text: str) -> None:
        for call in calls:
            call(text)

    return once
