"""GenerateSql: which drafts get company, and what becomes of it."""

import pytest

from scripted_model import USAGE, ScriptedModel, ScriptedReply
from text2sql.errors import ModelTimedOut
from text2sql.generation.port import Completion
from text2sql.generation.step import SAMPLING_TEMPERATURE, generate_sql
from text2sql.messages import Context, Declined, Feedback, SqlDraft, Usage

CONTEXT = Context(question="How many?", dialect="sqlite", schema_text="")
FAILED = (Feedback(sql="SELECT 0", code="UNKNOWN_TABLE", text="No."),)


def reply(text: str, probability: float | None) -> Completion:
    return Completion(text=text, finish="stop", usage=USAGE, probability=probability)


def generate(
    *replies: ScriptedReply, votes: int = 3, feedback: tuple[Feedback, ...] = ()
) -> tuple[SqlDraft | object, ScriptedModel, list[Usage]]:
    model = ScriptedModel(replies)
    used: list[Usage] = []
    return generate_sql(CONTEXT, model, feedback, used.append, votes), model, used


def test_draft_in_doubt_gets_company_drawn_at_a_higher_temperature() -> None:
    draft, model, used = generate(reply("SELECT 1", 0.5), ("SELECT 2", "SELECT 1"))
    assert isinstance(draft, SqlDraft)
    assert (draft.sql, draft.alternatives, draft.probability) == ("SELECT 1", ("SELECT 2", "SELECT 1"), 0.5)
    assert [prompt.temperature for prompt in model.prompts] == [0.0, SAMPLING_TEMPERATURE]
    assert model.prompts[1].turns == model.prompts[0].turns
    assert used == [USAGE] * 3


@pytest.mark.parametrize("probability", [0.99, None])
def test_first_draft_of_a_sure_or_silent_model_stands_alone(probability: float | None) -> None:
    draft, model, _ = generate(reply("SELECT 1", probability))
    assert isinstance(draft, SqlDraft)
    assert draft.alternatives == ()
    assert len(model.prompts) == 1


def test_repair_gets_company_whatever_the_model_says() -> None:
    draft, _, _ = generate(reply("SELECT 1", 0.99), ("SELECT 2", "SELECT 3"), feedback=FAILED)
    assert isinstance(draft, SqlDraft)
    assert draft.alternatives == ("SELECT 2", "SELECT 3")


def test_one_vote_is_no_vote() -> None:
    assert len(generate(reply("SELECT 1", 0.5), votes=1)[1].prompts) == 1


def test_sample_that_is_no_statement_has_no_vote() -> None:
    draft, _, _ = generate(reply("SELECT 1", 0.5), ("I do not know.", "DECLINE: no"))
    assert isinstance(draft, SqlDraft)
    assert draft.alternatives == ()


def test_model_that_declines_is_taken_at_its_word() -> None:
    assert isinstance(generate(reply("DECLINE: no", 0.5))[0], Declined)


def test_model_that_gives_no_samples_leaves_the_draft_alone() -> None:
    class Slow(ScriptedModel):
        def sample(self, *_: object) -> tuple[Completion, ...]:
            raise ModelTimedOut("slow")

    draft = generate_sql(CONTEXT, Slow([reply("SELECT 1", 0.5)]), votes=3)
    assert isinstance(draft, SqlDraft)
    assert (draft.sql, draft.alternatives) == ("SELECT 1", ())
