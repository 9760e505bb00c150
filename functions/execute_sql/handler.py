"""ExecuteSql as a Lambda function."""

from text2sql.answer.certainty import is_in_doubt
from text2sql.execution.step import execute_sql
from text2sql.services import choose_votes, open_database, open_values, query_limits
from text2sql.validation.literals import without_unstored
from text2sql.workflow.events import ExecuteSql, Ran
from text2sql.workflow.function import Surroundings, step_function
from text2sql.workflow.parcel import pack


@step_function("ExecuteSql", ExecuteSql)
def handle(event: ExecuteSql, around: Surroundings) -> Ran:
    """Return the rows; a query is stopped when the job is cancelled."""
    settings = around.settings
    valid = without_unstored(event.valid, open_values(settings, 0)) if event.attempt == 1 else event.valid
    with around.job.watched() as cancelled:
        executed = execute_sql(valid, open_database(settings), query_limits(settings), cancelled)
    return Ran(
        executed=pack(executed, f"{event.job_id}/executed.json", around.parcels),
        needs_a_second=choose_votes(settings) > 1 and is_in_doubt(executed),
    )
