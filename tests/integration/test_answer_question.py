"""The state machine in a local cloud: the scenarios of `pipeline.answer()`, and what is the cloud's alone."""

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_cloud import LocalCloud
from model_server import Fault, ScriptedModelServer
from model_server import Reply as ModelReply
from processes import free_port
from scenarios import (
    BEGIN,
    EARLIER,
    EVERYONE,
    GOOD,
    POLICY,
    PROSE,
    QUESTION,
    RUN,
    SCENARIOS,
    WHOLE,
    Scenario,
    add_secrets,
    check_reply,
    ended,
)
from scripted_model import ScriptedReply
from small_shop import write_small_shop
from text2sql import errors
from text2sql.answer.json_reply import read_row
from text2sql.generation.port import Completion
from text2sql.jobs.cloud import CloudJobStore
from text2sql.jobs.port import Job, Submission
from text2sql.jobs.s3 import S3ResultStore
from text2sql.messages import EarlierTurn, Failure, Reply
from text2sql.workflow.parcel import INLINE_BYTES

CLOUD = Path(__file__).resolve().parents[2] / ".venv-cloud"
MODEL_SECONDS = 1.0
END_SECONDS = 60.0
FAULTS = {
    "MODEL_UNAVAILABLE": Fault.error(500),
    "MODEL_THROTTLED": Fault.error(429),
    "MODEL_TIMED_OUT": Fault("hang"),
    "MODEL_ERROR": Fault.error(400),
}
VERIFIED = """
queries:
  - question: What do the dearest items cost?
    sql: SELECT line_total FROM order_items WHERE line_total > 5 ORDER BY line_total DESC
    approved_by: Ada
    approved_on: 2026-03-01
"""
NOT_OVER_HTTP = {"model: MODEL_NOT_INSTALLED", "question that is no text"}
"""A server cannot fail so, and JSON for AWS holds no half characters."""


@dataclass
class World:
    """The deployed stack, and what stands behind it."""

    cloud: LocalCloud
    model: ScriptedModelServer
    outputs: dict[str, str]
    shop: Path
    folder: Path
    asked: int = 0

    def __post_init__(self) -> None:
        results = S3ResultStore(self.outputs["ResultsBucket"], lambda: self.cloud.client("s3"))
        self.jobs = CloudJobStore(self.outputs["JobsTable"], lambda: self.cloud.client("dynamodb"), results)
        self.states = self.cloud.client("stepfunctions")

    def submit(self, question: str = QUESTION, groups: Any = EVERYONE, **attributes: str) -> Job:
        """Keep a question as the API does, and let nobody work on it yet."""
        self.asked += 1
        now = datetime.now(UTC)
        asked = Submission(
            owner="ada", groups=groups, attributes=attributes, datasource="shop", question=question
        )
        job = Job(
            id=f"job-{self.asked}", submission=asked, created_at=now, expires_at=now + timedelta(days=1)
        )
        return self.jobs.submit(job, 1000)

    def event(self, job: Job, earlier: tuple[EarlierTurn, ...] = (), **more: str) -> str:
        """Return the execution's input."""
        asked = job.submission
        caller = {"groups": asked.groups, "attributes": asked.attributes}
        turns = [turn.model_dump(mode="json") for turn in earlier]
        return json.dumps(
            {"job_id": job.id, "question": asked.question, "caller": caller, "earlier": turns, **more}
        )

    def start(self, job: Job, event: str = "") -> str:
        """Start the job's execution, and return its ARN."""
        started = self.states.start_execution(
            stateMachineArn=self.outputs["AnswerQuestionArn"], name=job.id, input=event or self.event(job)
        )
        self.jobs.start(job.id)
        return str(started["executionArn"])

    def wait(self, execution: str) -> str:
        """Return the execution's status when it has ended."""
        wait_until(lambda: self._status(execution) != "RUNNING")
        return self._status(execution)

    def look(self, job: Job) -> Job:
        """Return the job as it is now."""
        found = self.jobs.find(job.id)
        assert found is not None
        return found

    def reply(self, job: Job) -> Reply:
        """Return how a job that has ended did so, with its rows."""
        found = self.look(job)
        assert found.reply is not None
        assert found.ended_at is not None
        rows = tuple(map(read_row, self.jobs.get_rows(job.id, 0, 10_000)))
        assert len(rows) == found.row_count
        return found.reply.model_copy(update={"rows": rows})

    def ask(
        self,
        *replies: ModelReply,
        question: str = QUESTION,
        groups: Any = EVERYONE,
        earlier: tuple[EarlierTurn, ...] = (),
        written: str = "",
        **attributes: str,
    ) -> Reply:
        """Return how a question ends, for which the model says this."""
        self.model.script(replies or [GOOD])
        job = self.submit(question, groups, **attributes)
        own = {"written": written} if written else {}
        assert self.wait(self.start(job, self.event(job, earlier, **own))) == "SUCCEEDED"
        return self.reply(job)

    def record(self, event: Mapping[str, str]) -> dict[str, Any]:
        """Call RecordOutcome as EventBridge does."""
        functions = self.cloud.client("lambda")
        names = [each["FunctionName"] for each in functions.list_functions()["Functions"]]
        (name,) = [name for name in names if "RecordOutcome" in name]
        told = functions.invoke(FunctionName=name, Payload=json.dumps(event))
        payload: dict[str, Any] = json.loads(told["Payload"].read())
        return payload

    def _status(self, execution: str) -> str:
        return str(self.states.describe_execution(executionArn=execution)["status"])


