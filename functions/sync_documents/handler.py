"""SyncDocuments as a Lambda function."""

from text2sql.workflow.function import task_function
from text2sql.workflow.sync import sync

handle = task_function("SyncDocuments", sync)
