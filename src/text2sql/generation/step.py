"""GenerateSql: builds the prompt, asks the model, reads its reply."""

from collections.abc import Callable

from text2sql.generation.port import SqlModel
from text2sql.generation.prompt import build_prompt
from text2sql.generation.reply import read_reply
from text2sql.messages import Context, Feedback, Generation, Usage


def generate_sql(
    context: Context,
    model: SqlModel,
    feedback: tuple[Feedback, ...] = (),
    on_usage: Callable[[Usage], None] | None = None,
) -> Generation:
    """Return a draft, a question back or a refusal; `feedback` holds the drafts that did not do.

    `on_usage` is told what the call took, also when its reply is of no use.

    Raises:
        ReplyUnusable: the reply holds no whole statement.
        ModelError: as the port says.
    """
    completion = model.complete(build_prompt(context, feedback))
    if on_usage:
        on_usage(completion.usage)
    return read_reply(completion)
