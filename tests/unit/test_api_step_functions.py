"""The workflow in Step Functions: what is started, stopped and found again, on moto, which runs nothing."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from api_world import World, open_world
from job_store_contract import MANY, answered, job, step
from text2sql.errors import InvalidSettings, JobStoreUnavailable
from text2sql.jobs.port import Job
from text2sql.jobs.sqlite import SqliteJobStore
from text2sql.messages import Usage
from text2sql_api.workflow import step_functions
from text2sql_api.workflow.polling import LAST_SECONDS, Poll
from text2sql_api.workflow.step_functions import (
    EXPRESS_SECONDS,
    GIVE_UP_SECONDS,
    LOOK_SECONDS,
    SETTLE_SECONDS,
    StepFunctionsWorkflow,
    connect,
)

QUESTION = {"question": "What are the customers called?"}
PASS = json.dumps({"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": True}}})
TRACE = "Root=1-67891233-abcdef012345678912345678"


@dataclass
class Machines:
    """A standard and an express state machine, whose executions run until a test stops them."""

    client: Any
    standard: str
    express: str

    def begun(self, machine: str) -> dict[str, Any]:
        """Return the executions' inputs by their names."""
        found = self.client.list_executions(stateMachineArn=machine)["executions"]
        return {each["name"]: self.describe(each["executionArn"])["input"] for each in found}

    def describe(self, execution: str) -> dict[str, Any]:
        told: dict[str, Any] = self.client.describe_execution(executionArn=execution)
        return {**told, "input": json.loads(told["input"])}

    def execution(self, job_id: str) -> str:
        return f"{self.standard.replace('stateMachine', 'execution')}:{job_id}"

    def status(self, job_id: str) -> str:
        return str(self.describe(self.execution(job_id))["status"])


