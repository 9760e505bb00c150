"""What the functions of the sync do; `documents/sync.py` holds the sync itself."""

import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from pydantic import Field

from text2sql.documents.library import SyncRecord
from text2sql.documents.sync import SyncReport, sync_documents
from text2sql.messages import Message
from text2sql.settings import Settings
from text2sql.workflow.events import JobId

SECONDS = 200.0
"""A sync begins no document after so many seconds of its function's 300; the state machine calls it again."""


class SchemaReport(Message):
    """What a sync found of the database, in numbers."""

    changes: int = 0
    """Tables and columns that are new, gone or other."""
    misfits: int = 0
    """Descriptions, terms and metrics that do not fit the database."""


class SyncDocuments(Message):
    """Which sync it is: the execution's name."""

    job_id: JobId


class SyncSchema(Message):
    """Which sync it is."""

    job_id: JobId


class CheckIngestion(Message):
    """Which ingestion the sync waits for."""

    job_id: JobId
    ingestion: str


class RecordSync(Message):
    """How a sync ended."""

    job_id: JobId
    started_at: datetime
    report: SyncReport = SyncReport()
    schema_report: SchemaReport = Field(default_factory=SchemaReport)
    error: str | None = None
    """The class of the error that broke it off."""


def start(event: dict[str, Any], _logger: Logger, _metrics: Metrics) -> dict[str, Any]:
    """Begin one sync for a batch of changes; a batch that comes again begins none."""
    states = _states()
    first = event["Records"][0]["messageId"]
    with suppress(states.exceptions.ExecutionAlreadyExists):
        states.start_execution(
            stateMachineArn=os.environ["SYNC_KNOWLEDGE_ARN"],
            name=f"changes-{first}",
            input=json.dumps({"documents_alone": True}),
        )
    return {"changes": len(event["Records"])}


def sync(event: dict[str, Any], _logger: Logger, metrics: Metrics) -> dict[str, Any]:
    """Sync for as long as there is time, and publish what was done even where it is broken off."""
    from text2sql.services import open_document_bucket, open_guardrail

    told = SyncDocuments.model_validate(event)
    settings = Settings()
    store, index = open_document_bucket(settings, is_sync=True)
    index.prepare()
    try:
        report = sync_documents(store, index, open_guardrail(settings), SECONDS)
    finally:
        index.publish()
    ingestion = None if report.waiting else index.start_ingestion(told.job_id)
    for kind in ("indexed", "removed", "failed"):
        metrics.add_metric(f"Documents{kind.title()}", MetricUnit.Count, getattr(report, kind))
    return {**report._asdict(), "ingestion": ingestion}


def sync_schema(event: dict[str, Any], logger: Logger, metrics: Metrics) -> dict[str, Any]:
    """Bring the catalog in the bucket in line with the database, and tell what no longer fits it."""
    from text2sql import services
    from text2sql.datasource.schema_sync import sync_schema as sync_catalog
    from text2sql.validation.knowledge import find_misfits

    SyncSchema.model_validate(event)
    settings = Settings()
    services.check_account(settings)
    changes = sync_catalog(
        services.open_database(settings),
        services.catalog_identity(settings),
        services.open_shared_catalog(settings),
        datetime.now(UTC),
    )
    misfits = [*find_misfits(lambda: services.open_knowledge(settings))]
    for line in changes or ():
        logger.info("the schema has changed", change=line)
    for line in misfits:
        logger.warning("knowledge does not fit the database", misfit=line)
    metrics.add_metric("SchemaChanges", MetricUnit.Count, len(changes or ()))
    metrics.add_metric("Misfits", MetricUnit.Count, len(misfits))
    return SchemaReport(changes=len(changes or ()), misfits=len(misfits)).model_dump()


def check_ingestion(event: dict[str, Any], logger: Logger, _metrics: Metrics) -> dict[str, Any]:
    """Tell whether what was put into the index is found by now."""
    from text2sql.services import open_document_bucket

    told = CheckIngestion.model_validate(event)
    _, index = open_document_bucket(Settings())
    state = index.ingestion_state(told.ingestion)
    for failure in state.failures:
        logger.warning("a document could not be ingested", document=failure.document, reason=failure.reason)
    return {"status": state.status, "failed": state.failed}


def record(event: dict[str, Any], _logger: Logger, _metrics: Metrics) -> dict[str, Any]:
    """Keep how the sync ended; doing it again changes nothing."""
    from text2sql.services import open_document_bucket

    told = RecordSync.model_validate(event)
    store, _ = open_document_bucket(Settings())
    problem = "" if told.error is None else f"The sync was broken off: {told.error}. The next one goes on."
    store.record(
        SyncRecord(
            id=told.job_id,
            started=told.started_at,
            ended=datetime.now(UTC),
            state="done" if told.error is None else "failed",
            indexed=told.report.indexed,
            removed=told.report.removed,
            failed=told.report.failed,
            schema_changes=told.schema_report.changes,
            misfits=told.schema_report.misfits,
            problem=problem,
        )
    )
    return {"state": "done" if told.error is None else "failed"}


@cache
def _states() -> Any:
    import boto3

    return boto3.client("stepfunctions")
