"""GenerateSql: builds the prompt, asks the model, reads its reply."""

from collections.abc import Callable, Sequence

from text2sql.errors import ModelError, ReplyUnusable
from text2sql.generation.port import Completion, Prompt, SqlModel
from text2sql.generation.prompt import build_prompt
from text2sql.generation.reply import read_reply
from text2sql.messages import Context, Feedback, Generation, SqlDraft, Usage

SAMPLING_TEMPERATURE = 0.8
SPARE_TOKENS = 20
"""What a sample may take beside what its draft's length allows: the longest is what everybody waits for."""
CHARACTERS = 2.5
"""Of SQL for a token that a sample may take; about three make a token."""


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
    context holds a verdict.
    A draft that ran but is in doubt is given as `seconded` and comes back with alternatives, so that
    together there are `votes` of them; so does every repair.
    `on_usage` is told what each call took, also when its reply is of no use.

    Raises:
        ReplyUnusable: the reply holds no whole statement.
        ModelError: as the port says.
    """
    if context.verdict:
        return context.verdict
    if context.verified and not feedback:
        return SqlDraft(sql=context.verified.sql, verified=context.verified)
    on_usage = on_usage or (lambda _: None)
    prompt = build_prompt(context, feedback)
    if seconded and not feedback:
        return _second(seconded, prompt, model, on_usage, votes)
    completion = model.complete(prompt)
    on_usage(completion.usage)
    generation = read_reply(completion)
    if not isinstance(generation, SqlDraft):
        return generation
    draft = generation.model_copy(update={"probability": completion.probability})
    if not feedback:
        return draft
    seconded = _second(draft, prompt, model, on_usage, votes)
    failed = (feedback[-1].sql,) if feedback[-1].sql and votes > 1 else ()  # it may be read otherwise
    return seconded.model_copy(update={"alternatives": (*seconded.alternatives, *failed)})


def _second(
    draft: SqlDraft, prompt: Prompt, model: SqlModel, on_usage: Callable[[Usage], None], votes: int
) -> SqlDraft:
    """Return the draft with alternatives that are drawn from the same prompt."""
    if votes == 1:
        return draft
    room = min(prompt.max_tokens, SPARE_TOKENS + int(len(draft.sql) / CHARACTERS))
    warm = prompt.model_copy(update={"temperature": SAMPLING_TEMPERATURE, "max_tokens": room})
    try:
        others = model.sample(warm, votes - 1)
    except ModelError:
        return draft  # it stands alone
    for other in others:
        on_usage(other.usage)
    return draft.model_copy(update={"alternatives": tuple(_statements(others))})


def _statements(completions: Sequence[Completion]) -> list[str]:
    """Return the statements of those replies that hold one."""
    found = []
    for completion in completions:
        try:
            generation = read_reply(completion)
        except ReplyUnusable:
            continue
        if isinstance(generation, SqlDraft):
            found.append(generation.sql)
    return found
