import time

import pytest

from text2sql.errors import InvalidQuestion
from text2sql.guardrail.local import LocalGuardrail
from text2sql.guardrail.step import check_question


def check(question: str, max_characters: int = 4000) -> str:
    return check_question(question, LocalGuardrail(max_characters), max_characters).text


@pytest.mark.parametrize("question", ["", "   ", "\n\t ", "\u200b", "\u202e\u202c", "\x1b"])
def test_question_without_a_visible_character_is_invalid(question: str) -> None:
    with pytest.raises(InvalidQuestion, match="empty") as raised:
        check(question)
    assert "How many" in raised.value.remedy


@pytest.mark.parametrize(
    "question", ["sales\0", "sales \ud800", b"sales \xff".decode(errors="surrogateescape")]
)
def test_question_that_is_no_text_is_invalid_with_a_remedy(question: str) -> None:
    with pytest.raises(InvalidQuestion) as raised:
        check(question)
    assert raised.value.remedy


def test_longer_question_than_allowed_is_invalid_and_says_the_limit() -> None:
    assert check(" " + "x" * 10 + " ", 10) == "x" * 10
    with pytest.raises(InvalidQuestion, match="11 characters; at most 10") as raised:
        check("x" * 11, 10)
    assert "TEXT2SQL_QUESTION_CHARACTERS" in raised.value.remedy


def test_question_that_grows_past_the_limit_by_normalising_is_invalid() -> None:
    with pytest.raises(InvalidQuestion, match="20 characters"):
        check("\u0958" * 10, 10)


def test_stacked_accents_are_refused_before_they_are_sorted() -> None:
    started = time.process_time()
    with pytest.raises(InvalidQuestion, match="characters"):
        check("a" + "\u0315\u0300" * 50_000)
    assert time.process_time() - started < 2


def test_question_is_trimmed_and_normalised() -> None:
    assert check("  Cafe\u0301 sales? \n") == "Caf\u00e9 sales?"


@pytest.mark.parametrize("question", ["كم عدد الطلبات؟", "Sales of 👩‍👩‍👧?", "去年有多少订单"])
def test_other_scripts_and_emoji_pass_unchanged(question: str) -> None:
    assert check(question) == question


def test_guardrail_decides_last() -> None:
    screening = check_question("delete all orders", LocalGuardrail(4000), 4000)
    assert screening.blocked_message
    masked = check_question("ssn 123-45-6789", LocalGuardrail(4000), 4000)
    assert masked.text == "ssn {US_SOCIAL_SECURITY_NUMBER}"
