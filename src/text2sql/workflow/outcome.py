"""RecordOutcome: tells how a run through the state machine ended, in the words of `pipeline.answer()`."""

from datetime import UTC, datetime

from pydantic import BaseModel, ValidationError

from text2sql import ending
from text2sql.errors import ModelTimedOut, QueryTimedOut, Text2SqlError
from text2sql.messages import Failure, Reply, ResultSet, SqlDraft, StepRecord
from text2sql.telemetry import total_usage
from text2sql.workflow.events import CaughtError, RecordOutcome, StepError
from text2sql.workflow.parcel import ParcelStore, unpack

_TIMEOUTS = frozenset({"States.Timeout", "Sandbox.Timedout"})
_IN_THE_LOOP = frozenset({"GenerateSql", "ValidateSql", "ExecuteSql"})
_SLOW: dict[str, Text2SqlError] = {
    "GenerateSql": ModelTimedOut("The model took too long.", remedy="Ask again, or use a faster model."),
    "ExecuteSql": QueryTimedOut("The statement ran too long and was stopped.", remedy="Ask for less."),
}


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
            **how,
            "steps": steps,
            "usage": total_usage([record.usage for record in steps if record.usage]),
            "seconds": round(elapsed.total_seconds(), 3),
        }
    )


def _how_it_ended(run: RecordOutcome, parcels: ParcelStore) -> ending.Ending:
    if run.screening and run.screening.blocked_message is not None:
        return ending.blocked(run.screening.blocked_message)
    if run.gave_up is not None:
        return ending.gave_up(run.feedback, run.gave_up)
    if isinstance(run.generation, SqlDraft) and run.valid and run.result and run.answer:
        result = unpack(run.result, ResultSet, parcels)
        return ending.answered(run.generation, run.valid, result, run.answer)
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
        attempt = attempt if error.step in _IN_THE_LOOP else 1
        record = StepRecord.model_validate(
            {"step": error.step, "attempt": attempt, "status": "failed", "code": failure.code}
        )
        return StepError(record=record, failure=failure)


def _tell(error: CaughtError) -> Failure:
    slow = _SLOW.get(error.step) if error.name in _TIMEOUTS else None
    return Failure(code=slow.code, message=slow.message, remedy=slow.remedy) if slow else ending.broken()
