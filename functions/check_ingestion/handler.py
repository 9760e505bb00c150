"""CheckIngestion as a Lambda function."""

from text2sql.workflow.function import task_function
from text2sql.workflow.sync import check_ingestion

handle = task_function("CheckIngestion", check_ingestion)
