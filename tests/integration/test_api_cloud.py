"""The API in front of the state machine in a local cloud: questions, streams, cancels, and a kill."""

import csv
import io
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import api_server
from api_server import Server
from api_world import CLIENT, ISSUER, Issuer
from local_cloud import LocalCloud
from model_server import ScriptedModelServer
from processes import free_port
from small_shop import write_small_shop
from text2sql_api.workflow.step_functions import SETTLE_SECONDS

CLOUD = Path(__file__).resolve().parents[2] / ".venv-cloud"
QUESTION = "What are the customers called?"
GOOD = "```sql\nSELECT name FROM customers ORDER BY customer_id\n```"
SLOW = "```sql\nSELECT COUNT(*) FROM " + ", ".join(f"orders AS o{number}" for number in range(30)) + "\n```"
STEPS = "CheckQuestion RetrieveContext GenerateSql ValidateSql ExecuteSql ComposeAnswer".split()
POLICY = """
attributes:
  segment: text
groups:
  sales:
    tables:
      customers: {}
      orders: {}
  support:
    tables:
      customers: {rows: "segment = {caller.segment}"}
"""
SERVER_SECONDS = 15.0


@dataclass
class World:
    cloud: LocalCloud
    model: ScriptedModelServer
    outputs: dict[str, str]
    settings: dict[str, str]
    issuer: Issuer
    folder: Path

    @contextmanager
    def serving(self) -> Iterator[Server]:
        """Lend an API process; its client is ada of the group sales."""
        with api_server.serving(self.folder, self.settings) as server:
            server.http.headers["Authorization"] = self.token("ada", "sales")
            yield server

    def token(self, subject: str, *groups: str, **claims: Any) -> str:
        return f"Bearer {self.issuer.token(subject, *groups, **claims)}"

    def executions(self, machine: str = "AnswerQuestionArn") -> Counter[str]:
        """Return how often each name was executed."""
        states = self.cloud.client("stepfunctions")
        pages = states.get_paginator("list_executions").paginate(stateMachineArn=self.outputs[machine])
        return Counter(each["name"] for page in pages for each in page["executions"])


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("cloud")
    shop = write_small_shop(folder / "shop.db")
    issuer = Issuer()
    keys = folder / "keys"
    keys.mkdir()
    (keys / "jwks.json").write_bytes(issuer.publish())
    published = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(keys)))
    threading.Thread(target=published.serve_forever, args=(0.02,), daemon=True).start()
    pipeline = {
        "TEXT2SQL_DATABASE_URL": f"sqlite:///{shop}",
        "TEXT2SQL_CACHE_DIR": str(folder / "cache"),
        "TEXT2SQL_JOIN_ROWS": str(10**100),
    }
    with (
        published,
        ScriptedModelServer() as model,
        LocalCloud(folder, free_port(), CLOUD / "bin" / "python", wait_scale=0.01) as cloud,
    ):
        outputs = cloud.deploy(
            "text2sql",
            {
                **pipeline,
                "TEXT2SQL_MODEL_PROVIDER": "openai",
                "TEXT2SQL_MODEL_NAME": model.models[0],
                "TEXT2SQL_MODEL_BASE_URL": model.base_url,
            },
        )
        cloud.client("s3").put_object(
            Bucket=outputs["KnowledgeBucket"], Key="policy.yaml", Body=POLICY.encode()
        )
        settings = {
            **cloud.environment,
            **pipeline,
            "TEXT2SQL_KNOWLEDGE_BUCKET": outputs["KnowledgeBucket"],
            "TEXT2SQL_API_ISSUER": ISSUER,
            "TEXT2SQL_API_JWKS_URL": f"http://127.0.0.1:{published.server_port}/jwks.json",
            "TEXT2SQL_API_CLIENT_IDS": CLIENT,
            "TEXT2SQL_API_TOKEN_USE": "access",
            "TEXT2SQL_API_ATTRIBUTE_CLAIMS": "segment=custom:segment",
            "TEXT2SQL_API_REQUESTS_PER_MINUTE": "1000000",
            "TEXT2SQL_API_STATE_MACHINE": outputs["AnswerQuestionArn"],
            "TEXT2SQL_API_STATE_MACHINE_NOW": outputs["AnswerQuestionNowArn"],
            "TEXT2SQL_API_JOBS_TABLE": outputs["JobsTable"],
            "TEXT2SQL_API_RESULTS_BUCKET": outputs["ResultsBucket"],
        }
        yield World(cloud, model, outputs, settings, issuer, folder)
        published.shutdown()


