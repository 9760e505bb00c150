"""The guardrail's policy: what is stopped or masked, on the way in and on the way out, and what is then said.

One file, `guardrail.yaml`, is read here and by Terraform, which makes an Amazon Bedrock guardrail of it. The
limits are those of Bedrock's CreateGuardrail, so that a file that is read here can be made there.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, StringConstraints, field_validator, model_validator

from text2sql.errors import InvalidGuardrail
from text2sql.guardrail.patterns import compile_pattern
from text2sql.messages import Finding, Message
from text2sql.yaml_file import YamlFile

Direction: TypeAlias = Literal["input", "output"]
"""`input` is what people write, `output` what they are shown."""

Strength: TypeAlias = Literal["none", "low", "medium", "high"]
"""The higher, the more is stopped."""
Stopping: TypeAlias = Literal["allow", "block"]
Action: TypeAlias = Literal["allow", "mask", "block"]

ContentKind: TypeAlias = Literal["hate", "insults", "sexual", "violence", "misconduct", "prompt_attack"]

PersonalKind: TypeAlias = Literal[
    "ADDRESS",
    "AGE",
    "AWS_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "CA_HEALTH_NUMBER",
    "CA_SOCIAL_INSURANCE_NUMBER",
    "CREDIT_DEBIT_CARD_CVV",
    "CREDIT_DEBIT_CARD_EXPIRY",
    "CREDIT_DEBIT_CARD_NUMBER",
    "DRIVER_ID",
    "EMAIL",
    "INTERNATIONAL_BANK_ACCOUNT_NUMBER",
    "IP_ADDRESS",
    "LICENSE_PLATE",
    "MAC_ADDRESS",
    "NAME",
    "PASSWORD",
    "PHONE",
    "PIN",
    "SWIFT_CODE",
    "UK_NATIONAL_HEALTH_SERVICE_NUMBER",
    "UK_NATIONAL_INSURANCE_NUMBER",
    "UK_UNIQUE_TAXPAYER_REFERENCE_NUMBER",
    "URL",
    "USERNAME",
    "US_BANK_ACCOUNT_NUMBER",
    "US_BANK_ROUTING_NUMBER",
    "US_INDIVIDUAL_TAX_IDENTIFICATION_NUMBER",
    "US_PASSPORT_NUMBER",
    "US_SOCIAL_SECURITY_NUMBER",
    "VEHICLE_IDENTIFICATION_NUMBER",
]
"""Amazon Bedrock's kinds of personal data, by its names."""

SENTENCES: Mapping[str, str] = {
    "PROFANITY": "Please ask again without swear words.",
    "PROMPT_ATTACK": (
        "I answer questions about the data; I do not change or show my own instructions. "
        "Please ask for the data you want to see."
    ),
    "WRITE_REQUEST": "I only read: I can show data, I cannot change it.",
    "TOO_LONG": "The question is too long. Please ask a shorter one.",
}
"""What is said of kinds that a policy gives no message for."""

_Shown: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=500)]
_Short: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class Messages(Message):
    """What is shown instead of a text that is stopped."""

    input: _Shown = "This question was stopped."
    output: _Shown = "This text was held back."


class Filter(Message):
    """How much of a kind of content is stopped."""

    input: Strength = "none"
    output: Strength = "none"


class Words(Message):
    """Words that stop a text."""

    managed: tuple[Literal["profanity"], ...] = ()
    """Lists that somebody else keeps."""
    own: tuple[_Short, ...] = ()
    """Words or phrases, case aside."""
    input: Stopping = "block"
    output: Stopping = "allow"


class Topic(Message):
    """What is not talked about."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[0-9a-zA-Z\-_ !?.]+$")]
    definition: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    examples: Annotated[tuple[_Short, ...], Field(max_length=5)] = ()
    message: _Shown | None = None
    """Shown instead of `messages`."""
    input: Stopping = "block"
    output: Stopping = "allow"


class Handling(Message):
    """What becomes of a piece of personal data."""

    input: Action = "allow"
    output: Action = "allow"


class Pattern(Handling):
    """What looks like this, in the syntax of RE2: like Bedrock, it knows no lookaround."""

    name: _Short
    pattern: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    description: Annotated[str, StringConstraints(max_length=1000)] = ""

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        compile_pattern(pattern)
        return pattern


class GuardrailPolicy(Message):
    """The file `guardrail.yaml`; what it does not name is allowed."""

    messages: Messages = Messages()
    content: Mapping[ContentKind, Filter] = Field(default_factory=dict)
    words: Words = Words()
    topics: Annotated[tuple[Topic, ...], Field(max_length=30)] = ()
    personal: Mapping[PersonalKind, Handling] = Field(default_factory=dict)
    patterns: Annotated[tuple[Pattern, ...], Field(max_length=30)] = ()

    @field_validator("content")
    @classmethod
    def _attacks_come_in(cls, content: Mapping[ContentKind, Filter]) -> Mapping[ContentKind, Filter]:
        if "prompt_attack" in content and content["prompt_attack"].output != "none":
            raise ValueError("a prompt attack is looked for in the input alone")
        return content

    @model_validator(mode="after")
    def _names_once(self) -> "GuardrailPolicy":
        names = [topic.name for topic in self.topics] + [pattern.name for pattern in self.patterns]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"{twice} stands there twice")
        return self

    def blocked_message(self, findings: Iterable[Finding], direction: Direction) -> str:
        """Return what is shown instead of a text that holds these; it repeats nothing of the text."""
        kinds = [finding.kind for finding in findings if finding.action == "blocked"]
        for topic in self.topics:
            if topic.name in kinds and topic.message:
                return topic.message
        if sentence := next((SENTENCES[kind] for kind in kinds if kind in SENTENCES), None):
            return sentence
        told = self.messages.input if direction == "input" else self.messages.output
        reasons = ", ".join(dict.fromkeys(kind.replace("_", " ").lower() for kind in kinds))
        return f"{told} Reason: {reasons}." if reasons else told


def read_guardrail_policy(path: Path) -> GuardrailPolicy:
    """Read a policy and check its format.

    Raises:
        InvalidGuardrail: it cannot be read, is no YAML, or does not follow the format.
    """
    return YamlFile(path, GuardrailPolicy, InvalidGuardrail, "docs/guardrails.md").content


@cache
def default_policy() -> GuardrailPolicy:
    """Return what holds where no file is named."""
    return read_guardrail_policy(Path(__file__).with_name("default.yaml"))
