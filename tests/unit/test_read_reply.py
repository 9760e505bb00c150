from typing import Literal

import pytest

from text2sql.errors import ReplyUnusable
from text2sql.generation.port import Completion
from text2sql.generation.reply import read_reply
from text2sql.messages import Clarification, Declined, SqlDraft, Usage


def _completion(text: str, finish: Literal["stop", "length", "filtered"] = "stop") -> Completion:
    return Completion(text=text, finish=finish, usage=Usage(completion_tokens=7))


@pytest.mark.parametrize(
    "text",
    [
        "```sql\nSELECT 1\n```",
        "```\nSELECT 1\n```",
        "```sqlite\nSELECT 1\n```",
        "SELECT 1",
        "  SELECT 1  ",
        "Here it is:\n```sql\nSELECT 1\n```\nIt returns one.",
        "Here it is:\n\nSELECT 1",
        "```sql\nSELECT 1",
    ],
)
def test_statement_is_found_however_it_is_wrapped(text: str) -> None:
    assert read_reply(_completion(text)) == SqlDraft(sql="SELECT 1", usage=Usage(completion_tokens=7))


def test_with_clause_starts_a_statement() -> None:
    draft = read_reply(_completion("WITH a AS (SELECT 1) SELECT * FROM a"))
    assert isinstance(draft, SqlDraft)


def test_two_statements_are_left_for_the_validator() -> None:
    draft = read_reply(_completion("```sql\nSELECT 1; SELECT 2\n```"))
    assert isinstance(draft, SqlDraft)
    assert draft.sql == "SELECT 1; SELECT 2"


def test_refusal_is_read_with_what_is_missing() -> None:
    declined = read_reply(_completion("DECLINE: no table holds the weather"))
    assert isinstance(declined, Declined)
    assert declined.reason == "no table holds the weather"


def test_question_back_is_read_with_its_choices() -> None:
    clarification = read_reply(_completion("CLARIFY: Which date? | order date | delivery date |"))
    assert isinstance(clarification, Clarification)
    assert clarification.question == "Which date?"
    assert clarification.choices == ("order date", "delivery date")


def test_reply_held_back_by_the_service_is_a_refusal() -> None:
    assert isinstance(read_reply(_completion("", "filtered")), Declined)


@pytest.mark.parametrize(
    ("text", "finish", "message"),
    [
        ("", "stop", "nothing"),
        ("   \n", "stop", "nothing"),
        ("I cannot help with that, but I like the question.", "stop", "prose"),
        ("```sql\n```", "stop", "prose"),
        ("```sql\nSELECT name FROM", "length", "cut off"),
    ],
)
def test_reply_without_a_whole_statement_is_unusable(
    text: str, finish: Literal["stop", "length"], message: str
) -> None:
    with pytest.raises(ReplyUnusable, match=message) as caught:
        read_reply(_completion(text, finish))
    assert "SELECT" in caught.value.feedback