@pytest.fixture
def server(world: World) -> Iterator[Server]:
    world.model.script([GOOD])
    with world.serving() as served:
        yield served


def ended(job: dict[str, Any]) -> list[str]:
    return [step["step"] for step in job["steps"] if step["status"] == "succeeded"]


def test_question_is_answered_with_its_steps_its_sql_and_its_rows(world: World, server: Server) -> None:
    job_id = server.ask(QUESTION)
    job = server.wait_for(job_id)
    answer = job["answer"]
    assert answer["outcome"] == "answered", answer
    assert answer["sql"].startswith("SELECT\n  name\nFROM")
    assert answer["rows"] == [["Ada"], ["Grace"], ["Linus"]]
    assert ended(job) == STEPS
    assert job["created_at"] <= job["started_at"] <= job["ended_at"]
    assert answer["usage"]["prompt_tokens"] == 100
    rows = server.http.get(f"/v1/queries/{job_id}/rows?limit=2").json()
    assert rows["rows"] == [["Ada"], ["Grace"]]
    more = server.http.get(f"/v1/queries/{job_id}/rows?cursor={rows['next']}").json()
    assert (more["rows"], more["next"]) == ([["Linus"]], None)
    file = server.http.get(f"/v1/queries/{job_id}/rows.csv").text
    assert list(csv.reader(io.StringIO(file))) == [["name"], ["Ada"], ["Grace"], ["Linus"]]
    assert world.executions()[job_id] == 1


def test_question_that_is_waited_for_runs_at_once(world: World, server: Server) -> None:
    before = world.executions().total()
    began = time.monotonic()
    reply = server.http.post("/v1/queries:run", json={"question": QUESTION})
    assert reply.status_code == 200, reply.text
    assert reply.json()["answer"]["row_count"] == 3
    assert time.monotonic() - began < SERVER_SECONDS
    assert world.executions().total() == before
    again = server.http.post("/api/query", json={"query": QUESTION})
    assert again.json()["answer"]["outcome"] == "answered"


def test_service_is_ready(server: Server) -> None:
    reply = server.http.get("/readyz")
    assert (reply.status_code, reply.json()) == (200, {"database": "ok", "workflow": "ok", "model": "ok"})


def test_events_tell_the_steps_while_they_are_worked_on(world: World, server: Server) -> None:
    goes_on = threading.Event()
    world.model.script([lambda _: GOOD if goes_on.wait(20) else ""])
    job_id = server.ask(QUESTION)
    with server.http.stream("GET", f"/v1/queries/{job_id}/events") as stream:
        lines = stream.iter_lines()
        for line in lines:
            if '"GenerateSql"' in line:
                break
        assert not goes_on.is_set()
        goes_on.set()
        told = [json.loads(line[6:]) for line in lines if line.startswith("data: ")]
    assert [each["step"] for each in told[:-1] if each["status"] == "succeeded"] == STEPS[2:]
    assert told[-1]["outcome"] == "answered"


def test_cancelled_question_ends_at_once_and_its_query_soon(world: World, server: Server) -> None:
    world.model.script([SLOW])
    job_id = server.ask(QUESTION)
    api_server.until(lambda: "ExecuteSql" in server.http.get(f"/v1/queries/{job_id}").text)
    reply = server.http.delete(f"/v1/queries/{job_id}")
    assert (reply.status_code, reply.json()["status"]) == (200, "ended")
    assert reply.json()["answer"]["error"]["code"] == "QUERY_CANCELLED"
    states = world.cloud.client("stepfunctions")
    execution = f"{world.outputs['AnswerQuestionArn'].replace('stateMachine', 'execution')}:{job_id}"
    assert states.describe_execution(executionArn=execution)["status"] == "ABORTED"
    api_server.until(lambda: _failed(server, job_id, "ExecuteSql") == "QUERY_CANCELLED")


