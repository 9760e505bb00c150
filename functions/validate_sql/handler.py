"""ValidateSql as a Lambda function."""

from text2sql.datasource.policy.access import Access
from text2sql.messages import ValidSql
from text2sql.validation.step import validate_sql
from text2sql.workflow.events import ValidateSql
from text2sql.workflow.function import Surroundings, step_function
from text2sql.workflow.parcel import unpack


@step_function("ValidateSql", ValidateSql)
def handle(event: ValidateSql, around: Surroundings) -> ValidSql:
    """Return the statement as emitted from its checked tree."""
    access = unpack(event.access, Access, around.parcels)
    rows = around.settings.row_limit
    return validate_sql(event.draft, access, rows, event.question, is_first=event.attempt == 1)
