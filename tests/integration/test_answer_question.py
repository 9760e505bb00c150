"""The state machine in a local cloud: the scenarios of `pipeline.answer()`, and what is the cloud's alone."""

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_cloud import LocalCloud
from model_server import Fault, ScriptedModelServer
from model_server import Reply as ModelReply
from scenarios import BEGIN, GOOD, PROSE, QUESTION, RUN, SCENARIOS, Scenario, check_reply, ended
from scripted_model import ScriptedReply
from servers import free_port
from small_shop import write_small_shop
from text2sql import errors
from text2sql.generation.port import Completion
from text2sql.messages import Reply
from text2sql.workflow.parcel import INLINE_BYTES, Parcel, unpack
from text2sql.workflow.parcels_s3 import S3Parcels

CLOUD = Path(__file__).resolve().parents[2] / ".venv-cloud"
MODEL_SECONDS = 1.0
END_SECONDS = 60.0
FAULTS = {
    "MODEL_UNAVAILABLE": Fault.error(500),
    "MODEL_THROTTLED": Fault.error(429),
    "MODEL_TIMED_OUT": Fault("hang"),
    "MODEL_ERROR": Fault.error(400),
}
NOT_OVER_HTTP = {"model: MODEL_NOT_INSTALLED", "question that is no text"}
"""A server cannot fail so, and JSON for AWS holds no half characters."""


@dataclass
class World:
    """The deployed stack, and what stands behind it."""

    cloud: LocalCloud
    model: ScriptedModelServer
    outputs: dict[str, str]
    shop: Path
    jobs: int = 0

    def start(self, question: str = QUESTION, job_id: str = "", caller: object = None) -> str:
        """Start an execution and return its ARN."""
        if not job_id:
            self.jobs += 1
            job_id = f"job-{self.jobs}"
        event = {"job_id": job_id, "question": question, "caller": caller or {}, "earlier": []}
        started = self.states.start_execution(
            stateMachineArn=self.outputs["AnswerQuestionArn"], name=job_id, input=json.dumps(event)
        )
        return str(started["executionArn"])

    def wait(self, execution: str) -> dict[str, Any]:
        """Return how the execution ended."""
        end = time.monotonic() + END_SECONDS
        while time.monotonic() < end:
            found: dict[str, Any] = self.states.describe_execution(executionArn=execution)
            if found["status"] != "RUNNING":
                return found
            time.sleep(0.02)
        raise AssertionError("the execution does not end")

    def reply(self, execution: str) -> Reply:
        """Return what RecordOutcome kept."""
        found = self.wait(execution)
        assert found["status"] == "SUCCEEDED", (found.get("error"), found.get("cause"))
        parcels = S3Parcels(self.outputs["ParcelsBucket"], lambda: self.cloud.client("s3"))
        return unpack(Parcel(key=f"{execution.rpartition(':')[2]}/reply.json"), Reply, parcels)

    def ask(self, *replies: ModelReply, question: str = QUESTION) -> Reply:
        self.model.script(replies or [GOOD])
        return self.reply(self.start(question))

    @property
    def states(self) -> Any:
        return self.cloud.client("stepfunctions")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("cloud")
    shop = write_small_shop(folder / "shop.db")
    with (
        ScriptedModelServer() as model,
        LocalCloud(folder, free_port(), CLOUD / "bin" / "python", wait_scale=0.01) as cloud,
    ):
        outputs = cloud.deploy(
            "text2sql",
            {
                "TEXT2SQL_DATABASE_URL": f"sqlite:///{shop}",
                "TEXT2SQL_CACHE_DIR": str(folder / "cache"),
                "TEXT2SQL_MODEL_PROVIDER": "openai",
                "TEXT2SQL_MODEL_NAME": model.models[0],
                "TEXT2SQL_MODEL_BASE_URL": model.base_url,
                "TEXT2SQL_MODEL_TIMEOUT": str(MODEL_SECONDS),
            },
        )
        yield World(cloud, model, outputs, shop)


def over_http(reply: ScriptedReply) -> ModelReply:
    """Return what the server says for what the script says."""
    match reply:
        case Completion(finish="length"):
            return Fault("cut", body=reply.text)
        case Completion():
            return Fault("filtered")
        case errors.Text2SqlError():
            return FAULTS[reply.code]
        case "":
            return Fault("empty")
    assert isinstance(reply, str)
    return reply


@pytest.mark.parametrize(
    "scenario",
    [scenario for scenario in SCENARIOS if scenario.name not in NOT_OVER_HTTP],
    ids=lambda scenario: scenario.name,
)
def test_question_ends_as_in_process(world: World, scenario: Scenario) -> None:
    if any(isinstance(reply, errors.Text2SqlError) for reply in scenario.replies):
        scenario = replace(scenario, says="")  # a server's error is told in other words
    reply = world.ask(*map(over_http, scenario.replies), question=scenario.question)
    check_reply(scenario, reply)


