"""The workflow in this process: whose turn it is, what a restart finds, and what a failing store does."""

import asyncio
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api_world import SteadyModel, open_world, shop_services
from job_store_contract import MANY, answered, job
from text2sql.errors import InvalidSettings, JobStoreUnavailable
from text2sql.jobs.port import Job
from text2sql.jobs.session import MAX_TURNS, earlier_turns
from text2sql.messages import Reply
from text2sql_api.workflow import in_process
from text2sql_api.workflow.changes import Board
from text2sql_api.workflow.fair_queue import FairQueue
from text2sql_api.workflow.in_process import MAX_STARTS


def test_each_owner_has_a_turn() -> None:
    queue = FairQueue()
    for number in range(3):
        queue.put("ada", f"ada {number}")
    queue.put("eve", "eve 0")
    assert [queue.take() for _ in range(4)] == ["ada 0", "eve 0", "ada 1", "ada 2"]


def test_closed_queue_lets_nobody_wait() -> None:
    queue = FairQueue()
    taken: list[str | None] = []
    thread = threading.Thread(target=lambda: taken.append(queue.take()))
    thread.start()
    queue.close()
    thread.join(5)
    assert taken == [None]


def test_change_between_two_waits_is_not_missed() -> None:
    board = Board()

    async def listen() -> float:
        with board.watch("job") as changes:
            board.tell("job")
            board.tell("other")
            await asyncio.sleep(0)
            began = time.monotonic()
            await changes.wait(5)
            return time.monotonic() - began

    assert asyncio.run(listen()) < 1
    assert board._listeners == {}
    board.tell("job")


def test_job_that_a_former_process_left_is_begun_once(tmp_path: Path) -> None:
    with open_world(tmp_path) as world:
        world.workflow.close()
        left = world.store.submit(job(1), MANY)
        world.store.start(left.id)
        world.store.submit(job(2), MANY)
    with open_world(tmp_path) as world:
        for number in (1, 2):
            while (found := world.store.find(job(number).id)) and found.status != "ended":
                time.sleep(0.01)
            assert found is not None
            assert found.starts == (2 if number == 1 else 1)
            assert found.reply is not None
            assert found.reply.outcome == "answered"
        assert len(world.model.prompts) == 2


def test_job_that_was_cancelled_before_the_end_of_its_process_is_not_begun_again(tmp_path: Path) -> None:
    with open_world(tmp_path) as world:
        world.workflow.close()
        world.store.submit(job(1), MANY)
        world.store.start(job(1).id)
        world.store.request_cancel(job(1).id)
    with open_world(tmp_path) as world:
        assert code_of(world.store, job(1).id) == "QUERY_CANCELLED"
        assert world.model.prompts == []


def test_job_that_ends_its_process_again_and_again_is_given_up(tmp_path: Path) -> None:
    with open_world(tmp_path) as world:
        world.workflow.close()
        world.store.submit(job(1), MANY)
        for _ in range(MAX_STARTS):
            world.store.start(job(1).id)
    with open_world(tmp_path) as world:
        assert code_of(world.store, job(1).id) == "JOB_INTERRUPTED"
        assert world.model.prompts == []


def test_job_of_a_database_that_is_not_served_any_more_fails(tmp_path: Path) -> None:
    with open_world(tmp_path) as world:
        world.workflow.close()
        world.store.submit(job(1), MANY)
    model = SteadyModel()
    other = {"other": shop_services(tmp_path / "other.db", model)}
    with open_world(tmp_path, datasources=other, model=model) as world:
        assert code_of(world.store, job(1).id) == "INVALID_SETTINGS"


def code_of(store: object, job_id: str) -> str:
    for _ in range(500):
        found = store.find(job_id)  # type: ignore[attr-defined]
        if found.reply:
            return str(found.reply.error.code)
        time.sleep(0.01)
    raise AssertionError(found)


def test_job_whose_end_could_not_be_kept_is_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_process, "SWEEP_SECONDS", 0.05)  # else the test takes ten seconds
    with open_world(tmp_path) as world:
        end, failures = world.store.end, [True, True]

        def end_later(job_id: str, reply: Reply, row_count: int = 0) -> bool:
            if failures:
                failures.pop()
                raise JobStoreUnavailable("full")
            return end(job_id, reply, row_count)

        world.store.end = end_later  # type: ignore[method-assign]
        job_id = world.client().post("/v1/queries", {"question": "Names?"}).json()["id"]
        assert world.client().wait_for(job_id, "ended")["answer"]["outcome"] == "answered"
        assert failures == []


