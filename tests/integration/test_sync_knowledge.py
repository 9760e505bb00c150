"""The sync of documents in a local cloud: from an upload to the question, and to its end."""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from local_cloud import LocalCloud
from processes import free_port
from small_shop import write_small_shop

CLOUD = Path(__file__).resolve().parents[2] / ".venv-cloud"
POLICY = "groups: {everyone: {tables: {customers: {}}}}"
USED_SECONDS = 10.0
"""An upload must be used by a question within this time."""
PATIENCE = 180.0
"""Seconds until what nobody waits for must be done, also on a machine that does other things."""
UPLOADS = 40
GLOSSARY = "- **Loyal customer**: one with a segment.\n"
QUESTION = "How many loyal customers are there?"


class World:
    """The deployed stack, and its bucket of knowledge."""

    def __init__(self, cloud: LocalCloud, outputs: Mapping[str, str], shop: Path) -> None:
        self.shop = shop
        self.bucket = outputs["KnowledgeBucket"]
        self.machine = outputs["SyncKnowledgeArn"]
        self.storage = cloud.client("s3")
        self.states = cloud.client("stepfunctions")
        self._functions = cloud.client("lambda")

    def put(self, name: str, body: str | bytes) -> None:
        self.storage.put_object(Bucket=self.bucket, Key=f"documents/{name}", Body=body)

    def delete(self, name: str) -> None:
        self.storage.delete_object(Bucket=self.bucket, Key=f"documents/{name}")

    def retrieved(self, question: str) -> dict[str, Any]:
        """Return what RetrieveContext finds for a question."""
        (name,) = [
            function["FunctionName"]
            for function in self._functions.list_functions(MaxItems=50)["Functions"]
            if "RetrieveContext" in function["FunctionName"]
        ]
        event = {
            "job_id": "job-1",
            "question": question,
            "caller": {"groups": ["everyone"], "attributes": {}},
        }
        done = self._functions.invoke(FunctionName=name, Payload=json.dumps(event))
        context: dict[str, Any] = json.loads(json.loads(done["Payload"].read())["output"]["context"]["text"])
        return context

    def told(self, question: str) -> list[str]:
        """Return the sources of what is told with a question."""
        return [passage["source"] for passage in self.retrieved(question)["passages"]]

    def begin(self, name: str) -> None:
        """Begin a sync, as the schedule does."""
        self.states.start_execution(stateMachineArn=self.machine, name=name)

    def syncs(self) -> list[dict[str, Any]]:
        """Return the history, the newest first; nothing before the first sync has ended."""
        try:
            found = self.storage.get_object(Bucket=self.bucket, Key="index/syncs.json")
        except self.storage.exceptions.NoSuchKey:
            return []
        history: list[dict[str, Any]] = json.loads(found["Body"].read())["syncs"]
        return history

    def executions(self) -> list[dict[str, Any]]:
        """Return all executions of the sync."""
        listed: list[dict[str, Any]] = self.states.list_executions(
            stateMachineArn=self.machine, maxResults=1000
        )["executions"]
        return listed

    def failures(self) -> set[str]:
        """Return the errors of all tasks of all executions, also of those that were tried again."""
        return {
            event["taskFailedEventDetails"]["error"]
            for each in self.executions()
            for event in self.states.get_execution_history(
                executionArn=each["executionArn"], maxResults=1000
            )["events"]
            if "taskFailedEventDetails" in event
        }


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("sync")
    shop = write_small_shop(folder / "shop.db")
    variables = {
        "TEXT2SQL_DATABASE_URL": f"sqlite:///{shop}",
        "TEXT2SQL_CACHE_DIR": str(folder / "cache"),
        "TEXT2SQL_MODEL_PROVIDER": "bedrock",  # which nobody asks
    }
    with LocalCloud(folder, free_port(), CLOUD / "bin" / "python", wait_scale=0.1) as cloud:
        world = World(cloud, cloud.deploy("sync", variables), shop)
        world.storage.put_object(Bucket=world.bucket, Key="policy.yaml", Body=POLICY)
        yield world


def wait_until(holds: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_upload_is_used_by_a_question_within_ten_seconds_and_gone_after_its_deletion(world: World) -> None:
    assert world.told(QUESTION) == []
    world.put("glossary.md", GLOSSARY)
    source = "document: glossary.md, Loyal customer"
    wait_until(lambda: world.told(QUESTION) == [source], USED_SECONDS)
    world.delete("glossary.md")
    wait_until(lambda: world.told(QUESTION) == [], USED_SECONDS)


def test_storm_of_uploads_makes_few_syncs_and_poison_leaves_the_others_indexed(world: World) -> None:
    before = len(world.executions())
    with ThreadPoolExecutor(8) as together:
        for number in range(UPLOADS):
            text = f"Rule {number} says that parcels are sent on day {number}."
            together.submit(world.put, f"rule {number}.txt", text)
    world.put("broken.pdf", b"%PDF-1.4")
    world.put("folder/deep.md", "text")
    world.put("page.html", "<p>text")
    wait_until(lambda: _counted(world)["indexed"] > UPLOADS and _counted(world)["failed"] >= 3, PATIENCE)
    wait_until(lambda: all(each["status"] != "RUNNING" for each in world.executions()), PATIENCE)
    assert {each["status"] for each in world.executions()} == {"SUCCEEDED"}
    assert len(world.executions()) - before <= UPLOADS / 2
    assert world.failures() <= {"Lambda.TooManyRequestsException"}, "one works at a time, the others wait"
    assert world.told("What does rule 7 say of the day that parcels are sent?")


def test_schedule_reads_the_schema_anew_and_tells_how_much_has_changed(world: World) -> None:
    policy = "groups: {everyone: {tables: {customers: {}, gifts: {}}}}"
    index = world.storage.list_objects_v2(Bucket=world.bucket, Prefix="index/catalog")
    assert index["KeyCount"] == 0, "changes of documents ask the database nothing"
    world.begin("night-1")
    wait_until(lambda: _recorded(world, "night-1") is not None, PATIENCE)
    with closing(sqlite3.connect(world.shop)) as shop, shop:
        shop.execute("CREATE TABLE gifts (id INTEGER PRIMARY KEY, ribbon TEXT)")
    world.storage.put_object(Bucket=world.bucket, Key="policy.yaml", Body=policy)
    world.begin("night-2")
    wait_until(lambda: _recorded(world, "night-2") is not None, PATIENCE)
    record = _recorded(world, "night-2")
    assert record is not None
    assert (record["state"], record["schema_changes"], record["misfits"]) == ("done", 1, 0)
    stored = world.storage.get_object(Bucket=world.bucket, Key="index/catalog.json")["Body"].read()
    assert b"ribbon" in stored


def _recorded(world: World, name: str) -> dict[str, Any] | None:
    return next((each for each in world.syncs() if each["id"] == name), None)


def _counted(world: World) -> dict[str, int]:
    history = world.syncs()
    return {kind: sum(each[kind] for each in history) for kind in ("indexed", "failed")}
