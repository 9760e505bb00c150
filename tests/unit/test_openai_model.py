"""The OpenAI-compatible adapter against a real server that fails in every way."""

import json
import math
import socket
import time
from decimal import Decimal

import httpx
import pytest

from model_server import Fault, Reply, ScriptedModelServer
from text2sql.errors import InvalidSettings, ModelError, ModelThrottled, ModelTimedOut, ModelUnavailable
from text2sql.generation import openai
from text2sql.generation.openai import OpenAiModel
from text2sql.generation.port import Completion, Prompt, Turn

PROMPT = Prompt(system="The schema.", turns=(Turn(role="user", text="How many?"),), max_tokens=50)


def ask(reply: Reply, *, timeout: float = 5.0, prompt: Prompt = PROMPT) -> Completion:
    with ScriptedModelServer([reply]) as server:
        return complete(server, timeout=timeout, prompt=prompt)


def complete(
    server: ScriptedModelServer, *, name: str = "a-model", timeout: float = 5.0, prompt: Prompt = PROMPT
) -> Completion:
    model = OpenAiModel(server.base_url, name, "a-key", timeout)
    try:
        return model.complete(prompt)
    finally:
        model.close()


def test_a_good_reply_becomes_text_and_usage() -> None:
    completion = ask("SELECT 1")
    assert (completion.text, completion.finish) == ("SELECT 1", "stop")
    usage = completion.usage
    assert (usage.model, usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens) == (
        "a-model",
        100,
        80,
        10,
    )
    assert usage.cost_usd is None


def test_request_holds_prompt_model_and_key() -> None:
    with ScriptedModelServer() as server:
        complete(server)
    (request,) = server.completions
    assert request.headers["Authorization"] == "Bearer a-key"
    assert request.body == {
        "model": "a-model",
        "messages": [
            {"role": "system", "content": "The schema."},
            {"role": "user", "content": "How many?"},
        ],
        "max_tokens": 50,
        "temperature": 0.0,
    }


def test_without_a_key_no_authorization_is_sent_and_without_a_system_no_system_message() -> None:
    with ScriptedModelServer() as server, httpx.Client() as client:
        model = OpenAiModel(server.base_url, "m", client=client)
        model.complete(Prompt(system="", turns=PROMPT.turns))
        model.close()
        assert not client.is_closed
    (request,) = server.completions
    assert "Authorization" not in request.headers
    assert [message["role"] for message in request.body["messages"]] == ["user"]


def test_prices_give_the_cost() -> None:
    with ScriptedModelServer() as server:
        model = OpenAiModel(server.base_url, "m", "", 5.0, Decimal(3), Decimal(15))
        completion = model.complete(PROMPT)
        model.close()
    assert completion.usage.cost_usd == Decimal("0.00045")


def test_without_a_name_the_first_listed_model_is_asked_once() -> None:
    with ScriptedModelServer() as server:
        model = OpenAiModel(server.base_url)
        model.complete(PROMPT)
        model.complete(PROMPT)
        model.close()
    assert [request.body["model"] for request in server.completions] == ["scripted-model"] * 2
    assert len([request for request in server.requests if request.method == "GET"]) == 1


def test_server_without_any_model_is_unavailable() -> None:
    with ScriptedModelServer() as server:
        server.models = []
        with pytest.raises(ModelUnavailable) as caught:
            complete(server, name="")
    assert "TEXT2SQL_MODEL_NAME" in caught.value.remedy


def test_server_whose_model_list_is_refused_names_the_key() -> None:
    with ScriptedModelServer() as server:
        server.models_fault = Fault.error(401)
        with pytest.raises(ModelUnavailable) as caught:
            complete(server, name="")
    assert "TEXT2SQL_MODEL_API_KEY" in caught.value.remedy


