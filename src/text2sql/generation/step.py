"""GenerateSql: builds the prompt, asks the model, reads its reply."""

from collections.abc import Callable, Sequence

from text2sql.errors import ModelError, ReplyUnusable
from text2sql.generation.port import Prompt, SqlModel
from text2sql.generation.prompt import build_prompt, build_warned_prompt
from text2sql.generation.reply import read_reply
from text2sql.messages import Context, Feedback, Generation, SqlDraft, Usage

SAMPLING_TEMPERATURE = 0.8
SPARE_TOKENS = 20
"""What a sample may take beside what its draft's length allows: the longest is what everybody waits for."""
CHARACTERS = 2.5
"""Of SQL for a token that a sample may take; about three make a token."""
LENGTH = 200
"""Of a statement, in characters, where none is known to go by."""
MANY_VOTES = 5
"""From here on one of the drafts will do, so that none need be repaired: a small model that is shown what
failed mostly writes it again."""


def generate_sql(
    context: Context,
    model: SqlModel,
    feedback: tuple[Feedback, ...] = (),
    on_usage: Callable[[Usage], None] | None = None,
    *,
    votes: int = 1,
    seconded: SqlDraft | None = None,
) -> Generation:
    """Return a draft, a question back or a refusal; `feedback` holds the drafts that did not do.

    A verified query that asks the same is the first draft, and no model is asked; nor is one where the
    context holds a verdict, or what a person wrote.
    A draft that ran but is in doubt is given as `seconded` and comes back with alternatives, so that
    together there are `votes` of them; so does every repair. Where there are many votes, a draft that failed
    is not shown to the model: others are drawn first as if there had been none, and then with a warning.
    `on_usage` is told what each call took, also when its reply is of no use.

    Raises:
        ReplyUnusable: the reply holds no whole statement.
        ModelError: as the port says.
    """
    known = _without_model(context, feedback)
    if known:
        return known
    on_usage = on_usage or (lambda _: None)
    if seconded and not feedback:
        return _second(seconded, build_prompt(context, ()), model, on_usage, votes)
    failed = tuple(dict.fromkeys(each.sql for each in feedback if each.sql))  # each may be read otherwise
    warns = bool(feedback) and votes >= MANY_VOTES
    if warns and len(feedback) == 1:
        drawn = _draw(build_prompt(context, ()), failed, model, on_usage, votes - 1)
        if drawn:
            return SqlDraft(sql=drawn[0], alternatives=(*drawn[1:], *failed))
    prompt = build_warned_prompt(context, feedback) if warns else build_prompt(context, feedback)
    completion = model.complete(prompt)
    on_usage(completion.usage)
    generation = read_reply(completion)
    if not isinstance(generation, SqlDraft):
        return generation
    draft = generation.model_copy(update={"probability": completion.probability})
    if not feedback or votes == 1:
        return draft
    seconded = _second(draft, prompt, model, on_usage, votes)
    return seconded.model_copy(update={"alternatives": (*seconded.alternatives, *failed)})


def _without_model(context: Context, feedback: tuple[Feedback, ...]) -> Generation | None:
    if context.written:
        return SqlDraft(sql=context.written, by_person=True)
    if context.verdict:
        return context.verdict
    if context.verified and not feedback:
        return SqlDraft(sql=context.verified.sql, verified=context.verified)
    return None


def _second(
    draft: SqlDraft, prompt: Prompt, model: SqlModel, on_usage: Callable[[Usage], None], votes: int
) -> SqlDraft:
    """Return the draft with alternatives that are drawn from the same prompt."""
    if votes == 1:
        return draft
    others = _draw(prompt, (draft.sql,), model, on_usage, votes - 1)
    return draft.model_copy(update={"alternatives": others})


def _draw(
    prompt: Prompt, like: Sequence[str], model: SqlModel, on_usage: Callable[[Usage], None], count: int
) -> tuple[str, ...]:
    """Return the statements of `count` replies, of about the length of `like`; none where the model fails."""
    length = max(map(len, like), default=LENGTH)
    room = min(prompt.max_tokens, SPARE_TOKENS + int(length / CHARACTERS))
    warm = prompt.model_copy(update={"temperature": SAMPLING_TEMPERATURE, "max_tokens": room})
    try:
        completions = model.sample(warm, count)
    except ModelError:
        return ()
    found = []
    for completion in completions:
        on_usage(completion.usage)
        try:
            generation = read_reply(completion)
        except ReplyUnusable:
            continue
        if isinstance(generation, SqlDraft):
            found.append(generation.sql)
    return tuple(found)
