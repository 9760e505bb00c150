"""RecordSync as a Lambda function."""

from text2sql.workflow.sync import record, sync_function

handle = sync_function("RecordSync", record)
