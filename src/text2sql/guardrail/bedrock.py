"""The guardrail behind Amazon Bedrock's ApplyGuardrail; whatever goes wrong there stops the question."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, Protocol

from text2sql.errors import GuardrailUnavailable
from text2sql.guardrail.policy import Direction, GuardrailPolicy
from text2sql.messages import Finding, Screening

DEFAULT_MESSAGE = "The guardrail stopped this text. Please ask in other words."

_ACTIONS: Mapping[str, Literal["masked", "blocked"]] = {"ANONYMIZED": "masked", "BLOCKED": "blocked"}


class ApplyGuardrailClient(Protocol):
    """The one call used of a `bedrock-runtime` client."""

    def apply_guardrail(self, **parameters: Any) -> dict[str, Any]:
        """Call ApplyGuardrail."""
        ...


class BedrockGuardrail:
    """Screens text with one version of a Bedrock guardrail."""

    def __init__(
        self,
        client: ApplyGuardrailClient,
        guardrail_id: str,
        version: str,
        policy: GuardrailPolicy | None = None,
    ) -> None:
        """Ask nothing yet.

        Args:
            client: boto3's client for `bedrock-runtime`.
            guardrail_id: the guardrail's id or ARN.
            version: its version, or `DRAFT`.
            policy: what it was made of; without it, Bedrock's own message is shown.
        """
        self._client = client
        self._policy = policy
        self._guardrail_id = guardrail_id
        self._version = version

    def screen(self, text: str, direction: Direction) -> Screening:
        """Return the text as the guardrail masks it, or its message when it blocks.

        Raises:
            GuardrailUnavailable: the call failed, or its reply cannot be understood.
        """
        with _translate_errors():
            reply = self._client.apply_guardrail(
                guardrailIdentifier=self._guardrail_id,
                guardrailVersion=self._version,
                source=direction.upper(),
                content=[{"text": {"text": text}}],
            )
        screening = _read_reply(reply, text)
        if self._policy is None or screening.blocked_message is None:
            return screening
        message = self._policy.blocked_message(screening.findings, direction)
        return screening.model_copy(update={"blocked_message": message})


def connect(
    guardrail_id: str, version: str, policy: GuardrailPolicy | None = None, region: str | None = None
) -> BedrockGuardrail:
    """Open a client with short time limits; without a region the environment names it.

    Raises:
        GuardrailUnavailable: boto3 can make no client, for example because no region is set.
    """
    import boto3
    from botocore.config import Config

    limits = Config(connect_timeout=2, read_timeout=4, retries={"mode": "standard", "total_max_attempts": 3})
    with _translate_errors():
        client = boto3.client("bedrock-runtime", region_name=region, config=limits)
    return BedrockGuardrail(client, guardrail_id, version, policy)


@contextmanager
def _translate_errors() -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise GuardrailUnavailable(
            "The guardrail did not answer, so the text was not used.",
            remedy="Check the region, the credentials and TEXT2SQL_GUARDRAIL_ID; then try again.",
        ) from error


def _read_reply(reply: Mapping[str, Any], text: str) -> Screening:
    action = reply.get("action")
    if action == "NONE":
        return Screening(text=text)
    if action != "GUARDRAIL_INTERVENED":
        raise GuardrailUnavailable("The guardrail's reply cannot be understood, so the text was not used.")
    assessments = reply.get("assessments") or []
    findings = tuple(dict.fromkeys(_find(assessments)))
    said = "".join(output.get("text") or "" for output in reply.get("outputs") or [])
    if findings and said and all(finding.action == "masked" for finding in findings):
        return Screening(text=said, findings=findings)
    # A blocked text comes back unmasked, so with personal data in it nothing of it is kept.
    personal = any(assessment.get("sensitiveInformationPolicy") for assessment in assessments)
    kept = "" if personal or not assessments else text
    return Screening(text=kept, findings=findings, blocked_message=said or DEFAULT_MESSAGE)


def _find(assessments: list[dict[str, Any]]) -> Iterator[Finding]:
    """Walk every list of every policy, so that a policy or an action not known here counts as a block."""
    for assessment in assessments:
        for policy in assessment.values():
            for entries in policy.values() if isinstance(policy, dict) else ():
                for entry in entries if isinstance(entries, list) else ():
                    action = entry.get("action", "NONE") if isinstance(entry, dict) else "NONE"
                    if action != "NONE":
                        yield Finding(kind=_name(entry), action=_ACTIONS.get(action, "blocked"))


def _name(entry: dict[str, Any]) -> str:
    """Name what was seen; `match` holds the text itself and is never read."""
    return str(entry.get("name") or entry.get("type") or "WORD")
