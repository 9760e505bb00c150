"""SyncSchema as a Lambda function."""

from text2sql.workflow.sync import sync_function, sync_schema

handle = sync_function("SyncSchema", sync_schema)
