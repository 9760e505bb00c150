"""CheckIngestion as a Lambda function."""

from text2sql.workflow.sync import check_ingestion, sync_function

handle = sync_function("CheckIngestion", check_ingestion)
