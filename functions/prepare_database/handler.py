"""PrepareDatabase as a Lambda function."""

from text2sql.workflow.database import prepare_database
from text2sql.workflow.function import task_function

handle = task_function("PrepareDatabase", prepare_database)