@pytest.mark.parametrize(
    ("reply", "text", "finish"),
    [
        (Fault("empty"), "", "stop"),
        (Fault("cut", body="SELECT"), "SELECT", "length"),
        (Fault("filtered"), "", "filtered"),
        (Fault("body", body='{"choices":[{"message":{"content":null,"refusal":"No."}}]}'), "", "filtered"),
        (
            Fault("body", body='{"choices":[{"message":{"content":"x"},"finish_reason":"eos"}]}'),
            "x",
            "stop",
        ),
        (
            Fault("body", body='{"choices":[{"message":{"content":"x"}}],"usage":{"prompt_tokens":3}}'),
            "x",
            "stop",
        ),
    ],
)
def test_finish_reasons(reply: Fault, text: str, finish: str) -> None:
    completion = ask(reply)
    assert (completion.text, completion.finish) == (text, finish)


@pytest.mark.parametrize(
    ("reply", "error", "remedy"),
    [
        (Fault.error(429), ModelThrottled, ""),
        (Fault.error(408), ModelTimedOut, ""),
        (Fault.error(401), ModelUnavailable, "TEXT2SQL_MODEL_API_KEY"),
        (Fault.error(403), ModelUnavailable, "TEXT2SQL_MODEL_API_KEY"),
        (Fault.error(404), ModelUnavailable, "TEXT2SQL_MODEL_NAME"),
        (Fault.error(500), ModelUnavailable, "log"),
        (Fault.error(503), ModelUnavailable, "log"),
        (Fault("status", status=302), ModelUnavailable, "log"),
        (Fault("drop"), ModelUnavailable, "Ask again"),
        (Fault("break"), ModelUnavailable, "Ask again"),
        (Fault.malformed(), ModelUnavailable, "TEXT2SQL_MODEL_BASE_URL"),
        (Fault("body", body="<html>"), ModelUnavailable, "TEXT2SQL_MODEL_BASE_URL"),
        (Fault("body", body='{"choices": []}'), ModelUnavailable, "TEXT2SQL_MODEL_BASE_URL"),
        (Fault("body", body="[]"), ModelUnavailable, "TEXT2SQL_MODEL_BASE_URL"),
        (Fault("body", body='{"choices": [{"message": {"content": 7}}]}'), ModelUnavailable, "BASE_URL"),
    ],
)
def test_failures_are_named(reply: Fault, error: type[ModelError], remedy: str) -> None:
    with pytest.raises(error) as caught:
        ask(reply)
    assert type(caught.value) is error
    assert remedy in caught.value.remedy
    assert "a-key" not in caught.value.message + caught.value.remedy


@pytest.mark.parametrize(
    "reply",
    [
        Fault.error(400, code="context_length_exceeded"),
        Fault.error(400, code=400, type="exceed_context_size_error"),
        Fault.error(413),
    ],
)
def test_prompt_that_does_not_fit_is_no_outage(reply: Fault) -> None:
    with pytest.raises(ModelError, match="longer than the model can read") as caught:
        ask(reply)
    assert not caught.value.retryable


@pytest.mark.parametrize(
    "reply", [Fault.error(400), Fault("status", status=400, body="no"), Fault.error(422)]
)
def test_refused_request_is_no_outage(reply: Fault) -> None:
    with pytest.raises(ModelError, match="refuses the request") as caught:
        ask(reply)
    assert type(caught.value) is ModelError


def test_server_that_takes_no_temperature_is_asked_again_without_it_and_from_then_on() -> None:
    refusal = Fault.error(400, param="temperature", code="unsupported_value")
    with ScriptedModelServer([refusal, "SELECT 1", "SELECT 2"]) as server:
        model = OpenAiModel(server.base_url, "m")
        assert [model.complete(PROMPT).text, model.complete(PROMPT).text] == ["SELECT 1", "SELECT 2"]
        model.close()
    assert ["temperature" in request.body for request in server.completions] == [True, False, False]


def test_server_with_another_name_for_the_token_limit_is_asked_again_with_it() -> None:
    with ScriptedModelServer([Fault.error(400, param="max_tokens"), "SELECT 1"]) as server:
        assert complete(server).text == "SELECT 1"
    assert server.completions[1].body["max_completion_tokens"] == 50
    assert "max_tokens" not in server.completions[1].body


def test_server_that_refuses_the_same_parameter_for_ever_is_asked_twice() -> None:
    reply = Fault.error(400, param="temperature")
    with ScriptedModelServer([reply]) as server, pytest.raises(ModelError):
        complete(server)
    assert len(server.completions) == 2


