"""StartSync as a Lambda function."""

from text2sql.workflow.sync import start, sync_function

handle = sync_function("StartSync", start)