@pytest.fixture
def machines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Machines]:
    for name, value in {
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(step_functions, "SWEEP_SECONDS", 3600)  # a test looks when it wants to
    with mock_aws():
        client = boto3.client("stepfunctions")
        role = "arn:aws:iam::123456789012:role/machine"
        made = [
            client.create_state_machine(name=name, definition=PASS, roleArn=role, type=kind)
            for name, kind in (("answer", "STANDARD"), ("answer-now", "EXPRESS"))
        ]
        yield Machines(client, *(machine["stateMachineArn"] for machine in made))


@pytest.fixture
def world(tmp_path: Path, machines: Machines) -> Iterator[World]:
    def workflow(store: SqliteJobStore) -> StepFunctionsWorkflow:
        return connect(store, machines.standard, machines.express)

    with open_world(tmp_path, workflow=workflow) as opened:
        yield opened


def kept(world: World, number: int = 1, seconds: float = 0.0, **fields: Any) -> Job:
    """Return a job that was asked `seconds` ago, and whose process ended before it was begun."""
    made = job(number, **fields)
    return world.store.submit(
        made.model_copy(update={"created_at": datetime.now(UTC) - timedelta(seconds=seconds)}), MANY
    )


def look(world: World, later: float = 0.0) -> None:
    assert isinstance(world.workflow, StepFunctionsWorkflow)
    world.workflow.look(datetime.now(UTC) + timedelta(seconds=later))


def code_of(world: World, job_id: str) -> str | None:
    found = world.store.find(job_id)
    assert found is not None
    return found.reply.error.code if found.reply and found.reply.error else None


# ── a question's way ─────────────────────────────────────────────────────────────────────────────


def test_question_is_an_execution_that_bears_its_id(world: World, machines: Machines) -> None:
    reply = world.client().post("/v1/queries", QUESTION)
    assert reply.status_code == 202
    job_id = reply.json()["id"]
    assert machines.begun(machines.standard) == {
        job_id: {
            "job_id": job_id,
            **QUESTION,
            "written": "",
            "caller": {"groups": [], "attributes": {}},
            "earlier": [],
        }
    }
    assert machines.begun(machines.express) == {}
    assert world.client().get(f"/v1/queries/{job_id}").json()["status"] == "running"
    assert world.model.prompts == []


def start_with_trace(world: World, trace: str) -> object:
    """Ask with the header, and return what is passed on of it; moto forgets it."""
    passed = []

    def see(params: dict[str, Any], **_: object) -> None:
        passed.append(params.get("traceHeader"))

    assert isinstance(world.workflow, StepFunctionsWorkflow)
    world.workflow.client.meta.events.register("provide-client-params.sfn.StartExecution", see)
    world.client().post("/v1/queries", QUESTION, headers={"X-Amzn-Trace-Id": trace.encode()})
    (only,) = passed
    return only


@pytest.mark.parametrize("trace", [TRACE, f"Self=1-67891234-12456789abcdef012345678;{TRACE}"])
def test_trace_of_the_request_is_the_executions(world: World, trace: str) -> None:
    assert start_with_trace(world, trace) == trace


@pytest.mark.parametrize("trace", ["", "x" * 300, "Root=1 2", "Root=1;", "Root=ä", f"Root={'1' * 260}"])
def test_trace_that_is_none_is_not_passed_on(world: World, trace: str) -> None:
    assert start_with_trace(world, trace) is None


def test_groups_attributes_and_earlier_turns_are_told(world: World, machines: Machines) -> None:
    first = kept(world, 1, session="s", seconds=1)
    world.store.end(first.id, answered("Question q1?"))
    second = kept(world, 2, session="s")
    world.workflow.start(second)
    told = machines.begun(machines.standard)[second.id]
    assert told["caller"] == {"groups": ["sales"], "attributes": {"region": "eu"}}
    assert [(turn["question"], turn["sql"]) for turn in told["earlier"]] == [("Question q1?", "select 1")]


def test_statement_of_the_callers_own_is_told(world: World, machines: Machines) -> None:
    for sql in ("SELECT 1", None):
        job_id = world.client().post("/v1/queries", {**QUESTION, "sql": sql}).json()["id"]
        assert machines.begun(machines.standard)[job_id]["written"] == (sql or "")


def test_question_that_is_waited_for_runs_in_the_express_machine(world: World, machines: Machines) -> None:
    def work() -> None:
        while not (begun := machines.begun(machines.express)):
            time.sleep(0.01)
        world.store.end(next(iter(begun)), answered())

    thread = threading.Thread(target=work)
    thread.start()
    began = time.monotonic()
    reply = world.client().post("/v1/queries:run", QUESTION)
    assert time.monotonic() - began < 6
    thread.join()
    assert reply.status_code == 200
    assert reply.json()["answer"]["outcome"] == "answered"
    assert machines.begun(machines.standard) == {}


def test_without_an_express_machine_the_standard_one_does(world: World, machines: Machines) -> None:
    job_id = kept(world).id
    connect(world.store, machines.standard).start(kept(world), waits=True)
    assert list(machines.begun(machines.standard)) == [job_id]


def test_same_key_starts_one_execution_whichever_way_it_comes(tmp_path: Path, machines: Machines) -> None:
    with open_world(
        tmp_path,
        workflow=lambda store: connect(store, machines.standard, machines.express),
        run_seconds=0.01,
    ) as world:
        headers = {"Idempotency-Key": "k-1"}
        for path in ("/v1/queries:run", "/v1/queries", "/v1/queries:run"):
            assert world.client().post(path, QUESTION, headers=headers).status_code == 202
    assert len(machines.begun(machines.express)) == 1
    assert machines.begun(machines.standard) == {}


def test_steps_that_are_noted_elsewhere_are_streamed(world: World) -> None:
    job_id = world.client().post("/v1/queries", QUESTION).json()["id"]

    def work() -> None:
        time.sleep(0.3)
        world.store.add_step(job_id, step())
        world.store.end(job_id, answered())

    thread = threading.Thread(target=work)
    thread.start()
    text = world.client().get(f"/v1/queries/{job_id}/events").text
    thread.join()
    assert [line for line in text.splitlines() if line.startswith("event")] == [
        "event: step",
        "event: outcome",
    ]


def test_first_look_comes_soon_and_later_ones_not_too_often() -> None:
    async def waits() -> list[float]:
        poll, taken = Poll(), []
        for _ in range(7):
            began = time.monotonic()
            await poll.wait(10)
            taken.append(time.monotonic() - began)
        return taken

    taken = asyncio.run(waits())
    assert taken[0] < 0.25
    assert LAST_SECONDS * 0.9 < taken[-1] < LAST_SECONDS * 2


# ── cancelling ───────────────────────────────────────────────────────────────────────────────────


def test_cancelled_question_has_ended_and_its_execution_is_stopped(world: World, machines: Machines) -> None:
    job_id = world.client().post("/v1/queries", QUESTION).json()["id"]
    reply = world.client().delete(f"/v1/queries/{job_id}")
    assert (reply.status_code, reply.json()["status"]) == (200, "ended")
    assert reply.json()["cancel_requested"]
    assert reply.json()["answer"]["error"]["code"] == "QUERY_CANCELLED"
    assert machines.status(job_id) == "ABORTED"
    assert world.client().delete(f"/v1/queries/{job_id}").json() == reply.json()


def test_cancelled_question_of_the_express_machine_has_ended(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    made = kept(world)
    world.workflow.start(made, waits=True)
    world.workflow.cancel(made)
    assert code_of(world, made.id) == "QUERY_CANCELLED"
    assert [record for record in caplog.records if record.levelname == "WARNING"] == []


def test_what_a_cancelled_question_has_cost_is_told(world: World) -> None:
    job_id = world.client().post("/v1/queries", QUESTION).json()["id"]
    usage = Usage(prompt_tokens=100, completion_tokens=10)
    world.store.add_step(job_id, step("GenerateSql", "succeeded").model_copy(update={"usage": usage}))
    time.sleep(0.05)
    answer = world.client().delete(f"/v1/queries/{job_id}").json()["answer"]
    assert answer["usage"]["prompt_tokens"] == 100
    assert 0.05 <= answer["seconds"] < 5


def test_question_is_cancelled_also_where_its_execution_cannot_be_stopped(world: World) -> None:
    made = kept(world)
    world.workflow.start(made)
    assert isinstance(world.workflow, StepFunctionsWorkflow)
    with Stubber(world.workflow.client) as stubber:
        stubber.add_client_error("stop_execution", "AccessDeniedException")
        world.workflow.cancel(made)
    assert code_of(world, made.id) == "QUERY_CANCELLED"


def test_question_that_has_ended_stays_as_it_is(world: World) -> None:
    made = kept(world)
    world.workflow.start(made)
    world.store.end(made.id, answered())
    world.workflow.cancel(made)
    assert code_of(world, made.id) is None


def test_cancel_that_broke_off_is_finished_by_the_next_look(world: World, machines: Machines) -> None:
    made = kept(world, seconds=SETTLE_SECONDS)
    world.workflow.start(made)
    world.store.request_cancel(made.id)
    look(world)
    assert code_of(world, made.id) == "QUERY_CANCELLED"
    assert machines.status(made.id) == "ABORTED"


# ── jobs that nobody works on ────────────────────────────────────────────────────────────────────


def test_job_that_was_never_begun_is_begun_by_the_next_look(world: World, machines: Machines) -> None:
    made = kept(world)
    look(world)
    assert machines.begun(machines.standard) == {}
    look(world, SETTLE_SECONDS)
    look(world, SETTLE_SECONDS)
    assert list(machines.begun(machines.standard)) == [made.id]
    found = world.store.find(made.id)
    assert found is not None
    assert (found.status, found.starts) == ("running", 1)


def test_job_that_was_begun_and_not_noted_is_noted_by_the_next_look(world: World, machines: Machines) -> None:
    made = kept(world)
    machines.client.start_execution(stateMachineArn=machines.standard, name=made.id, input="{}")
    look(world, GIVE_UP_SECONDS + 1)
    found = world.store.find(made.id)
    assert found is not None
    assert found.status == "running"


def test_looks_of_several_processes_start_one_execution(world: World, machines: Machines) -> None:
    made = [kept(world, number) for number in range(1, 9)]
    others = [connect(world.store, machines.standard) for _ in range(4)]
    later = datetime.now(UTC) + timedelta(seconds=SETTLE_SECONDS)
    threads = [threading.Thread(target=other.look, args=(later,)) for other in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(machines.begun(machines.standard)) == {each.id for each in made}


def test_job_whose_execution_is_over_without_a_word_is_ended(world: World, machines: Machines) -> None:
    made = kept(world)
    world.workflow.start(made)
    machines.client.stop_execution(executionArn=machines.execution(made.id))
    look(world, LOOK_SECONDS - 1)
    assert code_of(world, made.id) is None
    look(world, LOOK_SECONDS + 1)
    assert code_of(world, made.id) == "JOB_INTERRUPTED"


def test_job_whose_execution_runs_is_left_alone(world: World) -> None:
    made = kept(world)
    world.workflow.start(made)
    look(world, 86_400 - 60)
    found = world.store.find(made.id)
    assert found is not None
    assert found.status == "running"


def test_job_that_the_express_machine_lost_gets_a_standard_execution(
    world: World, machines: Machines
) -> None:
    made = kept(world)
    world.workflow.start(made, waits=True)
    look(world, EXPRESS_SECONDS - 1)
    assert machines.begun(machines.standard) == {}
    look(world, EXPRESS_SECONDS + 1)
    assert list(machines.begun(machines.standard)) == [made.id]


def test_what_has_expired_is_forgotten(world: World) -> None:
    made = kept(world, expires_at=datetime.now(UTC) + timedelta(seconds=60))
    look(world, 61)
    assert world.store.find(made.id) is None


# ── when Step Functions is away ──────────────────────────────────────────────────────────────────


def take_away(machines: Machines) -> None:
    for machine in (machines.standard, machines.express):
        machines.client.delete_state_machine(stateMachineArn=machine)


@pytest.mark.parametrize("path", ["/v1/queries", "/v1/queries:run"])
def test_question_that_cannot_be_begun_is_kept_for_the_next_look(
    tmp_path: Path, machines: Machines, path: str
) -> None:
    take_away(machines)
    with open_world(
        tmp_path,
        workflow=lambda store: connect(store, machines.standard, machines.express),
        run_seconds=0.01,
    ) as world:
        assert not world.workflow.is_ready()
        assert world.client().get("/readyz").json()["workflow"] == "STOPPED"
        reply = world.client().post(path, QUESTION)
        assert reply.status_code == 202
        look(world, SETTLE_SECONDS)
        assert code_of(world, reply.json()["id"]) is None
        assert world.client().delete(f"/v1/queries/{reply.json()['id']}").json()["status"] == "ended"


def test_job_that_is_never_taken_is_given_up(world: World, machines: Machines) -> None:
    first, second = kept(world, 1), kept(world, 2)
    world.workflow.start(second, waits=True)
    take_away(machines)
    look(world, GIVE_UP_SECONDS - 1)
    assert code_of(world, first.id) is None
    look(world, GIVE_UP_SECONDS + 1)
    assert [code_of(world, each.id) for each in (first, second)] == ["WORKFLOW_UNAVAILABLE"] * 2


def test_job_whose_session_cannot_be_read_keeps_no_other_waiting_and_is_given_up(
    world: World, machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise JobStoreUnavailable("a reply is gone")

    monkeypatch.setattr(world.store, "in_session", fail)  # as where one object of S3 is lost
    first, second = kept(world, 1, seconds=1, session="s"), kept(world, 2)
    look(world, SETTLE_SECONDS)
    assert list(machines.begun(machines.standard)) == [second.id]
    assert code_of(world, first.id) is None
    look(world, GIVE_UP_SECONDS)
    assert code_of(world, first.id) == "JOB_STORE_UNAVAILABLE"


def test_job_that_runs_is_not_given_up_while_nobody_can_tell_how_it_is(world: World) -> None:
    made = kept(world)
    world.workflow.start(made)
    assert isinstance(world.workflow, StepFunctionsWorkflow)
    with Stubber(world.workflow.client) as stubber:
        stubber.add_client_error("describe_execution", "ThrottlingException")
        look(world, GIVE_UP_SECONDS + 1)
        stubber.assert_no_pending_responses()
    assert code_of(world, made.id) is None


def test_express_machine_that_is_away_leaves_the_question_to_the_standard_one(
    world: World, machines: Machines
) -> None:
    machines.client.delete_state_machine(stateMachineArn=machines.express)
    made = kept(world)
    world.workflow.start(made, waits=True)
    assert list(machines.begun(machines.standard)) == [made.id]


def test_look_outlives_a_store_that_does_not_answer(
    machines: Machines, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(step_functions, "SWEEP_SECONDS", 0.01)
    raised = [JobStoreUnavailable("away"), RuntimeError("broken")]
    looked = threading.Event()

    class Store:
        def purge(self, _: datetime) -> None:
            if raised:
                raise raised.pop(0)
            looked.set()

        def unfinished(self) -> tuple[Job, ...]:
            return ()

    workflow = connect(Store(), machines.standard)  # type: ignore[arg-type]
    with ExitStack() as stack:
        workflow.open()
        stack.callback(workflow.close)
        assert looked.wait(5)
        assert workflow.is_ready()
    assert not workflow.is_ready()
    ours = [record.levelname for record in caplog.records if record.name.startswith("text2sql")]
    assert ours == ["WARNING", "ERROR"]


ARN = "arn:aws:states:eu-west-1:123456789012:stateMachine:answer"


@pytest.mark.parametrize("arns", [("answer", ""), (ARN, "answer-now"), (f"{ARN}:live", "")])
def test_machine_without_an_arn_is_refused(world: World, arns: tuple[str, str]) -> None:
    with pytest.raises(InvalidSettings):
        connect(world.store, *arns)