def wait_until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + END_SECONDS
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


@dataclass
class Beginning:
    """The stack, and how a question ended before there was a policy."""

    world: World
    without_policy: Reply


@pytest.fixture(scope="module")
def beginning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Beginning]:
    folder = tmp_path_factory.mktemp("cloud")
    shop = add_secrets(write_small_shop(folder / "shop.db"))
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
        world = World(cloud, model, outputs, shop, folder)
        without_policy = world.ask()
        for name, text in (("policy.yaml", POLICY), ("verified.yaml", VERIFIED)):
            cloud.client("s3").put_object(Bucket=outputs["KnowledgeBucket"], Key=name, Body=text.encode())
        yield Beginning(world, without_policy)


@pytest.fixture
def world(beginning: Beginning) -> World:
    return beginning.world


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
    assert isinstance(reply, str | tuple)
    return reply


@pytest.mark.parametrize(
    "scenario",
    [scenario for scenario in SCENARIOS if scenario.name not in NOT_OVER_HTTP],
    ids=lambda scenario: scenario.name,
)
def test_question_ends_as_in_process(world: World, scenario: Scenario) -> None:
    if any(isinstance(reply, errors.Text2SqlError) for reply in scenario.replies):
        scenario = replace(scenario, says="")  # a server's error is told in other words
    replies = map(over_http, scenario.replies)
    reply = world.ask(
        *replies,
        question=scenario.question,
        groups=scenario.groups,
        earlier=scenario.earlier,
        written=scenario.written,
    )
    check_reply(scenario, reply)


def test_verified_query_is_the_answer_without_the_model(world: World) -> None:
    asked = len(world.model.completions)
    reply = world.ask(question="Please: what do the dearest items cost")
    assert reply.rows == ((100.0,), (10.5,))
    assert " ".join(ended(reply)) == f"{BEGIN} {RUN} ComposeAnswer"
    assert len(world.model.completions) == asked
    assert "verified query" in {check.name for check in reply.checks}


@pytest.mark.parametrize(("rewritten", "is_told"), [(WHOLE, False), (PROSE, True)])
def test_draft_is_written_for_the_whole_question_or_with_what_went_before(
    world: World, rewritten: str, is_told: bool
) -> None:
    world.ask(rewritten, GOOD, question="And their names?", earlier=EARLIER)
    system, *turns = world.model.completions[-1].texts
    assert "CREATE TABLE" in system
    assert turns[-1].strip() == ("And their names?" if is_told else WHOLE)
    assert (EARLIER[0].question in turns) == is_told


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


def test_large_result_travels_beside_the_state(world: World) -> None:
    columns = ", ".join(f"number + {10_000_000 + number} AS n{number}" for number in range(6))
    world.model.script([f"SELECT {columns} FROM numbers"])
    job = world.submit()
    execution = world.start(job)
    world.wait(execution)
    reply = world.reply(job)
    assert (len(reply.rows), reply.truncated) == (1000, True)
    assert reply.rows[-1][5] == 10_001_005
    events = world.states.get_execution_history(executionArn=execution, maxResults=1000)["events"]
    assert max(len(json.dumps(event, default=str)) for event in events) < 32_768
    stored = world.cloud.client("s3").head_object(
        Bucket=world.outputs["ParcelsBucket"], Key=f"{job.id}/executed.json"
    )
    assert stored["ContentLength"] > INLINE_BYTES


