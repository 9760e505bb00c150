"""ExecuteSql as a Lambda function."""

from text2sql.execution.step import execute_sql
from text2sql.services import open_database, query_limits
from text2sql.workflow.events import Executed, ExecuteSql
from text2sql.workflow.function import Surroundings, step_function
from text2sql.workflow.parcel import pack


@step_function("ExecuteSql", ExecuteSql)
def handle(event: ExecuteSql, around: Surroundings) -> Executed:
    """Return the rows; the query is stopped when the job is cancelled."""
    settings = around.settings
    with around.job.watched() as cancelled:
        result = execute_sql(event.valid, open_database(settings), query_limits(settings), cancelled)
    return Executed(result=pack(result, f"{event.job_id}/result.json", around.parcels))
