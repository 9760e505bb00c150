"""The embedded model as it is: needs its file, which `text2sql model pull` brings."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from text2sql.errors import ModelError, ModelTimedOut, ModelUnavailable
from text2sql.generation.embedded import EmbeddedModel
from text2sql.generation.embedded_process import EmbeddedServer
from text2sql.generation.model_file import model_path
from text2sql.generation.port import Prompt, Turn
from text2sql.settings import Settings

SYSTEM = "Answer with one SQLite statement and nothing else.\n" + "\n".join(
    f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, name TEXT, city TEXT, amount REAL, day TEXT);"
    for name in ("customer", "supplier", "shop", "orders")
)
QUESTION = Turn(role="user", text="How many customers live in Berlin?")


@pytest.fixture(scope="module")
def model_file() -> Path:
    pytest.importorskip("xllamacpp", reason="xllamacpp is not installed")
    path = model_path(Settings().cache_dir.expanduser())
    if not path.is_file():
        pytest.skip("the embedded model's file is not here; `text2sql model pull` brings it")
    return path


@pytest.fixture(scope="module")
def model(model_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedModel]:
    cache = tmp_path_factory.mktemp("cache")
    server = EmbeddedServer(cache / "embedded", model_file)
    made = EmbeddedModel(cache, server=server)
    yield made
    made.close()
    server.stop()


def ask(model: EmbeddedModel, system: str = SYSTEM) -> str:
    return model.complete(Prompt(system=system, turns=(QUESTION,), max_tokens=60)).text


def test_statement_is_the_same_after_other_questions_and_after_a_restart(model: EmbeddedModel) -> None:
    cold = ask(model)
    assert "SELECT COUNT(*)" in cold
    pid = model.server.status().pid
    other = Turn(role="user", text="How many customers have the name Anna?")
    model.complete(Prompt(system=SYSTEM, turns=(other,), max_tokens=20))
    assert ask(model) == cold
    assert model.server.status().pid == pid
    model.server.stop()
    completion = model.complete(Prompt(system=SYSTEM, turns=(QUESTION,), max_tokens=60))
    assert completion.text == cold
    assert completion.usage.cached_tokens > 100
    assert model.server.status().pid != pid


def test_saved_system_prompt_gives_the_statement_of_a_server_without_one(
    model: EmbeddedModel, model_file: Path, tmp_path: Path
) -> None:
    restored = ask(model)
    model.server.stop()  # two at once would slow each other
    other = EmbeddedModel(tmp_path, server=EmbeddedServer(tmp_path / "embedded", model_file))
    try:
        assert ask(other) == restored
    finally:
        other.close()
        other.server.stop()


def test_other_programs_are_refused(model: EmbeddedModel) -> None:
    model.warm("")
    state = model.server.folder.read_state()
    assert state
    body = {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1}
    for path in ("/v1/chat/completions", "/slots/0?action=save"):
        answer = httpx.post(state.url + path, json=body, headers={"Authorization": "Bearer wrong"})
        assert answer.status_code == 401
    assert state.url.startswith("http://127.0.0.1:")


def test_prompt_that_does_not_fit_is_told(model: EmbeddedModel) -> None:
    with pytest.raises(ModelError, match="longer than the model can read"):
        ask(model, "word " * 17_000)


def test_timed_out_request_does_not_hold_up_the_next_one(model: EmbeddedModel) -> None:
    ask(model)
    hurried = EmbeddedModel(model.server.folder.path.parent, timeout=1.0, server=model.server)
    count = Turn(role="user", text="Write the numbers from 1 to 500, one on each line, and leave none out.")
    long = Prompt(system="You write what you are asked for, in full.", turns=(count,), max_tokens=2000)
    with pytest.raises(ModelTimedOut):  # hundreds of tokens, which take any machine seconds
        hurried.complete(long)
    hurried.close()
    began = time.monotonic()
    ask(model)
    assert time.monotonic() - began < 20.0


def test_damaged_file_is_told(model: EmbeddedModel, model_file: Path, tmp_path: Path) -> None:
    model.server.stop()
    damaged = tmp_path / "damaged.gguf"
    with model_file.open("rb") as whole:
        damaged.write_bytes(whole.read(20_000_000))
    other = EmbeddedModel(tmp_path, server=EmbeddedServer(tmp_path / "embedded", damaged))
    with pytest.raises(ModelUnavailable, match="damaged") as caught:
        ask(other)
    other.close()
    assert "text2sql model pull" in caught.value.remedy


def test_killed_server_is_started_again(model: EmbeddedModel) -> None:
    model.warm("")
    pid = model.server.status().pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    assert "SELECT COUNT(*)" in ask(model)
