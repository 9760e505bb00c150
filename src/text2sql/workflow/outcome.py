"""RecordOutcome: tells how a run through the state machine ended, in the words of `pipeline.answer()`."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from pydantic import BaseModel, ValidationError

from text2sql import ending
from text2sql.answer.json_reply import row_json
from text2sql.errors import JobInterrupted, ModelTimedOut, QueryTimedOut, Text2SqlError
from text2sql.jobs.port import JobRecorder, JobStore, ResultStore
from text2sql.jobs.replies import cancelled_reply, failed_reply
from text2sql.messages import Executed, Failure, Reply, SqlDraft, StepRecord
from text2sql.telemetry import DRAFT_STEPS, total_usage
from text2sql.workflow.events import CaughtError, Recorded, RecordOutcome, StepError, Stopped
from text2sql.workflow.parcel import ParcelStore, unpack

_TIMEOUTS = frozenset({"States.Timeout", "Sandbox.Timedout"})
_MODEL_SLOW = ModelTimedOut("The model took too long.", remedy="Ask again, or use a faster model.")
_SLOW: dict[str, Text2SqlError] = {
    "RewriteQuestion": _MODEL_SLOW,
    "GenerateSql": _MODEL_SLOW,
    "ExecuteSql": QueryTimedOut("The statement ran too long and was stopped.", remedy="Ask for less."),
}
_STOPPED = {
    "FAILED": JobInterrupted("The work on the question broke off.", remedy="Ask again in a while."),
    "TIMED_OUT": JobInterrupted("The question took too long and was stopped.", remedy="Ask for less."),
    "ABORTED": JobInterrupted("The work on the question was stopped.", remedy="Ask again in a while."),
}


class Jobs(JobStore, JobRecorder, ResultStore, Protocol):
    """Where jobs and their rows are kept."""


def read_event(event: Mapping[str, Any]) -> RecordOutcome | Stopped:
    """Return what the function is given: by the state machine, or for a run that was stopped."""
    return (Stopped if "stopped" in event else RecordOutcome).model_validate(event)


def record_outcome(event: RecordOutcome | Stopped, jobs: Jobs, parcels: ParcelStore) -> tuple[Recorded, bool]:
    """End the job, and keep its rows before; return how, and whether it had not ended already.

    Raises:
        JobStoreUnavailable: it cannot be kept.
    """
    job = jobs.find(event.job_id)
    if job and job.reply:  # it was cancelled, or another run of it was faster
        return _recorded(job.reply), False
    if isinstance(event, RecordOutcome):
        reply = compose_reply(event, parcels)
    elif job:
        reply = cancelled_reply(job) if job.cancel_requested else failed_reply(job, _STOPPED[event.stopped])
    else:  # it has expired
        return Recorded(outcome="failed", code=JobInterrupted.code), False
    rows = jobs.put_rows(event.job_id, map(row_json, reply.rows)) if reply.rows else 0
    return _recorded(reply), jobs.end(event.job_id, reply, rows)


def _recorded(reply: Reply) -> Recorded:
    return Recorded(outcome=reply.outcome, code=reply.error and reply.error.code)


def compose_reply(run: RecordOutcome, parcels: ParcelStore, now: datetime | None = None) -> Reply:
    """Return the reply for a run; an error that is none of ours is told as an INTERNAL_ERROR."""
    steps = run.steps
    if run.error:
        told = _read_error(run.error, run.attempt)
        steps = (*steps, told.record)
        how = ending.failed(told.failure)
    else:
        how = _how_it_ended(run, parcels)
    elapsed = (now or datetime.now(UTC)) - run.started_at
    return Reply.model_validate(
        {
            "question": run.screening.text if run.screening else run.question,
            "read_as": run.reading.read_as if run.reading else None,
            **how,
            "steps": steps,
            "usage": total_usage([record.usage for record in steps if record.usage]),
            "seconds": round(elapsed.total_seconds(), 3),
        }
    )


def _how_it_ended(run: RecordOutcome, parcels: ParcelStore) -> ending.Ending:
    screening = run.reading.screening if run.reading else run.screening
    if screening and screening.blocked_message is not None:
        return ending.blocked(screening.blocked_message)
    if run.refused:
        return ending.refused(run.refused)
    if run.gave_up is not None:
        return ending.gave_up(run.feedback, run.gave_up)
    if run.executed and run.answer:
        return ending.answered(unpack(run.executed, Executed, parcels), run.answer)
    if run.generation and not isinstance(run.generation, SqlDraft):
        return ending.not_drafted(run.generation)
    return ending.failed(ending.broken())


class _Cause(BaseModel):
    """What Lambda tells of an error that left a function."""

    errorMessage: str = ""  # noqa: N815 — Lambda's own name


def _read_error(error: CaughtError, attempt: int) -> StepError:
    try:
        return StepError.model_validate_json(_Cause.model_validate_json(error.cause).errorMessage)
    except ValidationError:
        failure = _tell(error)
        attempt = attempt if error.step in DRAFT_STEPS else 1
        record = StepRecord.model_validate(
            {"step": error.step, "attempt": attempt, "status": "failed", "code": failure.code}
        )
        return StepError(record=record, failure=failure)


def _tell(error: CaughtError) -> Failure:
    slow = _SLOW.get(error.step) if error.name in _TIMEOUTS else None
    return ending.failure_of(slow) if slow else ending.broken()