@pytest.mark.parametrize("kind", ["hang", "trickle", "trickle_headers"])
def test_whole_call_ends_at_the_timeout(kind: str) -> None:
    began = time.monotonic()
    with pytest.raises(ModelTimedOut, match=r"0\.3 seconds") as caught:
        ask(Fault(kind), timeout=0.3)  # type: ignore[arg-type]
    assert time.monotonic() - began < 6.0
    assert "TEXT2SQL_MODEL_TIMEOUT" in caught.value.remedy


def test_body_without_end_is_cut_at_the_size_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai, "REPLY_BYTES", 1000)  # a constant, too large to fill in a test
    with pytest.raises(ModelUnavailable, match="broke off"):
        ask("x" * 2000)


def test_no_server_names_the_address_without_its_password() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    model = OpenAiModel(f"http://user:secret@127.0.0.1:{port}/v1", "m")
    with pytest.raises(ModelUnavailable, match=f"127.0.0.1:{port}/v1") as caught:
        model.complete(PROMPT)
    model.close()
    assert "secret" not in str(caught.value)
    assert "TEXT2SQL_MODEL_BASE_URL" in caught.value.remedy


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:11434", "ftp://host/v1", "http://", "http://[::1", "http://a:b"]
)
def test_address_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        OpenAiModel(url)
    assert "TEXT2SQL_MODEL_BASE_URL" in caught.value.remedy


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "sch\u00f6n"])
def test_key_that_is_none_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        OpenAiModel("http://127.0.0.1/v1", "m", key)
    assert key not in caught.value.message + caught.value.remedy


def test_loopback_server_is_not_asked_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert ask("SELECT 1").text == "SELECT 1"


@pytest.mark.parametrize(("host", "proxied"), [("localhost", False), ("[::1]", False), ("example.com", True)])
def test_other_hosts_keep_the_environment_s_proxy(host: str, *, proxied: bool) -> None:
    model = OpenAiModel(f"http://{host}:1/v1")
    assert model._client.trust_env is proxied
    model.close()


def test_callable_reply_sees_the_request() -> None:
    assert json.loads(ask(lambda body: json.dumps(body["messages"][-1])).text)["content"] == "How many?"


def sample(server: ScriptedModelServer, count: int) -> list[Completion]:
    model = OpenAiModel(server.base_url, "m", "", 5.0, Decimal(3), Decimal(15))
    try:
        return list(model.sample(PROMPT, count))
    finally:
        model.close()


def test_samples_come_from_one_request_and_cost_what_it_cost() -> None:
    with ScriptedModelServer([("SELECT 1", "SELECT 2", "SELECT 3")]) as server:
        drawn = sample(server, 3)
    assert [each.text for each in drawn] == ["SELECT 1", "SELECT 2", "SELECT 3"]
    assert server.completions[0].body["n"] == 3
    assert [each.usage.cost_usd for each in drawn] == [Decimal("0.00045"), 0, 0]
    assert [each.usage.completion_tokens for each in drawn] == [10, 0, 0]


def test_server_that_gives_one_sample_at_a_time_is_asked_for_the_rest() -> None:
    with ScriptedModelServer([("SELECT 1",), ("SELECT 2", "SELECT 3", "SELECT 4")]) as server:
        drawn = sample(server, 3)
    assert [each.text for each in drawn] == ["SELECT 1", "SELECT 2", "SELECT 3"]
    assert [request.body.get("n") for request in server.completions] == [3, 2]


def test_server_that_knows_no_samples_is_asked_for_one_after_the_other() -> None:
    with ScriptedModelServer([lambda _: Fault.error(400, param="n"), "SELECT 1", "SELECT 2"]) as server:
        drawn = sample(server, 2)
    assert [each.text for each in drawn] == ["SELECT 1", "SELECT 2"]
    assert [request.body.get("n") for request in server.completions] == [2, None, None]


def test_probability_is_the_geometric_mean_over_the_tokens() -> None:
    with ScriptedModelServer() as server:
        server.chances = [math.log(0.5), math.log(0.125)]
        assert complete(server).probability == pytest.approx(0.25)
        server.chances = []
        assert complete(server).probability is None
