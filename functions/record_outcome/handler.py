"""RecordOutcome as a Lambda function."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from text2sql.workflow.function import observed
from text2sql.workflow.job import open_jobs
from text2sql.workflow.outcome import read_event, record_outcome
from text2sql.workflow.parcels_s3 import open_parcels


def _record(event: dict[str, Any], _logger: Logger, metrics: Metrics) -> dict[str, Any]:
    """End the job; doing it again changes nothing."""
    recorded, is_first = record_outcome(read_event(event), open_jobs(), open_parcels())
    metrics.add_metric(recorded.outcome, MetricUnit.Count, 1 if is_first else 0)
    return recorded.model_dump()


handle = observed("RecordOutcome", _record)
