"""The system prompt on disk, and answers that repeat."""

import json
import os
import stat
from typing import Any

import pytest

from embedded_machine import REPAIR, Machine, ask, machine
from text2sql.generation import prefix_cache
from text2sql.generation.embedded_server import MOST_AT_ONCE
from text2sql.generation.port import Prompt, Turn
from text2sql.generation.rewriting import build_rewriting
from text2sql.messages import EarlierTurn

__all__ = ["machine"]  # a fixture, which tests name as an argument


def test_system_prompt_is_read_once_and_restored_from_then_on(machine: Machine) -> None:
    told: list[str] = []
    client = machine.client(on_wait=told.append)
    assert ask(client)["completions"] == 2  # the prompt alone, then the question
    assert told.count("Reading the schema for the first time") == 1
    machine.server().stop()
    assert ask(client)["completions"] == 1
    assert told.count("Reading the schema for the first time") == 1
    assert len(machine.saved) == 1
    assert stat.S_IMODE(machine.saved[0].stat().st_mode) == 0o600


def test_warm_reads_the_system_prompt_ahead(machine: Machine) -> None:
    client = machine.client()
    client.warm("The schema.")
    assert len(machine.saved) == 1
    assert ask(client)["completions"] == 2  # that of warm, and the question


@pytest.mark.parametrize("content", [b"", b"The sch", b"Another schema."])
def test_changed_saved_state_is_never_given_to_the_server(machine: Machine, content: bytes) -> None:
    ask(machine.client())
    machine.saved[0].write_bytes(content)
    assert ask(machine.client())["completions"] == 4
    assert len(machine.saved) == 1
    assert machine.saved[0].read_bytes() == b"The schema."


def test_saved_state_of_another_model_is_not_used(machine: Machine) -> None:
    ask(machine.client())
    machine.model_file.write_bytes(b"GGUF and something else")
    assert ask(machine.client())["completions"] == 2


def test_five_states_are_kept_and_the_one_used_longest_ago_goes(machine: Machine) -> None:
    client = machine.client()
    for number in range(5):
        ask(client, f"Schema {number}.")
        os.utime(max(machine.saved, key=lambda path: path.stat().st_mtime), (number, number))
    ask(client, "Schema 0.")
    ask(client, "Schema 5.")
    assert {path.read_text() for path in machine.saved} == {f"Schema {number}." for number in (0, 2, 3, 4, 5)}


def test_nothing_is_saved_on_a_full_disk(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefix_cache, "FREE_BYTES", 10**18)  # no test can fill the disk
    ask(machine.client())
    assert machine.saved == []


def test_prompt_without_a_system_part_is_asked_as_it_is(machine: Machine) -> None:
    assert ask(machine.client(), system="")["completions"] == 1


def test_server_that_cannot_save_still_answers(machine: Machine) -> None:
    client = machine.client()
    client.warm("")
    machine.folder.prefixes.rmdir()
    assert ask(client)["completions"] == 2


def test_samples_get_seeds_of_their_own_and_a_new_question_begins_again(machine: Machine) -> None:
    client = machine.client()
    changes: list[dict[str, Any]] = [{}, REPAIR, REPAIR, {}, {"temperature": 0.5}]
    assert [ask(client, **change)["seed"] for change in changes] == [0, 1, 2, 0, 1]


def test_repair_goes_on_in_the_slot_as_it_is(machine: Machine) -> None:
    client = machine.client()
    before = ask(client)["slots"]
    assert ask(client, **REPAIR)["slots"] == before
    assert ask(client)["slots"] == before + 1  # a new question begins at the saved state


def test_repair_after_somebody_else_s_question_restores_the_system_prompt(machine: Machine) -> None:
    client = machine.client()
    ask(client)
    before = ask(machine.client(), "Another schema.")["slots"]
    assert ask(client, **REPAIR)["slots"] == before + 1


@pytest.mark.parametrize("draft", [{}, REPAIR])
def test_draft_after_a_rewritten_question_starts_from_the_saved_schema(
    machine: Machine, draft: dict[str, Any]
) -> None:
    client = machine.client()
    ask(client)
    rewriting = build_rewriting("And in 2024?", (EarlierTurn(question="Orders in 2025?"),))
    between = ask(client, rewriting.system)
    after = ask(client, **draft)
    assert after["completions"] == between["completions"] + 1
    assert after["slots"] == between["slots"] + 1
    assert len(machine.saved) == 2


def test_samples_are_written_at_the_same_time_and_not_more_than_the_server_has_room_for(
    machine: Machine,
) -> None:
    drawn = machine.client().sample(Prompt(system="Schema.", turns=(Turn(role="user", text="?"),)), 20)
    assert len(drawn) == MOST_AT_ONCE
    assert {json.loads(each.text)["completions"] for each in drawn} == {2}  # after that for the schema
