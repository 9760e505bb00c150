"""The reply for a run through the state machine, where an error is not one that a function told."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from text2sql.messages import StepRecord, Usage
from text2sql.workflow.events import RecordOutcome
from text2sql.workflow.outcome import compose_reply
from text2sql.workflow.parcels_s3 import S3Parcels

BEGAN = datetime(2026, 1, 31, 12, tzinfo=UTC)
NOWHERE = S3Parcels("", lambda: None)


def run(**fields: Any) -> RecordOutcome:
    values = {"job_id": "job-1", "question": "How many?", "started_at": BEGAN, **fields}
    return RecordOutcome.model_validate(values)


@pytest.mark.parametrize(
    ("step", "name", "attempt", "code"),
    [
        ("GenerateSql", "States.Timeout", 2, "MODEL_TIMED_OUT"),
        ("GenerateSql", "Sandbox.Timedout", 2, "MODEL_TIMED_OUT"),
        ("ExecuteSql", "States.Timeout", 2, "QUERY_TIMED_OUT"),
        ("ValidateSql", "States.Timeout", 2, "INTERNAL_ERROR"),
        ("ComposeAnswer", "States.Timeout", 1, "INTERNAL_ERROR"),
        ("GenerateSql", "Lambda.TooManyRequestsException", 2, "INTERNAL_ERROR"),
    ],
)
@pytest.mark.parametrize("cause", ["", "no JSON: hunter2", '{"errorMessage": "hunter2"}', "[]"])
def test_error_that_no_function_told_is_told_by_the_step_that_it_left(
    step: str, name: str, attempt: int, code: str, cause: str
) -> None:
    reply = compose_reply(
        run(attempt=2, error={"step": step, "name": name, "cause": cause}), NOWHERE, now=BEGAN
    )
    assert reply.error is not None
    assert reply.error.code == code
    assert [(record.step, record.attempt, record.code) for record in reply.steps] == [(step, attempt, code)]
    assert "hunter2" not in reply.model_dump_json()


def test_time_and_usage_are_those_of_the_whole_run() -> None:
    used = StepRecord(
        step="GenerateSql", attempt=1, status="failed", code="REPLY_UNUSABLE", usage=Usage(prompt_tokens=7)
    )
    reply = compose_reply(run(steps=[used, used], gave_up="No."), NOWHERE, now=BEGAN + timedelta(seconds=2.5))
    assert reply.usage.prompt_tokens == 14
    assert reply.seconds == 2.5


def test_run_that_says_nothing_of_its_end_is_a_failure() -> None:
    reply = compose_reply(run(), NOWHERE)
    assert reply.error is not None
    assert reply.error.code == "INTERNAL_ERROR"