def test_throttled_model_is_asked_again(world: World) -> None:
    reply = world.ask(Fault.error(429), Fault.error(429), GOOD)
    assert reply.outcome == "answered"
    assert " ".join(ended(reply)) == f"{BEGIN} {RUN} ComposeAnswer"


def test_schema_that_changed_is_read_anew_and_the_question_asked_again_once(world: World) -> None:
    rename = "ALTER TABLE customers RENAME COLUMN {} TO {}"

    def change(_: object) -> str:
        with closing(sqlite3.connect(world.shop)) as connection, connection:
            connection.execute(rename.format("name", "full_name"))
        return GOOD

    try:
        reply = world.ask(change, "SELECT full_name FROM customers")
    finally:
        with closing(sqlite3.connect(world.shop)) as connection, connection:
            connection.execute(rename.format("full_name", "name"))
    assert reply.outcome == "answered"
    assert list(ended(reply)) == [
        *f"{BEGIN} GenerateSql ValidateSql ExecuteSql!SCHEMA_CHANGED".split(),
        *f"RetrieveContext {RUN} ComposeAnswer".split(),
    ]


def test_database_that_is_gone_fails_the_question(world: World) -> None:
    away = world.shop.with_suffix(".away")

    def remove(_: object) -> str:
        world.shop.rename(away)
        return GOOD

    try:
        reply = world.ask(remove)
    finally:
        away.rename(world.shop)
    assert reply.error is not None
    assert reply.error.code == "DATABASE_NOT_FOUND"
    assert reply.error.remedy
    assert list(ended(reply))[-1] == "ExecuteSql!DATABASE_NOT_FOUND"


def test_query_that_is_too_expensive_is_not_run(world: World) -> None:
    many = ", ".join(f"orders AS o{number}" for number in range(30))
    reply = world.ask(f"SELECT COUNT(*) FROM {many}")
    assert reply.error is not None
    assert reply.error.code == "QUERY_TOO_EXPENSIVE"


def test_large_result_travels_beside_the_state(world: World) -> None:
    columns = ", ".join(f"c{number}.name AS name{number}" for number in range(6))
    tables = " CROSS JOIN ".join(f"customers AS c{number}" for number in range(6))
    world.model.script([f"SELECT {columns} FROM {tables}"])
    execution = world.start()
    reply = world.reply(execution)
    assert len(reply.rows) == 3**6
    events = world.states.get_execution_history(executionArn=execution, maxResults=1000)["events"]
    assert max(len(json.dumps(event, default=str)) for event in events) < 32_768
    key = f"{execution.rpartition(':')[2]}/result.json"
    stored = world.cloud.client("s3").head_object(Bucket=world.outputs["ParcelsBucket"], Key=key)
    assert stored["ContentLength"] > INLINE_BYTES


def test_event_that_no_function_can_read_ends_as_a_failure_without_its_text(world: World) -> None:
    world.model.script([GOOD])
    reply = world.reply(world.start(caller={"groups": 5, "attributes": {"secret": "hunter2"}}))
    assert reply.error is not None
    assert reply.error.code == "INTERNAL_ERROR"
    assert list(ended(reply)) == ["CheckQuestion", "RetrieveContext!INTERNAL_ERROR"]
    assert "hunter2" not in reply.model_dump_json()


def test_cancelled_execution_asks_the_model_no_more(world: World) -> None:
    asking, cancelled = threading.Event(), threading.Event()

    def reply_late(_: object) -> str:
        asking.set()
        cancelled.wait(MODEL_SECONDS / 2)
        return PROSE

    world.model.script([reply_late, GOOD])
    asked = len(world.model.completions)
    execution = world.start()
    assert asking.wait(END_SECONDS)
    world.states.stop_execution(executionArn=execution)
    cancelled.set()
    assert world.wait(execution)["status"] == "ABORTED"
    time.sleep(0.5)
    assert len(world.model.completions) == asked + 1


def test_execution_that_is_started_twice_asks_the_model_once(world: World) -> None:
    world.model.script([GOOD])
    asked = len(world.model.completions)
    execution = world.start(job_id="twice")
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        world.start(question="Another one?", job_id="twice")
    assert world.reply(execution).outcome == "answered"
    assert len(world.model.completions) == asked + 1


def test_express_machine_answers_at_once(world: World) -> None:
    world.model.script([GOOD])
    event = {"job_id": "express", "question": QUESTION, "caller": {}, "earlier": []}
    ended_as = world.states.start_sync_execution(
        stateMachineArn=world.outputs["AnswerQuestionNowArn"], name="express", input=json.dumps(event)
    )
    assert json.loads(ended_as["output"]) == {"outcome": "answered", "code": None}
