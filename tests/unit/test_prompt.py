import pytest

from text2sql.generation.prompt import build_prompt, build_system, build_warned_prompt
from text2sql.messages import Context, Feedback, Passage

SCHEMA = "CREATE TABLE orders (order_id INTEGER);"


def _context(question: str = "How many orders?", *passages: str) -> Context:
    return Context(
        question=question,
        dialect="sqlite",
        schema_text=SCHEMA,
        passages=tuple(Passage(source="x", text=text, score=1) for text in passages),
    )


def test_schema_stands_in_the_part_that_every_question_shares() -> None:
    one, two = (build_prompt(_context(question), ()) for question in ("How many?", "Which $ones?"))
    assert one.system == two.system == build_system("sqlite", SCHEMA)
    assert SCHEMA in one.system
    assert two.turns[0].text == "Which $ones?\n"


def test_dialect_is_named() -> None:
    assert "SQLite" in build_system("sqlite", SCHEMA)
    assert "MySQL" in build_system("mysql", SCHEMA)


def test_passages_come_before_the_question() -> None:
    (turn,) = build_prompt(_context("How much?", "revenue: what was paid"), ()).turns
    assert turn.text == "revenue: what was paid\nHow much?\n"


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("How many orders?", ""),
        ("Revenue per store", "GROUP BY"),
        ("Revenue by month", "GROUP BY"),
        ("How many orders did each store have?", "GROUP BY"),
        ("Which films were made by each director?", ""),
        ("What is bypassed?", ""),
    ],
)
def test_words_that_ask_for_groups_or_ranks_are_explained(question: str, told: str) -> None:
    (turn,) = build_prompt(_context(question), ()).turns
    assert told in turn.text
    assert bool(told) == (turn.text != f"{question}\n")


def test_repair_shows_the_last_draft_with_its_problem_and_warms_up() -> None:
    feedback = (
        Feedback(sql="SELECT 1", code="UNKNOWN_COLUMN", text="First problem."),
        Feedback(sql="SELECT 2", code="UNKNOWN_COLUMN", text="Second problem."),
    )
    first, second = build_prompt(_context(), feedback[:1]), build_prompt(_context(), feedback)
    assert [turn.role for turn in second.turns] == ["user", "assistant", "user"]
    assert "SELECT 2" in second.turns[1].text
    assert "Second problem." in second.turns[2].text
    assert 0.0 < first.temperature < second.temperature


def test_warning_tells_what_was_wrong_and_shows_no_draft() -> None:
    feedback = tuple(
        Feedback(sql=sql, code="UNKNOWN_COLUMN", text=text)
        for sql, text in (
            ("SELECT 1", "No x."),
            ("SELECT 2", "No $y."),
            ("SELECT 3", "No x."),
            ("", "Prose."),
        )
    )
    first, warned = build_prompt(_context(), ()), build_warned_prompt(_context(), feedback)
    assert warned.turns[-1].text == f"{first.turns[-1].text.rstrip()}\nBeware: No x.\nBeware: No $y."
    assert warned.model_copy(update={"turns": first.turns}) == first
    assert build_warned_prompt(_context(), feedback[-1:]).turns[-1].text == first.turns[-1].text.rstrip()


def test_draft_without_a_statement_is_said_to_have_none() -> None:
    prompt = build_prompt(_context(), (Feedback(sql="", code="REPLY_UNUSABLE", text="Only prose."),))
    assert "no statement" in prompt.turns[1].text
