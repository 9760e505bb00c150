"""RewriteQuestion as a Lambda function."""

from functools import cache

from text2sql.generation.rewriting import rewrite_question
from text2sql.messages import Reading
from text2sql.services import open_guardrail, open_model
from text2sql.workflow.events import RewriteQuestion
from text2sql.workflow.function import Surroundings, step_function

_guardrail = cache(open_guardrail)
_model = cache(open_model)


@step_function("RewriteQuestion", RewriteQuestion)
def handle(event: RewriteQuestion, around: Surroundings) -> Reading:
    """Return the question as it was asked, or the whole one that it was read as."""
    settings = around.settings
    return rewrite_question(
        event.screening,
        event.earlier,
        _model(settings),
        _guardrail(settings),
        settings.question_characters,
        on_usage=around.log.add_usage,
    )
