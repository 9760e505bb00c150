"""The job store in the cloud, on a stand-in for DynamoDB and S3: the contract, and what is its own."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from moto import mock_aws

from cloud_tables import create_table
from job_store_contract import MANY, JobStoreContract, answered, job, step
from text2sql.errors import InvalidQuestion, JobStoreUnavailable, TooManyJobs
from text2sql.jobs import dynamodb
from text2sql.jobs.cloud import CloudJobStore, open_cloud_store
from text2sql.jobs.dynamodb import MOST_STEPS, SUBMIT_TRIES, DynamoJobStore
from text2sql.jobs.s3 import S3ResultStore


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[CloudJobStore]:
    for name, value in (("ACCESS_KEY_ID", "x"), ("SECRET_ACCESS_KEY", "x"), ("DEFAULT_REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    lock, call = RLock(), BaseClient._make_api_call  # type: ignore[attr-defined]

    def call_alone(*arguments: Any) -> Any:
        with lock:  # moto looks and writes in two moves, where DynamoDB has one
            return call(*arguments)

    monkeypatch.setattr(BaseClient, "_make_api_call", call_alone)
    with mock_aws():
        create_table(boto3.client("dynamodb"), "Jobs", "jobs")
        boto3.client("s3").create_bucket(Bucket="results")
        yield open_cloud_store("jobs", "results")


class TestCloud(JobStoreContract):
    pass


class Answering:
    """A client whose call of one name answers with the errors of a list, then as the real one."""

    def __init__(self, name: str, *errors: ClientError) -> None:
        self._client = boto3.client("dynamodb")
        self._name = name
        self.errors = list(errors)

    def __getattr__(self, name: str) -> Any:
        if name == self._name and self.errors:
            raise self.errors.pop(0)
        return getattr(self._client, name)


def with_errors(name: str, *errors: ClientError) -> DynamoJobStore:
    client = Answering(name, *errors)
    return DynamoJobStore("jobs", lambda: client, S3ResultStore("results", lambda: None))


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "hunter2"}}, "Call")


def broken_off(*reasons: str) -> ClientError:
    told = {"Code": "TransactionCanceledException", "Message": "hunter2"}
    response: Any = {"Error": told, "CancellationReasons": [{"Code": each} for each in reasons]}
    return ClientError(response, "TransactWriteItems")


@pytest.fixture
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait between two tries."""
    monkeypatch.setattr(dynamodb, "_WAIT_SECONDS", 0)


def item(key: str) -> dict[str, Any]:
    found: dict[str, Any] = boto3.client("dynamodb").get_item(TableName="jobs", Key={"id": {"S": key}})
    return found.get("Item", {})


def owners_jobs() -> set[str]:
    keys = [each["id"]["S"] for each in boto3.client("dynamodb").scan(TableName="jobs")["Items"]]
    (key,) = [key for key in keys if key.startswith("owner#")]
    return set(item(key).get("jobs", {"SS": []})["SS"])


# ── an owner's unfinished jobs ───────────────────────────────────────────────────────────────────


def test_no_more_than_the_most_are_kept_of_many_at_once(store: CloudJobStore) -> None:
    def submit(number: int) -> bool:
        try:
            return bool(store.submit(job(number), 5))
        except TooManyJobs:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(submit, range(1, 21))) == 5
    assert len(store.unfinished()) == 5


@pytest.mark.usefixtures("_at_once")
def test_jobs_that_get_into_each_others_way_are_tried_again(store: CloudJobStore) -> None:
    del store
    conflict = broken_off("None", "TransactionConflict")
    assert with_errors("transact_write_items", conflict, conflict).submit(job(), MANY).id == job().id
    with pytest.raises(JobStoreUnavailable) as caught:
        with_errors("transact_write_items", *[conflict] * SUBMIT_TRIES).submit(job(2), MANY)
    assert "hunter2" not in caught.value.message


