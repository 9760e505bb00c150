"""The reply for a run through the state machine, where an error is not one that a function told."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from job_store_contract import MANY, answered, job, step
from text2sql.jobs.sqlite import SqliteJobStore
from text2sql.messages import StepRecord, Usage
from text2sql.workflow.events import RecordOutcome
from text2sql.workflow.outcome import compose_reply, read_event, record_outcome
from text2sql.workflow.parcels_s3 import S3Parcels

BEGAN = datetime(2026, 1, 31, 12, tzinfo=UTC)
NOWHERE = S3Parcels("", lambda: None)


def run(**fields: Any) -> RecordOutcome:
    values = {"job_id": "job-1", "question": "How many?", "started_at": BEGAN, **fields}
    return RecordOutcome.model_validate(values)


@pytest.mark.parametrize(
    ("step", "name", "attempt", "code"),
    [
        ("RewriteQuestion", "States.Timeout", 1, "MODEL_TIMED_OUT"),
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


def test_own_statement_that_may_not_run_ends_with_what_was_wrong_with_it() -> None:
    refused = {"code": "QUERY_FAILED", "message": "No such column.", "remedy": ""}
    reply = compose_reply(run(refused=refused), NOWHERE, now=BEGAN)
    assert (reply.outcome, reply.sentence) == ("failed", "No such column.")
    assert reply.error is not None
    assert (reply.error.code, reply.error.remedy[:20]) == ("QUERY_FAILED", "Change the statement")


def test_run_that_says_nothing_of_its_end_is_a_failure() -> None:
    reply = compose_reply(run(), NOWHERE)
    assert reply.error is not None
    assert reply.error.code == "INTERNAL_ERROR"


@pytest.fixture
def jobs(tmp_path: Path) -> SqliteJobStore:
    store = SqliteJobStore(tmp_path / "jobs.sqlite")
    store.submit(job(), MANY)
    return store


@pytest.mark.parametrize(
    ("status", "cancelled", "code"),
    [
        ("FAILED", False, "JOB_INTERRUPTED"),
        ("TIMED_OUT", False, "JOB_INTERRUPTED"),
        ("ABORTED", False, "JOB_INTERRUPTED"),
        ("ABORTED", True, "QUERY_CANCELLED"),
    ],
)
def test_run_that_was_stopped_ends_its_job_with_what_is_known_of_it(
    jobs: SqliteJobStore, status: str, cancelled: bool, code: str
) -> None:
    for record in (step(), step(status="succeeded"), step("RetrieveContext")):
        jobs.add_step(job().id, record)
    if cancelled:
        jobs.request_cancel(job().id)
    recorded, is_first = record_outcome(read_event({"job_id": job().id, "stopped": status}), jobs, NOWHERE)
    assert (recorded.outcome, recorded.code, is_first) == ("failed", code, True)
    found = jobs.find(job().id)
    assert found is not None
    assert found.reply is not None
    assert found.reply.question == found.submission.question == "Question q1?"
    assert [(record.step, record.status) for record in found.reply.steps] == [("CheckQuestion", "succeeded")]


def test_run_that_was_stopped_after_its_end_changes_nothing(jobs: SqliteJobStore) -> None:
    jobs.end(job().id, answered(), 3)
    recorded, is_first = record_outcome(read_event({"job_id": job().id, "stopped": "FAILED"}), jobs, NOWHERE)
    assert (recorded.outcome, recorded.code, is_first) == ("answered", None, False)
    assert getattr(jobs.find(job().id), "row_count", None) == 3


def test_run_of_a_job_that_is_gone_ends_nothing(jobs: SqliteJobStore) -> None:
    for event in ({"job_id": "gone", "stopped": "FAILED"}, run(job_id="gone").model_dump()):
        assert not record_outcome(read_event(event), jobs, NOWHERE)[1]


@pytest.mark.parametrize(
    "event",
    [
        {"job_id": "job-1", "stopped": "RUNNING"},
        {"job_id": "a/b", "stopped": "FAILED"},
        {"job_id": "job-1", "stopped": "FAILED", "question": "?"},
        {"stopped": "FAILED"},
        {},
    ],
)
def test_event_of_another_shape_is_refused(event: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        read_event(event)