def _failed(server: Server, job_id: str, step: str) -> str | None:
    steps = server.http.get(f"/v1/queries/{job_id}").json()["steps"]
    return next((each["code"] for each in steps if each["step"] == step and each["code"]), None)


def test_client_that_waits_and_goes_away_cancels_its_question(world: World, server: Server) -> None:
    world.model.script([SLOW])
    with pytest.raises(api_server.httpx.ReadTimeout):
        server.http.post("/v1/queries:run", json={"question": "Slow?"}, timeout=3)
    job_id = server.http.get("/v1/queries").json()["queries"][0]["id"]
    assert server.wait_for(job_id)["answer"]["error"]["code"] == "QUERY_CANCELLED"


def test_callers_see_what_their_groups_and_attributes_show(world: World, server: Server) -> None:
    token = world.token("eve", "support", **{"custom:segment": "Corporate"})
    eve = {"Authorization": token}
    reply = server.http.post("/v1/queries:run", json={"question": QUESTION}, headers=eve)
    assert reply.json()["answer"]["rows"] == [["Ada"]], reply.text
    schema = server.http.get("/v1/datasources/shop/schema", headers=eve).json()
    assert [table["name"] for table in schema["tables"]] == ["customers"]
    assert server.http.get(f"/v1/queries/{reply.json()['id']}").status_code == 404


def test_follow_up_question_is_told_what_went_before(world: World, server: Server) -> None:
    asked = {"session": f"s-{time.monotonic_ns()}"}
    for question in ("First?", "And then?"):
        reply = server.http.post("/v1/queries:run", json={"question": question, **asked})
        assert reply.json()["answer"]["outcome"] == "answered"
        time.sleep(0.1)
    assert any("First?" in text for text in world.model.completions[-1].texts)


def test_eight_at_once_are_all_answered(server: Server) -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(server.ask, [f"Question q{number}?" for number in range(8)]))
    jobs = [server.wait_for(job_id, seconds=60) for job_id in ids]
    assert {job["answer"]["outcome"] for job in jobs} == {"answered"}
    assert [ended(job) for job in jobs] == [STEPS] * 8


def test_question_whose_api_process_is_killed_is_answered_and_readable_after(world: World) -> None:
    goes_on = threading.Event()
    world.model.script([lambda _: GOOD if goes_on.wait(20) else ""])
    key = {"Idempotency-Key": f"k-{time.monotonic_ns()}"}
    with world.serving() as server:
        job_id = server.ask(QUESTION, **key)
        api_server.until(lambda: "GenerateSql" in server.http.get(f"/v1/queries/{job_id}").text)
        server.kill()
    goes_on.set()
    with world.serving() as server:
        job = server.wait_for(job_id)
        assert job["answer"]["rows"] == [["Ada"], ["Grace"], ["Linus"]]
        assert ended(job) == STEPS
        assert server.ask(QUESTION, **key) == job_id
    assert world.executions()[job_id] == 1


def test_question_that_was_kept_and_not_begun_is_begun_by_the_next_process(world: World) -> None:
    world.model.script([GOOD])
    settings = {**world.settings, "AWS_ENDPOINT_URL_SFN": "http://127.0.0.1:9"}
    with api_server.serving(world.folder, settings) as server:
        server.http.headers["Authorization"] = world.token("ada", "sales")
        asked = time.monotonic()
        job_id = server.ask(QUESTION)
        assert server.http.get("/readyz").json()["workflow"] == "STOPPED"
    assert job_id not in world.executions()
    time.sleep(max(0.0, asked + SETTLE_SECONDS - time.monotonic()))
    with world.serving() as server:
        assert server.wait_for(job_id, seconds=30)["answer"]["outcome"] == "answered"
    assert world.executions()[job_id] == 1