def test_jobs_that_ended_or_expired_unnoticed_make_room(store: CloudJobStore) -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    for number, fields in ((1, {}), (2, {"expires_at": past}), (3, {})):
        store.submit(job(number, **fields), 3)
    lost = with_errors("nothing")
    lost._forget = _broken  # type: ignore[method-assign]  # the process ends between two writes
    assert lost.end(job(1).id, answered())
    assert owners_jobs() == {job(number).id for number in (1, 2, 3)}
    store.submit(job(4), 3)
    assert owners_jobs() == {job(3).id, job(4).id}


def _broken(*_: object) -> None:
    raise JobStoreUnavailable("gone")


def test_job_that_ended_is_taken_off_the_list(store: CloudJobStore) -> None:
    store.submit(job(1), MANY)
    store.submit(job(2), MANY)
    store.end(job(1).id, answered())
    assert owners_jobs() == {job(2).id}


# ── what an item holds ───────────────────────────────────────────────────────────────────────────


def test_item_is_forgotten_by_the_clock_and_holds_no_name_as_its_key(store: CloudJobStore) -> None:
    kept = store.submit(job(session="s"), MANY)
    found = item(kept.id)
    assert int(found["expires"]["N"]) >= kept.expires_at.timestamp() > int(found["expires"]["N"]) - 2
    assert {len(found[name]["S"]) for name in ("owner", "session")} == {64}


def test_large_reply_is_beside_the_item_and_a_small_one_in_it(store: CloudJobStore) -> None:
    for number, length in ((1, 10), (2, 100_000)):
        store.submit(job(number), MANY)
        store.end(job(number).id, answered().model_copy(update={"draft": "x" * length}))
    assert {"reply"} == {name for name in item(job(1).id) if name.startswith("reply")}
    assert {"reply_key"} == {name for name in item(job(2).id) if name.startswith("reply")}
    boto3.client("s3").delete_object(Bucket="results", Key=item(job(2).id)["reply_key"]["S"])
    with pytest.raises(JobStoreUnavailable):
        store.find(job(2).id)


def test_question_that_would_not_fit_is_refused(store: CloudJobStore) -> None:
    with pytest.raises(InvalidQuestion):
        store.submit(job(question="ä" * 70_000), MANY)
    assert store.unfinished() == ()


def test_job_that_tells_too_much_stays_within_bounds(
    store: CloudJobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(step().model_dump_json()) * 2 * MOST_STEPS < 200_000
    monkeypatch.setattr(dynamodb, "MOST_STEPS", 3)
    store.submit(job(), MANY)
    for _ in range(5):
        assert store.add_step(job().id, step())
    store.request_cancel(job().id)
    assert not store.add_step(job().id, step())
    assert len(getattr(store.find(job().id), "steps", ())) == 3


def test_what_is_not_there_is_not_made(store: CloudJobStore) -> None:
    assert store.add_step("nothing", step())
    assert store.is_wanted("nothing")
    assert store.start("nothing") is None
    assert item("nothing") == {}


# ── pages and failures ───────────────────────────────────────────────────────────────────────────


def test_lists_go_on_where_a_page_ends(store: CloudJobStore) -> None:
    """A page of a query holds 1 MB at most, and what has expired counts."""
    for number in range(1, 13):
        past = datetime.now(UTC) - timedelta(seconds=1)
        store.submit(job(number, question="ä" * 60_000, **({"expires_at": past} if number > 9 else {})), MANY)
    assert [int(each.id) for each in store.unfinished()] == list(range(1, 10))
    assert [int(each.id) for each in store.history("ada", 2)] == [9, 8]
    assert len(store.history("ada", 100)) == 9


def test_store_that_is_gone_says_so_without_its_inner_text(store: CloudJobStore) -> None:
    boto3.client("dynamodb").delete_table(TableName="jobs")
    boto3.client("s3").delete_bucket(Bucket="results")
    for call in (
        lambda: store.find("x"),
        lambda: store.submit(job(), MANY),
        lambda: store.end("x", answered()),
        lambda: store.add_step("x", step()),
        store.unfinished,
        lambda: store.put_rows("x", ["[1]"]),
        lambda: store.get_rows("x", 0, 1),
    ):
        with pytest.raises(JobStoreUnavailable) as caught:
            call()
        assert "exist" not in caught.value.message


def test_client_that_cannot_be_made_is_unavailable(
    store: CloudJobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(JobStoreUnavailable):
        store.find("x")
