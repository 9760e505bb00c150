"""CheckQuestion as a Lambda function."""

from functools import cache

from text2sql.guardrail.step import check_question
from text2sql.messages import Screening
from text2sql.services import open_guardrail
from text2sql.workflow.events import CheckQuestion
from text2sql.workflow.function import Surroundings, step_function

_guardrail = cache(open_guardrail)


@step_function("CheckQuestion", CheckQuestion)
def handle(event: CheckQuestion, around: Surroundings) -> Screening:
    """Return what the guardrail lets through of the question."""
    settings = around.settings
    return check_question(event.question, _guardrail(settings), settings.question_characters)
