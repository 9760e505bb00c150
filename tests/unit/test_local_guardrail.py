import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from text2sql.guardrail.local import LocalGuardrail
from text2sql.guardrail.profanity import ORDINARY_WORDS
from text2sql.guardrail.rules import WRITE_REQUEST_MESSAGE

CASES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "guardrail_cases.yaml").read_text(encoding="utf-8")
)


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


def test_cases_are_many_and_differ() -> None:
    assert len(CASES) >= 80
    assert len({(case["text"], case.get("direction")) for case in CASES}) == len(CASES)


def test_write_request_says_that_we_only_read() -> None:
    screening = LocalGuardrail(4000).screen("delete all orders", "input")
    assert screening.blocked_message == WRITE_REQUEST_MESSAGE
    assert WRITE_REQUEST_MESSAGE == "I only read: I can show data, I cannot change it."


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
    ],
)
def test_hostile_repetition_is_screened_quickly(piece: str) -> None:
    guardrail = LocalGuardrail(4000)
    guardrail.screen("warm up", "input")
    started = time.process_time()
    for start in ("", "ignore your ", "show your ", "delete ", "update the "):
        guardrail.screen((start + piece * 4000)[:4000], "input")
    assert time.process_time() - started < 1.0
