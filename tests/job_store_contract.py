"""What every job store must do; a test module derives a class from the contract and gives it a `store`."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import pytest

from text2sql.errors import TooManyJobs
from text2sql.jobs.port import Job, JobRecorder, JobStore, ResultStore, Submission, Verdict
from text2sql.messages import Failure, Reply, ResultColumn, StepRecord

MANY = 1000


class Store(JobStore, JobRecorder, ResultStore, Protocol):
    """All ports of one store."""


def job(number: int = 1, owner: str = "ada", **fields: Any) -> Job:
    """Return a job; a higher number was asked later."""
    asked = {name: fields.pop(name) for name in ("session", "question") if name in fields}
    created = datetime.now(UTC) + timedelta(seconds=number)
    submission = {"question": f"Question q{number}?", "owner": owner, "datasource": "shop", **asked}
    return Job(
        id=f"{number:032}",
        submission=Submission(**submission, groups=("sales",), attributes={"region": "eu"}),
        digest=str(number),
        created_at=created,
        **{"expires_at": created + timedelta(days=1), **fields},
    )


def answered(question: str = "Question?") -> Reply:
    return Reply(
        outcome="answered", question=question, sentence="Three.", sql="SELECT 1 AS a", draft="select 1"
    )


def failed() -> Reply:
    error = Failure(code="MODEL_UNAVAILABLE", message="Gone.")
    return Reply(outcome="failed", question="Question?", sentence="Gone.", error=error)


def step(name: Any = "CheckQuestion", status: Any = "started") -> StepRecord:
    return StepRecord(step=name, attempt=1, status=status)


class JobStoreContract:
    def test_job_is_found_as_it_was_submitted(self, store: Store) -> None:
        kept = store.submit(job(), MANY)
        assert store.find(kept.id) == kept
        assert store.find("nothing") is None

    def test_same_id_is_the_job_that_is_kept_already(self, store: Store) -> None:
        first = store.submit(job(question="First?"), MANY)
        assert store.submit(job(question="Second?"), MANY) == first

    def test_one_of_many_at_once_is_kept(self, store: Store) -> None:
        with ThreadPoolExecutor(8) as pool:
            kept = list(pool.map(lambda n: store.submit(job(question=f"{n}?"), MANY), range(40)))
        assert len({each.submission.question for each in kept}) == 1
        assert len(store.unfinished()) == 1

    def test_owner_with_too_many_unfinished_jobs_is_refused(self, store: Store) -> None:
        store.submit(job(1), 1)
        with pytest.raises(TooManyJobs):
            store.submit(job(2), 1)
        store.submit(job(3, "eve"), 1)
        assert store.submit(job(1), 1).id == job(1).id
        store.end(job(1).id, answered())
        store.submit(job(2), 1)

    def test_job_is_queued_then_running_then_ended(self, store: Store) -> None:
        job_id = store.submit(job(), MANY).id
        started = store.start(job_id)
        assert started is not None
        assert (started.status, started.starts) == ("running", 1)
        assert store.end(job_id, answered("Masked?"), 3)
        ended = store.find(job_id)
        assert ended is not None
        assert (ended.status, ended.row_count, ended.draft) == ("ended", 3, "select 1")
        assert ended.submission.question == "Masked?"
        assert ended.reply == answered("Masked?").model_copy(update={"draft": None})
        assert ended.started_at
        assert ended.ended_at
        assert ended.started_at <= ended.ended_at

    def test_first_end_is_the_end(self, store: Store) -> None:
        job_id = store.submit(job(), MANY).id
        assert store.end(job_id, failed())
        assert not store.end(job_id, answered(), 3)
        assert store.start(job_id) is None
        found = store.find(job_id)
        assert found is not None
        assert found.reply == failed()
        assert not store.end("nothing", answered())

    def test_job_that_is_begun_again_counts_its_starts(self, store: Store) -> None:
        job_id = store.submit(job(), MANY).id
        first, second = store.start(job_id), store.start(job_id)
        assert first is not None
        assert second is not None
        assert second.starts == 2
        assert second.started_at == first.started_at

    def test_steps_are_kept_in_order(self, store: Store) -> None:
        job_id = store.submit(job(), MANY).id
        records = (step(), step(status="succeeded"), step("RetrieveContext"))
        for record in records:
            store.add_step(job_id, record)
        found = store.find(job_id)
        assert found is not None
        assert found.steps == records

    def test_cancelling_is_noted_until_the_end(self, store: Store) -> None:
        first, second = store.submit(job(1), MANY).id, store.submit(job(2), MANY).id
        store.end(second, answered())
        for job_id in (first, second, "nothing"):
            store.request_cancel(job_id)
        assert [getattr(store.find(job_id), "cancel_requested", None) for job_id in (first, second)] == [
            True,
            False,
        ]

    def test_job_is_wanted_until_it_is_cancelled_or_has_ended(self, store: Store) -> None:
        first, second = store.submit(job(1), MANY).id, store.submit(job(2), MANY).id
        assert store.is_wanted(first)
        assert store.add_step(first, step())
        store.request_cancel(first)
        store.end(second, answered())
        for job_id in (first, second):
            assert not store.is_wanted(job_id)
            assert not store.add_step(job_id, step(status="succeeded"))

    def test_large_job_is_kept_whole(self, store: Store) -> None:
        columns = tuple(ResultColumn(name=f"column {n} " + "x" * 50, type="text") for n in range(200))
        sql = "SELECT " + "ä" * 100_000
        large = answered().model_copy(update={"sql": sql, "draft": sql, "columns": columns})
        kept = store.submit(job(question="ä" * 4000, session="s"), MANY)
        for _ in range(50):
            store.add_step(kept.id, step())
        assert store.end(kept.id, large)
        assert not store.end(kept.id, large.model_copy(update={"draft": "another", "sentence": "Four."}))
        found = store.find(kept.id)
        assert found is not None
        assert (found.reply, found.draft) == (large.model_copy(update={"draft": None}), sql)
        assert store.in_session("ada", "s", 1)[0].draft == sql

    def test_unfinished_are_those_that_have_not_ended(self, store: Store) -> None:
        for number in (3, 1, 2):
            store.submit(job(number), MANY)
        store.start(job(1).id)
        store.end(job(3).id, answered())
        assert [each.id for each in store.unfinished()] == [job(1).id, job(2).id]

    def test_history_is_ones_own_newest_first_and_goes_on(self, store: Store) -> None:
        for number in range(1, 6):
            store.submit(job(number), MANY)
        store.submit(job(9, "eve"), MANY)
        first = store.history("ada", 3)
        assert [int(each.id) for each in first] == [5, 4, 3]
        assert [int(each.id) for each in store.history("ada", 3, first[-1])] == [2, 1]

    def test_session_is_what_has_ended_in_it_newest_first(self, store: Store) -> None:
        for number in (1, 2, 3):
            store.submit(job(number, session="s"), MANY)
        store.submit(job(4, "eve", session="s"), MANY)
        store.submit(job(5, session="t"), MANY)
        for number in (2, 1, 4, 5):
            store.end(job(number).id, answered())
        assert [int(each.id) for each in store.in_session("ada", "s", 9)] == [1, 2]
        assert [int(each.id) for each in store.in_session("ada", "s", 1)] == [1]

    def test_verdict_is_kept(self, store: Store) -> None:
        job_id = store.submit(job(), MANY).id
        for verdict in (Verdict(right=True), Verdict(right=False, comment="“no”\n")):
            store.judge(job_id, verdict)
        found = store.find(job_id)
        assert found is not None
        assert found.verdict == verdict

    def test_answers_called_right_are_everybodys_newest_first(self, store: Store) -> None:
        for number, owner, right in ((1, "ada", True), (2, "eve", False), (3, "eve", True), (4, "ada", None)):
            job_id = store.submit(job(number, owner), MANY).id
            store.end(job_id, answered())
            if right is not None:
                store.judge(job_id, Verdict(right=right))
        store.judge(store.submit(job(5), MANY).id, Verdict(right=True))
        store.judge(job(5).id, Verdict(right=False))
        expired = job(6, expires_at=datetime.now(UTC) - timedelta(seconds=1))
        store.judge(store.submit(expired, MANY).id, Verdict(right=True))
        found = store.judged_right()
        assert [int(each.id) for each in found] == [3, 1]
        assert [each.draft for each in found] == ["select 1"] * 2

    def test_rows_are_read_from_any_place(self, store: Store) -> None:
        job_id = store.submit(job(), MANY).id
        rows = [f'[{number}, "a\\nb ä\u2028"]' for number in range(2234)]
        assert store.put_rows(job_id, iter(rows)) == 2234
        for start, count in (
            (0, 1),
            (0, 3000),
            (499, 2),
            (500, 500),
            (999, 3),
            (1000, 1000),
            (2233, 5),
            (2234, 5),
            (9999, 1),
        ):
            assert store.get_rows(job_id, start, count) == tuple(rows[start : start + count]), (start, count)
        assert store.get_rows("nothing", 0, 5) == ()

    def test_rows_are_kept_in_place_of_those_before(self, store: Store) -> None:
        job_id = store.submit(job(), MANY).id
        store.put_rows(job_id, (f"[{number}]" for number in range(2500)))
        store.put_rows(job_id, ["[7]"])
        assert store.get_rows(job_id, 0, 9) == ("[7]",)
        assert store.get_rows(job_id, 2000, 9) == ()

    def test_expired_job_is_not_there(self, store: Store) -> None:
        past = datetime.now(UTC) - timedelta(seconds=1)
        job_id = store.submit(job(expires_at=past, session="s"), MANY).id
        store.end(job_id, answered())
        store.put_rows(job_id, ["[7]"])
        assert store.find(job_id) is None
        assert store.history("ada", 9) == store.in_session("ada", "s", 9) == ()
        store.purge(datetime.now(UTC))
        assert store.get_rows(job_id, 0, 9) == ()
        assert store.submit(job(), MANY).status == "queued"
