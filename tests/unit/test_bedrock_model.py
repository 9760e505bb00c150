"""The Bedrock adapter on a real boto3 client whose replies are stubbed."""

import builtins
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import boto3
import pytest
from botocore import exceptions as aws
from botocore.stub import Stubber

from text2sql.errors import ModelError, ModelNotInstalled, ModelThrottled, ModelTimedOut, ModelUnavailable
from text2sql.generation.bedrock import DEFAULT_MODEL, BedrockModel, connect
from text2sql.generation.port import Prompt, Turn

PROMPT = Prompt(
    system="The schema.",
    turns=(
        Turn(role="user", text="How many?"),
        Turn(role="assistant", text="SELECT"),
        Turn(role="user", text="Go on."),
    ),
    max_tokens=50,
)
NOVA = "us.amazon.nova-pro-v1:0"


class Bedrock:
    """A stubbed client and what it is to receive."""

    def __init__(self) -> None:
        self.client: Any = boto3.client(
            "bedrock-runtime",
            region_name="eu-central-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )
        self.stub = Stubber(self.client)

    def will_reply(self, expected: dict[str, Any] | None = None, **changes: Any) -> None:
        reply = {
            "output": {"message": {"role": "assistant", "content": [{"text": "SELECT "}, {"text": "1"}]}},
            "stopReason": "end_turn",
            "usage": {"inputTokens": 20, "outputTokens": 5, "totalTokens": 25},
            "metrics": {"latencyMs": 1},
            **changes,
        }
        self.stub.add_response("converse", reply, expected)

    def will_fail(self, code: str) -> None:
        self.stub.add_client_error("converse", service_error_code=code, service_message="a secret text")


@pytest.fixture
def bedrock() -> Iterator[Bedrock]:
    made = Bedrock()
    with made.stub:
        yield made
        made.stub.assert_no_pending_responses()
    made.client.close()


def request(model: str, *, cached: bool) -> dict[str, Any]:
    system: list[dict[str, Any]] = [{"text": "The schema."}]
    if cached:
        system.append({"cachePoint": {"type": "default"}})
    return {
        "modelId": model,
        "system": system,
        "messages": [
            {"role": "user", "content": [{"text": "How many?"}]},
            {"role": "assistant", "content": [{"text": "SELECT"}]},
            {"role": "user", "content": [{"text": "Go on."}]},
        ],
        "inferenceConfig": {"maxTokens": 50, "temperature": 0.0},
    }


def test_reply_becomes_text_and_usage_with_the_cache_s_tokens_counted_in(bedrock: Bedrock) -> None:
    used = {
        "inputTokens": 20,
        "outputTokens": 5,
        "totalTokens": 1125,
        "cacheReadInputTokens": 1000,
        "cacheWriteInputTokens": 100,
    }
    bedrock.will_reply(request(DEFAULT_MODEL, cached=True), usage=used)
    model = BedrockModel(bedrock.client, price_input=Decimal(3), price_output=Decimal(15))
    completion = model.complete(PROMPT)
    assert (completion.text, completion.finish) == ("SELECT 1", "stop")
    usage = completion.usage
    assert (usage.model, usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens) == (
        DEFAULT_MODEL,
        1120,
        1000,
        5,
    )
    assert usage.cost_usd == Decimal("0.003435")


@pytest.mark.parametrize(
    ("model", "cached"),
    [
        ("eu.anthropic.claude-sonnet-4-5-20250929-v1:0", True),
        ("anthropic.claude-3-haiku-20240307-v1:0", False),
        ("anthropic.claude-v2:1", False),
        (NOVA, False),
        ("arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/abc", False),
    ],
)
def test_cache_point_goes_only_to_models_that_know_it(bedrock: Bedrock, model: str, *, cached: bool) -> None:
    bedrock.will_reply(request(model, cached=cached))
    assert BedrockModel(bedrock.client, model).complete(PROMPT).usage.cost_usd is None


def test_prompt_without_system_sends_no_system_block(bedrock: Bedrock) -> None:
    expected = request(NOVA, cached=False)
    del expected["system"]
    bedrock.will_reply(expected)
    BedrockModel(bedrock.client, NOVA).complete(PROMPT.model_copy(update={"system": ""}))


@pytest.mark.parametrize(
    ("stop_reason", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("guardrail_intervened", "filtered"),
        ("content_filtered", "filtered"),
    ],
)
def test_stop_reasons(bedrock: Bedrock, stop_reason: str, finish: str) -> None:
    bedrock.will_reply(stopReason=stop_reason)
    assert BedrockModel(bedrock.client).complete(PROMPT).finish == finish


def test_thoughts_are_not_part_of_the_text(bedrock: Bedrock) -> None:
    thought = {"reasoningContent": {"reasoningText": {"text": "Hm."}}}
    message = {"role": "assistant", "content": [thought, {"text": "SELECT 1"}]}
    bedrock.will_reply(output={"message": message})
    assert BedrockModel(bedrock.client).complete(PROMPT).text == "SELECT 1"


@pytest.mark.parametrize("output", [{}, {"message": {"role": "assistant"}}])
def test_reply_without_a_message_is_unavailable(output: dict[str, Any]) -> None:
    class Client:
        def converse(self, **_: Any) -> dict[str, Any]:
            return {"output": output}

    with pytest.raises(ModelUnavailable, match="no message"):
        BedrockModel(Client()).complete(PROMPT)


@pytest.mark.parametrize(
    ("code", "error", "remedy"),
    [
        ("ThrottlingException", ModelThrottled, ""),
        ("ServiceQuotaExceededException", ModelThrottled, ""),
        ("ModelTimeoutException", ModelTimedOut, "faster"),
        ("ModelErrorException", ModelUnavailable, "Ask again"),
        ("ModelNotReadyException", ModelUnavailable, "Ask again"),
        ("ServiceUnavailableException", ModelUnavailable, "Ask again"),
        ("InternalServerException", ModelUnavailable, "Ask again"),
        ("AccessDeniedException", ModelUnavailable, "bedrock:InvokeModel"),
        ("ExpiredTokenException", ModelUnavailable, "bedrock:InvokeModel"),
        ("ResourceNotFoundException", ModelUnavailable, "TEXT2SQL_MODEL_NAME"),
    ],
)
def test_service_errors_are_named(bedrock: Bedrock, code: str, error: type[ModelError], remedy: str) -> None:
    bedrock.will_fail(code)
    with pytest.raises(error) as caught:
        BedrockModel(bedrock.client).complete(PROMPT)
    assert type(caught.value) is error
    assert remedy in caught.value.remedy
    assert "secret" not in caught.value.message + caught.value.remedy


def test_model_that_takes_no_temperature_is_asked_again_without_and_from_then_on(bedrock: Bedrock) -> None:
    without = request(DEFAULT_MODEL, cached=True)
    del without["inferenceConfig"]["temperature"]
    bedrock.will_fail("ValidationException")
    bedrock.will_reply(without)
    bedrock.will_reply(without)
    model = BedrockModel(bedrock.client)
    assert [model.complete(PROMPT).text, model.complete(PROMPT).text] == ["SELECT 1"] * 2


def test_refused_request_is_no_outage_and_the_next_one_has_its_temperature_again(bedrock: Bedrock) -> None:
    bedrock.will_fail("ValidationException")
    bedrock.will_fail("ValidationException")
    bedrock.will_reply(request(DEFAULT_MODEL, cached=True))
    model = BedrockModel(bedrock.client)
    with pytest.raises(ModelError, match="refuses the request") as caught:
        model.complete(PROMPT)
    assert type(caught.value) is ModelError
    assert model.complete(PROMPT).text == "SELECT 1"


@pytest.mark.parametrize(
    ("raised", "error", "words"),
    [
        (aws.ReadTimeoutError(endpoint_url="https://x"), ModelTimedOut, "7 seconds"),
        (aws.ConnectTimeoutError(endpoint_url="https://x"), ModelUnavailable, "cannot be reached"),
        (aws.EndpointConnectionError(endpoint_url="https://x"), ModelUnavailable, "cannot be reached"),
        (aws.NoCredentialsError(), ModelUnavailable, "credentials"),
        (aws.PartialCredentialsError(provider="env", cred_var="x"), ModelUnavailable, "credentials"),
    ],
)
def test_client_errors_are_named(raised: Exception, error: type[ModelError], words: str) -> None:
    class Client:
        def converse(self, **_: Any) -> dict[str, Any]:
            raise raised

    with pytest.raises(error, match=words) as caught:
        BedrockModel(Client(), timeout=7.0).complete(PROMPT)
    assert type(caught.value) is error


def test_connect_limits_the_client_s_own_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    model = connect(NOVA, 33.0)
    client: Any = model._client
    config = client.meta.config
    assert (config.read_timeout, config.connect_timeout) == (33.0, 10.0)
    assert config.retries == {"mode": "standard", "total_max_attempts": 2}
    assert client.meta.region_name == "eu-central-1"
    client.close()


def test_connect_without_a_region_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(ModelUnavailable, match="Region"):
        connect()


def test_connect_without_boto3_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real_import = builtins.__import__

    def without_boto3(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "boto3":
            raise ImportError(name)
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_boto3)  # the library is installed for the tests
    with pytest.raises(ModelNotInstalled) as caught:
        connect()
    assert "text2sql[aws]" in caught.value.remedy


def test_each_sample_is_a_call_of_its_own(bedrock: Bedrock) -> None:
    for _ in range(3):
        bedrock.will_reply(request(DEFAULT_MODEL, cached=True))
    drawn = BedrockModel(bedrock.client).sample(PROMPT, 3)
    assert [each.text for each in drawn] == ["SELECT 1"] * 3
    assert [each.usage.completion_tokens for each in drawn] == [5, 5, 5]
