"""What a question is told of those before it, and how it is cancelled; the pipeline with all its parts."""

from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from api_world import GOOD, SLOW, SteadyModel, shop_services
from text2sql.answer.json_reply import reply_json
from text2sql.generation.port import Prompt, Turn
from text2sql.generation.prompt import build_prompt
from text2sql.messages import Context, EarlierTurn, Feedback
from text2sql.pipeline import answer

CONTEXT = Context(question="And in 2024?", dialect="sqlite", schema_text="CREATE TABLE t (\n);")
EARLIER = (
    EarlierTurn(question="Orders in 2025?", sql="SELECT 1"),
    EarlierTurn(question="By date?", clarification="Which date? | the order's"),
)


def test_question_without_a_session_has_the_prompt_that_it_always_had() -> None:
    prompt = build_prompt(CONTEXT, ())
    assert prompt.turns == (Turn(role="user", text="And in 2024?\n"),)
    assert prompt == build_prompt(CONTEXT.model_copy(update={"earlier": ()}), ())


def test_earlier_turns_stand_before_the_question_and_before_its_repair() -> None:
    context = CONTEXT.model_copy(update={"earlier": EARLIER})
    for feedback in ((), (Feedback(sql="SELECT x", code="UNKNOWN_COLUMN", text="There is no x."),)):
        turns = build_prompt(context, feedback).turns
        assert [(turn.role, turn.text) for turn in turns[:4]] == [
            ("user", "Orders in 2025?"),
            ("assistant", "```sql\nSELECT 1\n```"),
            ("user", "By date?"),
            ("assistant", "CLARIFY: Which date? | the order's"),
        ]
        assert turns[4:] == build_prompt(CONTEXT, feedback).turns


def test_draft_is_kept_for_the_next_question_and_not_shown(tmp_path: Path) -> None:
    model = SteadyModel("```sql\nSELECT name /* its own words */ FROM customers\n```")
    reply = answer("Names?", shop_services(tmp_path / "shop.db", model))
    assert reply.draft == "SELECT name /* its own words */ FROM customers"
    assert "its own words" not in reply_json(reply) + reply.model_dump_json()


@pytest.mark.parametrize("earlier", [(), EARLIER])
def test_cancelled_question_asks_nobody(tmp_path: Path, earlier: tuple[EarlierTurn, ...]) -> None:
    model, cancelled = SteadyModel(), Event()
    cancelled.set()
    services = shop_services(tmp_path / "shop.db", model)
    reply = answer("Names?", services, earlier=earlier, cancelled=cancelled)
    assert reply.error
    assert reply.error.code == "QUERY_CANCELLED"
    assert model.prompts == []


@pytest.mark.parametrize("text", [GOOD, SLOW, "SELECT nothing FROM nowhere"])
def test_question_cancelled_while_the_model_writes_ends_there(tmp_path: Path, text: str) -> None:
    cancelled = Event()
    model = SteadyModel(_cancelling(cancelled, text))
    reply = answer("Names?", shop_services(tmp_path / "shop.db", model), cancelled=cancelled)
    assert reply.error
    assert reply.error.code == "QUERY_CANCELLED"
    assert len(model.prompts) == 1


def _cancelling(cancelled: Event, text: str) -> Callable[[Prompt], str]:
    def write(_: Prompt) -> str:
        cancelled.set()
        return text

    return write
