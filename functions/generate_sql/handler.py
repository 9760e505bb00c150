"""GenerateSql as a Lambda function; the same request, made again, is not paid for again."""

from functools import cache

from text2sql.generation.step import generate_sql
from text2sql.generation.words import screen_words
from text2sql.messages import Context, Generation
from text2sql.services import choose_votes, open_guardrail, open_model
from text2sql.workflow.events import GenerateSql
from text2sql.workflow.function import Surroundings, step_function
from text2sql.workflow.once import once
from text2sql.workflow.parcel import unpack

_guardrail = cache(open_guardrail)
_model = cache(open_model)


@once
@step_function("GenerateSql", GenerateSql)
def handle(event: GenerateSql, around: Surroundings) -> Generation:
    """Return a draft, a question back or a refusal."""
    context = unpack(event.context, Context, around.parcels)
    model, votes = _model(around.settings), choose_votes(around.settings)
    generation = generate_sql(
        context, model, event.feedback, around.log.add_usage, votes=votes, seconded=event.seconded
    )
    return screen_words(generation, _guardrail(around.settings))
