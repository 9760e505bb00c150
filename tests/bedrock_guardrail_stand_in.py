"""Amazon Bedrock's ApplyGuardrail for a few known texts; botocore checks the form of its replies.

It does with them what the policy says, as the service is documented to: entities and patterns are masked in
`outputs`, of a text that is stopped the message alone comes back, and `match` repeats what was found.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import boto3
from botocore.stub import Stubber

from text2sql.guardrail.policy import Handling, Messages, Topic, Words

_UNITS = (
    "topicPolicyUnits",
    "contentPolicyUnits",
    "wordPolicyUnits",
    "sensitiveInformationPolicyUnits",
    "sensitiveInformationPolicyFreeUnits",
    "contextualGroundingPolicyUnits",
)
_LISTS = {
    "sensitiveInformationPolicy": ("piiEntities", "regexes"),
    "topicPolicy": ("topics",),
    "wordPolicy": ("customWords", "managedWordLists"),
}
_TAKEN = {"mask": "ANONYMIZED", "block": "BLOCKED"}


class Known(NamedTuple):
    """What Bedrock finds in a text, the list of an assessment that tells of it, and what is to be done."""

    stretch: str
    policy: str
    entries: str
    entry: Mapping[str, str]
    handling: Handling | Topic | Words


class BedrockGuardrailStandIn:
    """What `BedrockGuardrail` takes as its client."""

    def __init__(self, messages: Messages, known: Sequence[Known]) -> None:
        """Know what there is to be found; `messages` are those that the guardrail was made with."""
        self._messages = messages
        self._known = known
        self._client = boto3.client(
            "bedrock-runtime", region_name="eu-central-1", aws_access_key_id="t", aws_secret_access_key="t"
        )

    def apply_guardrail(self, **parameters: Any) -> Any:
        """Answer as the service would."""
        reply = self._reply(parameters["content"][0]["text"]["text"], parameters["source"].lower())
        with Stubber(self._client) as stubber:
            stubber.add_response("apply_guardrail", reply, parameters)
            return self._client.apply_guardrail(**parameters)

    def _reply(self, text: str, direction: str) -> dict[str, Any]:
        assessment: dict[str, dict[str, list[dict[str, str]]]] = {}
        masked, actions = text, set()
        for known in self._known:
            action = getattr(known.handling, direction)
            if known.stretch not in text or action == "allow":
                continue
            actions.add(action)
            lists = assessment.setdefault(known.policy, {name: [] for name in _LISTS[known.policy]})
            lists[known.entries].append({**known.entry, "action": _TAKEN[action]})
            if action == "mask":
                kind = known.entry.get("name") or known.entry["type"]
                masked = masked.replace(known.stretch, f"{{{kind}}}")
        said = getattr(self._messages, direction) if "block" in actions else masked
        return {
            "usage": dict.fromkeys(_UNITS, 1),
            "action": "GUARDRAIL_INTERVENED" if actions else "NONE",
            "outputs": [{"text": said}] if actions else [],
            "assessments": [assessment] if assessment else [],
        }