def test_step_that_could_not_be_kept_does_not_fail_the_question(tmp_path: Path) -> None:
    with open_world(tmp_path) as world:

        def refuse(*_: object) -> None:
            raise JobStoreUnavailable("full")

        world.store.add_step = refuse  # type: ignore[method-assign]
        assert world.client().ask()["answer"]["outcome"] == "answered"


def test_second_workflow_on_the_same_jobs_is_refused(tmp_path: Path) -> None:
    with open_world(tmp_path), pytest.raises(InvalidSettings), open_world(tmp_path):
        pass


def test_user_with_few_questions_does_not_wait_for_one_with_many(tmp_path: Path) -> None:
    with open_world(tmp_path, workers=1) as world:
        world.model.hold.clear()
        for number in range(1, 9):
            world.workflow.start(world.store.submit(job(number), MANY))
        world.workflow.start(world.store.submit(job(9, "eve"), MANY))
        world.model.hold.set()
        for number in range(1, 10):
            while (found := world.store.find(job(number).id)) and found.status != "ended":
                time.sleep(0.01)
        texts = [prompt.turns[-1].text.strip() for prompt in world.model.prompts]
        assert texts.index("Question q9?") <= 2


# ── what a follow-up question is told ────────────────────────────────────────────────────────────

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def ended(number: int, seconds_ago: float, reply: Reply | None = None, **fields: object) -> Job:
    made = job(number, session="s")
    at = NOW - timedelta(seconds=seconds_ago)
    reply = reply or answered()
    told = {"created_at": at, "ended_at": at, "status": "ended", "reply": reply, "draft": reply.draft}
    return made.model_copy(update={**told, **fields})


def asked() -> Job:
    return job(9, session="s").model_copy(update={"created_at": NOW})


def test_last_turns_are_told_oldest_first() -> None:
    previous = [ended(number, 10 * (9 - number)) for number in range(8, 0, -1)]
    told = earlier_turns(asked(), previous, 500)
    assert [turn.question for turn in told] == [f"Question q{number}?" for number in (6, 7, 8)]
    assert len(told) == MAX_TURNS


def test_follow_up_is_told_as_the_whole_question_that_it_was_read_as() -> None:
    followed = answered().model_copy(update={"read_as": "Orders in 2024?"})
    told = earlier_turns(asked(), [ended(2, 1, followed), ended(1, 2)], 500)
    assert [turn.question for turn in told] == ["Question q1?", "Orders in 2024?"]


def test_statement_that_its_caller_wrote_is_told_to_no_model() -> None:
    own = ended(2, 1)
    own = own.model_copy(update={"submission": own.submission.model_copy(update={"written": "SELECT 1"})})
    told = earlier_turns(asked(), [own, ended(1, 2)], 500)
    assert [turn.question for turn in told] == ["Question q1?"]


def test_nothing_before_a_pause_is_told() -> None:
    previous = [ended(3, 10), ended(2, 505), ended(1, 1100)]
    assert [turn.question for turn in earlier_turns(asked(), previous, 500)] == [
        "Question q2?",
        "Question q3?",
    ]
    assert earlier_turns(asked(), [ended(3, 501)], 500) == ()


def test_question_that_led_nowhere_is_not_told() -> None:
    lost = Reply(outcome="declined", question="?", sentence="no")
    assert [turn.question for turn in earlier_turns(asked(), [ended(2, 1, lost), ended(1, 2)], 500)] == [
        "Question q1?"
    ]


@pytest.mark.parametrize(
    "change", [{"groups": ()}, {"attributes": {"region": "us"}}, {"datasource": "other"}]
)
def test_nothing_is_told_of_what_was_seen_as_somebody_else(change: dict[str, object]) -> None:
    other = ended(1, 1)
    other = other.model_copy(update={"submission": other.submission.model_copy(update=change)})
    assert earlier_turns(asked(), [other, ended(2, 2)], 500) == ()