def test_steps_are_seen_in_the_job(world: World) -> None:
    world.model.script([PROSE, GOOD])
    job = world.submit()
    world.wait(world.start(job))
    found = world.look(job)
    assert found.reply is not None
    assert [record for record in found.steps if record.status != "started"] == list(found.reply.steps)
    assert [record.status for record in found.steps[::2]] == ["started"] * 7
    assert (found.status, found.starts) == ("ended", 1)


# ── what a caller may see ────────────────────────────────────────────────────────────────────────


def test_without_a_policy_every_question_fails_closed(beginning: Beginning) -> None:
    reply = beginning.without_policy
    assert list(ended(reply)) == ["CheckQuestion", "RetrieveContext!INVALID_POLICY"]
    assert (reply.error and reply.error.code, reply.rows) == ("INVALID_POLICY", ())


@pytest.mark.parametrize(
    ("group", "team", "columns", "rows"),
    [
        ("desk", "north", ["ticket_id", "team"], ((1, "north"),)),
        ("lead", "south", ["ticket_id", "team", "text"], ((2, "south", "Broken lamp"),)),
    ],
)
def test_callers_see_the_rows_and_columns_of_their_groups(
    world: World, group: str, team: str, columns: list[str], rows: object
) -> None:
    reply = world.ask("SELECT * FROM tickets", groups=(*EVERYONE, group), team=team)
    assert [column.name for column in reply.columns] == columns
    assert reply.rows == rows


@pytest.mark.parametrize(
    ("groups", "attributes", "code"),
    [
        ((), {}, "ACCESS_DENIED"),
        (("nobody",), {"team": "board"}, "ACCESS_DENIED"),
        (("desk",), {}, "ACCESS_DENIED"),
    ],
)
def test_caller_of_whom_too_little_is_known_is_denied(
    world: World, groups: tuple[str, ...], attributes: dict[str, str], code: str
) -> None:
    reply = world.ask("SELECT * FROM tickets", groups=groups, **attributes)
    assert reply.error is not None
    assert reply.error.code == code


def test_what_is_denied_shows_up_nowhere(world: World) -> None:
    for statement in (
        "SELECT * FROM tickets",
        "SELECT note FROM customers",
        "SELECT * FROM salaries",
        "SELECT text FROM tickets WHERE text LIKE '%'",
        "SELECT team, COUNT(*) FROM tickets GROUP BY team",
    ):
        reply = world.ask(statement, statement, statement, groups=(*EVERYONE, "lead"), team="south")
        assert "hidden-" not in reply.model_dump_json()
    storage, found = world.cloud.client("s3"), []
    for bucket in ("ParcelsBucket", "ResultsBucket"):
        for each in storage.list_objects_v2(Bucket=world.outputs[bucket]).get("Contents", ()):
            body = storage.get_object(Bucket=world.outputs[bucket], Key=each["Key"])["Body"].read()
            found.append(body.decode())
    items = world.cloud.client("dynamodb").scan(TableName=world.outputs["JobsTable"])["Items"]
    machine = world.outputs["AnswerQuestionArn"]
    for execution in world.states.list_executions(stateMachineArn=machine, maxResults=10)["executions"]:
        told = world.states.get_execution_history(executionArn=execution["executionArn"], maxResults=1000)
        found.append(json.dumps(told, default=str))
    logs = world.cloud.client("logs")
    for group in logs.describe_log_groups()["logGroups"]:
        lines = logs.filter_log_events(logGroupName=group["logGroupName"])["events"]
        found.append("\n".join(line["message"] for line in lines))
    found += [json.dumps(items), (world.folder / "ministack.log").read_text("utf-8", "replace")]
    assert "Broken lamp" in json.dumps(found)
    assert [text for text in found if "hidden-" in text] == []


# ── bad input, and what comes twice ──────────────────────────────────────────────────────────────


