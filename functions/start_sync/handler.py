"""StartSync as a Lambda function."""

from text2sql.workflow.function import task_function
from text2sql.workflow.sync import start

handle = task_function("StartSync", start)
