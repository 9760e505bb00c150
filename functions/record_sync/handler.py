"""RecordSync as a Lambda function."""

from text2sql.workflow.function import task_function
from text2sql.workflow.sync import record

handle = task_function("RecordSync", record)
