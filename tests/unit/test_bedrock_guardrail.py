from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError, NoRegionError, ReadTimeoutError
from botocore.stub import Stubber

from text2sql.errors import GuardrailUnavailable
from text2sql.guardrail.bedrock import DEFAULT_MESSAGE, BedrockGuardrail, connect

SSN = {"match": "123-45-6789", "type": "US_SOCIAL_SECURITY_NUMBER"}


def client() -> Any:
    return boto3.client(
        "bedrock-runtime",
        region_name="eu-central-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def reply(action: str, text: str = "", **policies: Any) -> dict[str, Any]:
    return {
        "usage": dict.fromkeys(
            (
                "topicPolicyUnits",
                "contentPolicyUnits",
                "wordPolicyUnits",
                "sensitiveInformationPolicyUnits",
                "sensitiveInformationPolicyFreeUnits",
                "contextualGroundingPolicyUnits",
            ),
            0,
        ),
        "action": action,
        "outputs": [{"text": text}] if text else [],
        "assessments": [policies],
    }


def screen(answer: dict[str, Any], text: str = "a question", direction: Any = "input") -> Any:
    bedrock = client()
    with Stubber(bedrock) as stubber:
        stubber.add_response(
            "apply_guardrail",
            answer,
            {
                "guardrailIdentifier": "gr-1",
                "guardrailVersion": "3",
                "source": direction.upper(),
                "content": [{"text": {"text": text}}],
            },
        )
        return BedrockGuardrail(bedrock, "gr-1", "3").screen(text, direction)


@pytest.mark.parametrize("direction", ["input", "output"])
def test_no_action_returns_the_text_unchanged(direction: str) -> None:
    screening = screen(reply("NONE"), "Café 👍", direction)
    assert (screening.text, screening.findings, screening.blocked_message) == ("Café 👍", (), None)


def test_anonymised_only_returns_the_masked_text() -> None:
    screening = screen(
        reply(
            "GUARDRAIL_INTERVENED",
            "ssn {US_SOCIAL_SECURITY_NUMBER}",
            sensitiveInformationPolicy={
                "piiEntities": [{**SSN, "action": "ANONYMIZED"}, {**SSN, "action": "ANONYMIZED"}],
                "regexes": [{"name": "badge", "match": "B-1", "regex": "B-.", "action": "ANONYMIZED"}],
            },
            contentPolicy={
                "filters": [
                    {"type": "INSULTS", "confidence": "LOW", "filterStrength": "LOW", "action": "NONE"}
                ]
            },
        )
    )
    assert screening.text == "ssn {US_SOCIAL_SECURITY_NUMBER}"
    assert [(finding.kind, finding.action) for finding in screening.findings] == [
        ("US_SOCIAL_SECURITY_NUMBER", "masked"),
        ("badge", "masked"),
    ]
    assert screening.blocked_message is None


def test_block_with_personal_data_returns_the_message_and_no_text() -> None:
    screening = screen(
        reply(
            "GUARDRAIL_INTERVENED",
            "Not here.",
            topicPolicy={"topics": [{"name": "Politics", "type": "DENY", "action": "BLOCKED"}]},
            contentPolicy={"filters": [{"type": "PROMPT_ATTACK", "confidence": "HIGH", "action": "BLOCKED"}]},
            wordPolicy={
                "customWords": [{"match": "acme", "action": "BLOCKED"}],
                "managedWordLists": [{"match": "…", "type": "PROFANITY", "action": "BLOCKED"}],
            },
            sensitiveInformationPolicy={
                "piiEntities": [{**SSN, "action": "ANONYMIZED"}],
                "regexes": [],
            },
        )
    )
    assert (screening.text, screening.blocked_message) == ("", "Not here.")
    assert [(finding.kind, finding.action) for finding in screening.findings] == [
        ("Politics", "blocked"),
        ("PROMPT_ATTACK", "blocked"),
        ("WORD", "blocked"),
        ("PROFANITY", "blocked"),
        ("US_SOCIAL_SECURITY_NUMBER", "masked"),
    ]
    assert "acme" not in str(screening)
    assert "123-45" not in str(screening)


def test_intervention_without_a_known_reason_blocks() -> None:
    assert screen(reply("GUARDRAIL_INTERVENED", "Some text")).blocked_message == "Some text"
    assert screen(reply("GUARDRAIL_INTERVENED")).blocked_message == DEFAULT_MESSAGE


def test_block_without_personal_data_keeps_the_question() -> None:
    policy = {"topics": [{"name": "Politics", "type": "DENY", "action": "BLOCKED"}]}
    screening = screen(reply("GUARDRAIL_INTERVENED", "Not here.", topicPolicy=policy))
    assert (screening.text, screening.blocked_message) == ("a question", "Not here.")


def test_masking_without_masked_text_blocks() -> None:
    policy = {"piiEntities": [{**SSN, "action": "ANONYMIZED"}], "regexes": []}
    screening = screen(reply("GUARDRAIL_INTERVENED", sensitiveInformationPolicy=policy))
    assert screening.blocked_message == DEFAULT_MESSAGE


class Canned:
    def __init__(self, answer: dict[str, Any] | Exception) -> None:
        self.answer = answer

    def apply_guardrail(self, **_: Any) -> dict[str, Any]:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_unknown_action_of_an_entry_blocks() -> None:
    policy = {"piiEntities": [{**SSN, "action": "ANONYMIZED"}, {"type": "NAME", "action": "REDIRECTED"}]}
    answer = reply(
        "GUARDRAIL_INTERVENED", "masked", sensitiveInformationPolicy=policy, odd="x", more={"a": [1]}
    )
    screening = BedrockGuardrail(Canned(answer), "gr-1", "3").screen("q", "input")
    assert screening.blocked_message == "masked"


@pytest.mark.parametrize("answer", [{}, {"action": "MAYBE"}])
def test_reply_that_says_nothing_known_fails_closed(answer: dict[str, Any]) -> None:
    with pytest.raises(GuardrailUnavailable):
        BedrockGuardrail(Canned(answer), "gr-1", "3").screen("q", "input")


@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException", "ValidationException"])
def test_service_error_fails_closed_without_the_services_text(code: str) -> None:
    bedrock = client()
    with Stubber(bedrock) as stubber:
        stubber.add_client_error("apply_guardrail", code, "arn:aws:secret")
        with pytest.raises(GuardrailUnavailable) as raised:
            BedrockGuardrail(bedrock, "gr-1", "3").screen("q", "input")
    assert "secret" not in raised.value.message + raised.value.remedy


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="https://example.invalid"),
        ReadTimeoutError(endpoint_url="https://example.invalid"),
        NoCredentialsError(),
    ],
)
def test_connection_error_fails_closed(error: Exception) -> None:
    with pytest.raises(GuardrailUnavailable) as raised:
        BedrockGuardrail(Canned(error), "gr-1", "3").screen("q", "output")
    assert raised.value.__cause__ is error


def test_connect_uses_the_region_and_short_limits() -> None:
    guardrail = connect("gr-1", "3", region="eu-west-1")
    meta: Any = guardrail._client
    assert meta.meta.region_name == "eu-west-1"
    assert meta.meta.config.read_timeout == 4  # three times, within the 15 s of the function


def test_connect_without_a_region_fails_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "missing")
    with pytest.raises(GuardrailUnavailable) as raised:
        connect("gr-1", "3")
    assert isinstance(raised.value.__cause__, NoRegionError)
