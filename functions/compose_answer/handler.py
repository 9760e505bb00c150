"""ComposeAnswer as a Lambda function."""

from functools import cache

from text2sql.answer.step import compose_answer
from text2sql.messages import Context, Executed
from text2sql.services import open_guardrail
from text2sql.workflow.events import ComposeAnswer, Shown
from text2sql.workflow.function import Surroundings, step_function
from text2sql.workflow.parcel import pack, unpack

_guardrail = cache(open_guardrail)


@step_function("ComposeAnswer", ComposeAnswer)
def handle(event: ComposeAnswer, around: Surroundings) -> Shown:
    """Return the sentence, the chart and the checks, and the rows as they may be shown."""
    executed = unpack(event.executed, Executed, around.parcels)
    composed = compose_answer(
        unpack(event.context, Context, around.parcels),
        executed,
        guardrail=_guardrail(around.settings),
        screening=event.screening,
        repairs=event.repairs,
    )
    shown = event.executed
    if composed.executed is not executed:
        shown = pack(composed.executed, f"{event.job_id}/shown.json", around.parcels)
    return Shown(answer=composed.answer, executed=shown)
