"""The local cloud's Converse, asked by the Bedrock adapter through boto3 as in the cloud."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread

import httpx
import pytest

import converse
from converse import serve_converse
from text2sql import errors
from text2sql.generation import bedrock
from text2sql.generation.port import Completion, Prompt, Turn
from text2sql.messages import Usage

PROMPT = Prompt(
    system="Be short.",
    turns=(
        Turn(role="user", text="One?"),
        Turn(role="assistant", text="1"),
        Turn(role="user", text="Zwölf?"),
    ),
    max_tokens=77,
    temperature=0.5,
)
USAGE = Usage(model="small", prompt_tokens=12, cached_tokens=5, completion_tokens=3)


class Model:
    def __init__(self, reply: Callable[[], Completion]) -> None:
        self._reply = reply
        self.prompts: list[Prompt] = []

    def complete(self, prompt: Prompt) -> Completion:
        self.prompts.append(prompt)
        return self._reply()


def failing(error: Exception) -> Callable[[], Completion]:
    def fail() -> Completion:
        raise error

    return fail


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setattr(bedrock, "ATTEMPTS", 1)


@contextmanager
def adapter(monkeypatch: pytest.MonkeyPatch, model: Model, turn: Lock) -> Iterator[bedrock.BedrockModel]:
    with serve_converse(model, turn) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", url)
        yield bedrock.connect("anthropic.claude-4", timeout=10)


@pytest.mark.parametrize("finish", ["stop", "length", "filtered"])
def test_prompt_and_reply_arrive_whole(monkeypatch: pytest.MonkeyPatch, finish: str) -> None:
    told = Completion.model_validate({"text": "SELECT 'ä'", "finish": finish, "usage": USAGE})
    model = Model(lambda: told)
    with adapter(monkeypatch, model, Lock()) as asked:
        got = asked.complete(PROMPT)
    assert model.prompts == [PROMPT]
    assert got == told.model_copy(update={"usage": USAGE.model_copy(update={"model": "anthropic.claude-4"})})


@pytest.mark.parametrize(
    ("raised", "seen"),
    [
        (errors.ModelThrottled("Later."), errors.ModelThrottled),
        (errors.ModelTimedOut("Slow."), errors.ModelTimedOut),
        (errors.ModelUnavailable("Gone."), errors.ModelUnavailable),
        (errors.ModelError("Too long."), errors.ModelError),
    ],
)
def test_error_is_the_same_on_the_other_side(
    monkeypatch: pytest.MonkeyPatch, raised: Exception, seen: type[Exception]
) -> None:
    with (
        adapter(monkeypatch, Model(failing(raised)), Lock()) as asked,
        pytest.raises(errors.ModelError) as caught,
    ):
        asked.complete(PROMPT)
    assert type(caught.value) is seen


def test_one_request_at_a_time_and_who_waits_too_long_is_throttled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(converse, "TURN_SECONDS", 0.1)
    asking, go_on = Event(), Event()

    def reply_late() -> Completion:
        asking.set()
        assert go_on.wait(10)
        return Completion(text="1", finish="stop", usage=USAGE)

    model = Model(reply_late)
    with adapter(monkeypatch, model, Lock()) as asked:
        first = Thread(target=asked.complete, args=(PROMPT,))
        first.start()
        assert asking.wait(10)
        with pytest.raises(errors.ModelThrottled):
            asked.complete(PROMPT)
        go_on.set()
        first.join()
        assert asked.complete(PROMPT).text == "1"
    assert len(model.prompts) == 2


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/model/m/converse", b"no json", 400),
        ("/model/m/converse", b"{}", 400),
        ("/model/m/converse", b'{"messages": 5}', 400),
        ("/model/m/converse", b"[]", 400),
        ("/model/m/invoke", b"{}", 404),
    ],
)
def test_what_is_no_converse_request_is_refused(path: str, body: bytes, status: int) -> None:
    model = Model(failing(AssertionError()))
    with serve_converse(model, Lock()) as url:
        reply = httpx.post(url + path, content=body, trust_env=False)
    assert reply.status_code == status
    assert reply.headers["x-amzn-ErrorType"]
    assert not model.prompts