def test_event_that_no_function_can_read_ends_as_a_failure_without_its_text(world: World) -> None:
    world.model.script([GOOD])
    job = world.submit()
    event = json.loads(world.event(job)) | {"caller": {"groups": 5, "attributes": {"secret": "hunter2"}}}
    world.wait(world.start(job, json.dumps(event)))
    reply = world.reply(job)
    assert reply.error is not None
    assert reply.error.code == "INTERNAL_ERROR"
    assert list(ended(reply)) == ["CheckQuestion", "RetrieveContext!INTERNAL_ERROR"]
    assert "hunter2" not in world.look(job).model_dump_json()


def test_execution_that_is_started_twice_asks_the_model_once(world: World) -> None:
    world.model.script([GOOD])
    asked = len(world.model.completions)
    job = world.submit()
    execution = world.start(job)
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        world.start(job, world.event(job).replace(QUESTION, "Another one?"))
    world.wait(execution)
    assert world.reply(job).outcome == "answered"
    assert len(world.model.completions) == asked + 1


def test_express_machine_answers_at_once(world: World) -> None:
    world.model.script([GOOD])
    job = world.submit()
    ended_as = world.states.start_sync_execution(
        stateMachineArn=world.outputs["AnswerQuestionNowArn"], name=job.id, input=world.event(job)
    )
    assert json.loads(ended_as["output"]) == {"outcome": "answered", "code": None}
    assert world.reply(job).rows == (("Ada",), ("Grace",), ("Linus",))


# ── cancelled and stopped runs ───────────────────────────────────────────────────────────────────

SLOW = "SELECT COUNT(*) FROM numbers AS a CROSS JOIN numbers AS b"
"""Passes the cost gate, just so, and takes many seconds."""
KILL_SECONDS = 3.0
"""Twice as long as it takes on two busy cores."""


def running_query(world: World) -> tuple[Job, str]:
    """Return a job whose query runs, and its execution."""
    world.model.script([SLOW])
    job = world.submit()
    execution = world.start(job)
    wait_until(lambda: [each.step for each in world.look(job).steps][-1:] == ["ExecuteSql"])
    time.sleep(0.2)
    assert world.look(job).status == "running"
    return job, execution


def test_cancel_kills_the_query_and_ends_the_job(world: World) -> None:
    job, execution = running_query(world)
    began = time.monotonic()
    world.jobs.request_cancel(job.id)
    assert world.wait(execution) == "SUCCEEDED"
    assert time.monotonic() - began < KILL_SECONDS
    reply = world.reply(job)
    assert reply.error is not None
    assert reply.error.code == "QUERY_CANCELLED"
    assert list(ended(reply))[-1] == "ExecuteSql!QUERY_CANCELLED"


def test_job_that_was_ended_elsewhere_kills_the_query_and_stays_as_it_ended(world: World) -> None:
    job, execution = running_query(world)
    began = time.monotonic()
    failure = Failure(code="QUERY_CANCELLED", message="The question was cancelled.")
    cancelled = Reply(outcome="failed", question=QUESTION, sentence=failure.message, error=failure)
    assert world.jobs.end(job.id, cancelled)
    world.states.stop_execution(executionArn=execution)
    wait_until(lambda: world.look(job).steps[-1].code == "QUERY_CANCELLED")
    assert time.monotonic() - began < KILL_SECONDS
    assert world.wait(execution) == "ABORTED"
    stopped = {"job_id": job.id, "stopped": "ABORTED"}
    assert world.record(stopped) == {"outcome": "failed", "code": "QUERY_CANCELLED"}
    assert world.look(job).reply == cancelled


def test_execution_that_was_stopped_asks_the_model_no_more_and_is_recorded(world: World) -> None:
    asking, stopped = threading.Event(), threading.Event()

    def reply_late(_: object) -> str:
        asking.set()
        stopped.wait(MODEL_SECONDS / 2)
        return PROSE

    world.model.script([reply_late, GOOD])
    asked = len(world.model.completions)
    job = world.submit()
    execution = world.start(job)
    assert asking.wait(END_SECONDS)
    world.states.stop_execution(executionArn=execution)
    stopped.set()
    assert world.wait(execution) == "ABORTED"
    told = world.record({"job_id": job.id, "stopped": "ABORTED"})
    assert told == {"outcome": "failed", "code": "JOB_INTERRUPTED"}
    time.sleep(0.5)
    assert len(world.model.completions) == asked + 1
    reply = world.reply(job)
    assert reply.question == QUESTION
    assert list(ended(reply))[:2] == BEGIN.split()
