"""RecordOutcome as a Lambda function."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from text2sql.workflow.events import Recorded, RecordOutcome
from text2sql.workflow.function import observed
from text2sql.workflow.outcome import compose_reply
from text2sql.workflow.parcel import pack
from text2sql.workflow.parcels_s3 import open_parcels


def _record(event: dict[str, Any], _logger: Logger, metrics: Metrics) -> dict[str, Any]:
    """Keep the reply; doing it again writes the same object again."""
    run = RecordOutcome.model_validate(event)
    reply = compose_reply(run, open_parcels())
    pack(reply, f"{run.job_id}/reply.json", open_parcels(), inline_bytes=0)
    metrics.add_metric(reply.outcome, MetricUnit.Count, 1)
    return Recorded(outcome=reply.outcome, code=reply.error and reply.error.code).model_dump()


handle = observed("RecordOutcome", _record)
