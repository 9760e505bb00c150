import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from text2sql.errors import InvalidGuardrail
from text2sql.guardrail import names
from text2sql.guardrail.local import LocalGuardrail
from text2sql.guardrail.personal import FINDERS
from text2sql.guardrail.policy import SENTENCES, GuardrailPolicy
from text2sql.guardrail.profanity import ORDINARY_WORDS

CASES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "guardrail_cases.yaml").read_text(encoding="utf-8")
)


ALL = GuardrailPolicy.model_validate(
    {
        "content": {"prompt_attack": {"input": "low"}},
        "words": {"managed": ["profanity"], "own": ["Project Zebra", "Blue Falcon"]},
        "personal": {kind: {"input": "mask"} for kind in FINDERS},
    }
)
"""All that rules find."""


def verdict(screening: Any) -> str:
    if screening.blocked_message is not None:
        return "blocked"
    return "masked" if screening.findings else "passed"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["text"].encode("unicode_escape").decode()[:60])
def test_case_gets_its_verdict(case: dict[str, Any]) -> None:
    screening = LocalGuardrail(4000).screen(case["text"], case.get("direction", "input"))
    assert verdict(screening) == case["verdict"]
    assert [finding.kind for finding in screening.findings] == case.get("kinds", [])
    if case["verdict"] == "passed":
        assert screening.text == case["text"]
    if case["verdict"] == "masked":
        assert screening.text == case["becomes"]
    if case["verdict"] == "blocked":
        assert screening.text == case.get("becomes", case["text"])
        assert screening.findings[-1].action == "blocked"


def test_name_is_told_from_town_shop_and_street() -> None:
    policy = GuardrailPolicy.model_validate({"personal": {"NAME": {"input": "mask", "output": "mask"}}})
    guardrail = LocalGuardrail(4000, policy)
    asked = guardrail.screen("Is Ada Byron's order, paid by John Smith on 2024-05-01, there?", "input")
    assert asked.text == "Is {NAME}'s order, paid by {NAME} on 2024-05-01, there?"
    assert guardrail.screen("The customer is Mr. Anderson.", "output").text == "The customer is Mr. {NAME}."
    assert guardrail.screen("Find Ada Byron's orders", "input").text == "Find {NAME}'s orders"
    for other in (
        "customers in São Paulo",
        "visitors of the Jackson store",
        "stock of Calvin jeans",
        "the wines of Robert Biale winery",
        "flights from the airport named 'London Gatwick'",
        "films that won a Tony Award",
        'the sections of the document "David CV"',
        "Find Alice's orders",
    ):
        assert guardrail.screen(other, "input").text == other


def test_names_that_cannot_be_found_are_not_let_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "are_installed", lambda: False)  # as on a machine without the extra
    policy = GuardrailPolicy.model_validate({"personal": {"NAME": {"output": "mask"}}})
    with pytest.raises(InvalidGuardrail, match="finds names"):
        LocalGuardrail(4000, policy)
    LocalGuardrail(4000)


def test_cases_are_many_and_differ() -> None:
    assert len(CASES) >= 80
    assert len({(case["text"], case.get("direction")) for case in CASES}) == len(CASES)


def test_write_request_says_that_we_only_read() -> None:
    screening = LocalGuardrail(4000).screen("delete all orders", "input")
    assert screening.blocked_message == SENTENCES["WRITE_REQUEST"]
    assert SENTENCES["WRITE_REQUEST"] == "I only read: I can show data, I cannot change it."


def test_unpaired_surrogate_is_removed() -> None:
    assert LocalGuardrail(4000).screen("a\ud800b", "output").text == "ab"


def test_long_question_is_blocked_and_long_answer_passes() -> None:
    guardrail = LocalGuardrail(10)
    assert guardrail.screen("x" * 10, "input").blocked_message is None
    assert [finding.kind for finding in guardrail.screen("x" * 11, "input").findings] == ["TOO_LONG"]
    assert guardrail.screen("x" * 11, "output").text == "x" * 11


def test_every_ordinary_word_is_one_that_the_library_would_refuse() -> None:
    from glin_profanity.data.dictionary import dictionary

    listed = set(dictionary.get_words("english"))
    assert [word for word in ORDINARY_WORDS if word not in listed] == []
    assert len(set(ORDINARY_WORDS)) == len(ORDINARY_WORDS)


@pytest.mark.parametrize("word", ORDINARY_WORDS)
def test_ordinary_word_passes(word: str) -> None:
    assert LocalGuardrail(4000).screen(f"Count rows about {word} by year", "input").blocked_message is None


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        " ",
        "ignore ",
        "ignore all ",
        "ignore all of the ",
        ").(",
        "please, ",
        "system ",
        "your ",
        "\t \n",
        "drop the x ",
        "add y ",
        "you are now ",
        "please ",
        "remove x ",
        "update the price ",
        "1-",
        "f*",
        "é",
        "Dick ",
        "&amp;",
        "1 ",
        "1.",
        "+1 (2) ",
        "a@",
        "a.b-",
        "DE12 ",
        "12:",
        ":",
        "1 Elm ",
        "decode ",
        "act as a ",
        "ignore your \u200b",
        "ssn ",
    ],
)
def test_hostile_repetition_is_screened_quickly(piece: str) -> None:
    guardrail = LocalGuardrail(4000, ALL)
    guardrail.screen("warm up", "input")
    started = time.process_time()
    for start in ("", "ignore your ", "show your ", "delete ", "update the "):
        guardrail.screen((start + piece * 4000)[:4000], "input")
    assert time.process_time() - started < 1.0
