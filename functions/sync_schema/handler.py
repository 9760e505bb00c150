"""SyncSchema as a Lambda function."""

from text2sql.workflow.function import task_function
from text2sql.workflow.sync import sync_schema

handle = task_function("SyncSchema", sync_schema)
