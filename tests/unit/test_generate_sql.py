"""GenerateSql: which drafts get company, and what becomes of it."""

import pytest

from scripted_model import USAGE, ScriptedModel, ScriptedReply
from text2sql.errors import ModelTimedOut
from text2sql.generation.port import Completion
from text2sql.generation.prompt import build_prompt, build_warned_prompt
from text2sql.generation.step import MANY_VOTES, SAMPLING_TEMPERATURE, generate_sql
from text2sql.messages import Context, Declined, Feedback, SqlDraft, Usage

CONTEXT = Context(question="How many?", dialect="sqlite", schema_text="")
DRAFT = SqlDraft(sql="SELECT 1", probability=0.5)
FAILED = (Feedback(sql="SELECT 0", code="UNKNOWN_TABLE", text="No."),)


def reply(text: str, probability: float | None) -> Completion:
    return Completion(text=text, finish="stop", usage=USAGE, probability=probability)


def generate(
    *replies: ScriptedReply,
    votes: int = 3,
    feedback: tuple[Feedback, ...] = (),
    seconded: SqlDraft | None = None,
) -> tuple[SqlDraft | object, ScriptedModel, list[Usage]]:
    model = ScriptedModel(replies)
    used: list[Usage] = []
    draft = generate_sql(CONTEXT, model, feedback, used.append, votes=votes, seconded=seconded)
    return draft, model, used


def test_draft_in_doubt_gets_company_drawn_at_a_higher_temperature() -> None:
    draft, model, used = generate(("SELECT 2", "SELECT 1"), seconded=DRAFT)
    assert draft == DRAFT.model_copy(update={"alternatives": ("SELECT 2", "SELECT 1")})
    assert [prompt.temperature for prompt in model.prompts] == [SAMPLING_TEMPERATURE]
    assert model.prompts[0].turns[-1].text.strip() == CONTEXT.question
    assert used == [USAGE] * 2


def test_sample_may_be_a_little_longer_than_the_draft() -> None:
    long = SqlDraft(sql="SELECT 1" + " + 1" * 60)
    assert [generate(("", ""), seconded=each)[1].prompts[0].max_tokens for each in (DRAFT, long)] == [23, 119]


@pytest.mark.parametrize("probability", [0.5, None])
def test_first_draft_stands_alone_until_it_has_run(probability: float | None) -> None:
    draft, model, _ = generate(reply("SELECT 1", probability), votes=MANY_VOTES)
    assert isinstance(draft, SqlDraft)
    assert (draft.alternatives, draft.probability) == ((), probability)
    assert model.prompts == [build_prompt(CONTEXT, ())]


def test_repair_gets_company_that_knows_what_was_wrong() -> None:
    draft, model, _ = generate(reply("SELECT 1", 0.99), ("SELECT 2", "SELECT 3"), feedback=FAILED)
    assert isinstance(draft, SqlDraft)
    assert draft.alternatives == ("SELECT 2", "SELECT 3", FAILED[0].sql)
    assert model.prompts[1].turns == model.prompts[0].turns


def test_where_there_are_many_votes_others_are_drawn_first_as_if_none_had_failed() -> None:
    draft, model, used = generate(("SELECT 1", "prose", "", "SELECT 2"), votes=MANY_VOTES, feedback=FAILED)
    assert draft == SqlDraft(sql="SELECT 1", alternatives=("SELECT 2", FAILED[0].sql))
    (prompt,) = model.prompts
    assert prompt.turns == build_prompt(CONTEXT, ()).turns
    assert prompt.temperature == SAMPLING_TEMPERATURE
    assert len(used) == MANY_VOTES - 1


def test_where_none_of_many_votes_will_do_the_model_is_warned() -> None:
    twice = (*FAILED, Feedback(sql="SELECT 9", code="UNKNOWN_TABLE", text="No nine."))
    draft, model, _ = generate(
        reply("SELECT 1", 0.9), ("SELECT 2", "", "", ""), votes=MANY_VOTES, feedback=twice
    )
    assert isinstance(draft, SqlDraft)
    assert (draft.sql, draft.alternatives) == ("SELECT 1", ("SELECT 2", FAILED[0].sql, "SELECT 9"))
    assert [prompt.turns for prompt in model.prompts] == [build_warned_prompt(CONTEXT, twice).turns] * 2


def test_where_none_of_many_replies_is_a_statement_the_model_is_warned_at_once() -> None:
    prose = ("prose",) * (MANY_VOTES - 1)
    draft, model, _ = generate(prose, reply("SELECT 1", 0.9), prose, votes=MANY_VOTES, feedback=FAILED)
    assert isinstance(draft, SqlDraft)
    assert draft.sql == "SELECT 1"
    assert model.prompts[1].turns == build_warned_prompt(CONTEXT, FAILED).turns


def test_one_vote_is_no_vote() -> None:
    assert len(generate(reply("SELECT 1", 0.5), votes=1, feedback=FAILED)[1].prompts) == 1
    assert generate(votes=1, seconded=DRAFT)[0] == DRAFT


def test_sample_that_is_no_statement_has_no_vote() -> None:
    assert generate(("I do not know.", "DECLINE: no"), seconded=DRAFT)[0] == DRAFT


def test_model_that_declines_is_taken_at_its_word() -> None:
    assert isinstance(generate(reply("DECLINE: no", 0.5))[0], Declined)


def test_model_that_gives_no_samples_leaves_the_draft_alone() -> None:
    class Slow(ScriptedModel):
        def sample(self, *_: object) -> tuple[Completion, ...]:
            raise ModelTimedOut("slow")

    assert generate_sql(CONTEXT, Slow([]), votes=3, seconded=DRAFT) == DRAFT
