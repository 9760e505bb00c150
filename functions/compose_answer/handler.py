"""ComposeAnswer as a Lambda function."""

from functools import cache

from text2sql.answer.step import compose_answer
from text2sql.messages import Answer, Context, Executed
from text2sql.services import open_guardrail
from text2sql.workflow.events import ComposeAnswer
from text2sql.workflow.function import Surroundings, step_function
from text2sql.workflow.parcel import unpack

_guardrail = cache(open_guardrail)


@step_function("ComposeAnswer", ComposeAnswer)
def handle(event: ComposeAnswer, around: Surroundings) -> Answer:
    """Return the sentence, the chart and the checks."""
    return compose_answer(
        unpack(event.context, Context, around.parcels),
        unpack(event.executed, Executed, around.parcels),
        guardrail=_guardrail(around.settings),
        screening=event.screening,
        repairs=event.repairs,
    )
