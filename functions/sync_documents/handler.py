"""SyncDocuments as a Lambda function."""

from text2sql.workflow.sync import sync, sync_function

handle = sync_function("SyncDocuments", sync)
