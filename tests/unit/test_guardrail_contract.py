"""What both guardrails make of one policy, alike: the local one, and Bedrock's with a stand-in behind it."""

from collections.abc import Callable

import pytest

from bedrock_guardrail_stand_in import BedrockGuardrailStandIn, Known
from text2sql.embeddings import SentenceEmbeddings
from text2sql.guardrail.bedrock import BedrockGuardrail
from text2sql.guardrail.local import LocalGuardrail
from text2sql.guardrail.policy import Direction, GuardrailPolicy
from text2sql.guardrail.port import Guardrail
from text2sql.services import cache_folder
from text2sql.settings import Settings

EMAIL, SSN, BADGE, SECRET, SWEAR = "ada@example.com", "123-45-6789", "B-1234", "Project Zebra", "shit"
ADVICE = "Should I buy shares of Apple now?"
POLICY = GuardrailPolicy.model_validate(
    {
        "messages": {"input": "Not asked.", "output": "Not shown."},
        "topics": [
            {
                "name": "Investment advice",
                "definition": "Advice on buying, holding or selling shares, funds or other investments.",
                "examples": [
                    "Should I buy Tesla stock now?",
                    "Which shares should I buy?",
                    "Is it a good time to invest in gold?",
                    "Which fund is the best for my savings?",
                    "Should I sell my bitcoin?",
                ],
                "message": "I give no advice on investments.",
            }
        ],
        "words": {"managed": ["profanity"], "own": [SECRET], "input": "block", "output": "allow"},
        "personal": {
            "EMAIL": {"input": "mask", "output": "mask"},
            "US_SOCIAL_SECURITY_NUMBER": {"input": "block", "output": "mask"},
        },
        "patterns": [{"name": "badge", "pattern": r"\bB-\d{4}\b", "input": "mask", "output": "block"}],
    }
)
PERSONAL = "sensitiveInformationPolicy"
KNOWN = (
    Known(EMAIL, PERSONAL, "piiEntities", {"type": "EMAIL", "match": EMAIL}, POLICY.personal["EMAIL"]),
    Known(
        SSN,
        PERSONAL,
        "piiEntities",
        {"type": "US_SOCIAL_SECURITY_NUMBER", "match": SSN},
        POLICY.personal["US_SOCIAL_SECURITY_NUMBER"],
    ),
    Known(BADGE, PERSONAL, "regexes", {"name": "badge", "match": BADGE}, POLICY.patterns[0]),
    Known(ADVICE, "topicPolicy", "topics", {"name": "Investment advice", "type": "DENY"}, POLICY.topics[0]),
    Known(SECRET, "wordPolicy", "customWords", {"match": SECRET}, POLICY.words),
    Known(SWEAR, "wordPolicy", "managedWordLists", {"match": SWEAR, "type": "PROFANITY"}, POLICY.words),
)


def open_local() -> Guardrail:
    return LocalGuardrail(4000, POLICY, SentenceEmbeddings(cache_folder(Settings()) / "embeddings"))


def open_bedrock() -> Guardrail:
    return BedrockGuardrail(BedrockGuardrailStandIn(POLICY.messages, KNOWN), "gr-1", "3", POLICY)


@pytest.fixture(scope="module", params=[open_local, open_bedrock], ids=["local", "bedrock"])
def guardrail(request: pytest.FixtureRequest) -> Guardrail:
    make: Callable[[], Guardrail] = request.param
    return make()


@pytest.mark.parametrize("direction", ["input", "output"])
def test_what_holds_nothing_goes_on_as_it_is(guardrail: Guardrail, direction: Direction) -> None:
    text = "How many cafés opened in São Paulo last year? 👍"
    screening = guardrail.screen(text, direction)
    assert (screening.text, screening.findings, screening.blocked_message) == (text, (), None)


@pytest.mark.parametrize(
    ("text", "direction", "becomes", "kinds"),
    [
        (f"Orders of {EMAIL}", "input", "Orders of {EMAIL}", ["EMAIL"]),
        (f"The best is {EMAIL}.", "output", "The best is {EMAIL}.", ["EMAIL"]),
        (f"The number is {SSN}.", "output", "The number is {US_SOCIAL_SECURITY_NUMBER}.", None),
        (f"Shifts of {BADGE}", "input", "Shifts of {badge}", ["badge"]),
        (f"{EMAIL} and {EMAIL}", "input", "{EMAIL} and {EMAIL}", ["EMAIL"]),
    ],
)
def test_what_is_masked_goes_on_with_its_kind_in_its_place(
    guardrail: Guardrail, text: str, direction: Direction, becomes: str, kinds: list[str] | None
) -> None:
    screening = guardrail.screen(text, direction)
    assert (screening.text, screening.blocked_message) == (becomes, None)
    assert [finding.kind for finding in screening.findings] == (kinds or ["US_SOCIAL_SECURITY_NUMBER"])
    assert {finding.action for finding in screening.findings} == {"masked"}


@pytest.mark.parametrize(
    ("text", "direction", "message", "kinds"),
    [
        (
            f"Who has {SSN}?",
            "input",
            "Not asked. Reason: us social security number.",
            {"US_SOCIAL_SECURITY_NUMBER"},
        ),
        (f"It is {BADGE}.", "output", "Not shown. Reason: badge.", {"badge"}),
        (f"What does {SECRET} cost?", "input", "Not asked. Reason: word.", {"WORD"}),
        (f"Show the {SWEAR} orders", "input", "Please ask again without swear words.", {"PROFANITY"}),
        (ADVICE, "input", "I give no advice on investments.", {"Investment advice"}),
        (
            f"Who has {SSN}, {EMAIL}?",
            "input",
            "Not asked. Reason: us social security number.",
            {"EMAIL", "US_SOCIAL_SECURITY_NUMBER"},
        ),
    ],
)
def test_what_is_stopped_gets_the_policys_message_and_nothing_of_it_is_kept(
    guardrail: Guardrail, text: str, direction: Direction, message: str, kinds: set[str]
) -> None:
    screening = guardrail.screen(text, direction)
    assert screening.blocked_message == message
    assert {finding.kind for finding in screening.findings} == kinds
    for found in (SSN, EMAIL, BADGE):
        assert found not in screening.model_dump_json()


def test_what_the_policy_allows_in_one_direction_goes_on(guardrail: Guardrail) -> None:
    for text in (f"{SECRET} costs 7.", f"The {SWEAR} orders are 7.", ADVICE):
        assert guardrail.screen(text, "output").text == text
