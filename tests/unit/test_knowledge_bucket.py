"""The knowledge and the policy of a bucket: asked for once a minute, followed, and never left out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws

from small_shop import write_small_shop
from text2sql import services
from text2sql.cli.options import CallerOptions
from text2sql.datasource.knowledge_bucket import FRESH_SECONDS, KnowledgeBucket
from text2sql.datasource.policy.access import Caller, Claims
from text2sql.datasource.s3 import connect_to_s3
from text2sql.errors import (
    AccessDenied,
    InvalidKnowledge,
    InvalidPolicy,
    InvalidSettings,
    KnowledgeBaseUnavailable,
)
from text2sql.settings import Settings

POLICY = """
attributes: {customer: integer}
groups:
  everyone: {tables: {customers: {}, orders: {rows: "customer_id = {caller.customer}"}}}
"""
NARROW = "groups: {everyone: {tables: {customers: {deny: [segment]}}}}"


class Clock:
    """Seconds that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class CountingClient:
    """Counts what is fetched whole, and what is only asked for; fails when it is told to."""

    def __init__(self) -> None:
        self.client = boto3.client("s3")
        self.asked = self.fetched = 0
        self.error: Exception | None = None

    def get_object(self, **request: str) -> Any:
        self.asked += 1
        if self.error:
            raise self.error
        found = self.client.get_object(**request)
        self.fetched += 1
        return found


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[CountingClient]:
    for name, value in (("ACCESS_KEY_ID", "x"), ("SECRET_ACCESS_KEY", "x"), ("DEFAULT_REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    with mock_aws():
        client = CountingClient()
        client.client.create_bucket(Bucket="known")
        put("policy.yaml", POLICY)
        yield client


@pytest.fixture
def bucket(client: CountingClient, clock: Clock, tmp_path: Path) -> KnowledgeBucket:
    return KnowledgeBucket("known", tmp_path / "cache" / "knowledge", lambda: client, clock)


@pytest.fixture
def settings(
    client: CountingClient, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """Return settings that name the bucket, whose clock is the test's."""
    opened = KnowledgeBucket("known", tmp_path / "knowledge", lambda: client, clock)
    monkeypatch.setattr(services, "open_knowledge_bucket", lambda *_: opened)  # it makes its own clock
    shop = write_small_shop(tmp_path / "shop.db")
    return Settings(database_url=f"sqlite:///{shop}", knowledge_bucket="known", cache_dir=tmp_path)


def put(name: str, text: str | bytes) -> None:
    boto3.client("s3").put_object(Bucket="known", Key=name, Body=text)


def test_files_are_fetched_once_and_asked_for_again_after_a_minute(
    bucket: KnowledgeBucket, client: CountingClient, clock: Clock
) -> None:
    put("glossary.yaml", "terms: []")
    first = bucket.fetch()
    assert first.knowledge is not None
    assert {path.name for path in first.knowledge.iterdir()} == {"policy.yaml", "glossary.yaml"}
    assert (client.asked, client.fetched) == (5, 2)
    clock.now = FRESH_SECONDS - 1
    assert bucket.fetch() == first
    assert client.asked == 5
    clock.now = FRESH_SECONDS
    assert bucket.fetch() == first
    assert (client.asked, client.fetched) == (10, 2)


def test_file_that_changes_or_goes_does_so_here(bucket: KnowledgeBucket, clock: Clock) -> None:
    put("glossary.yaml", "terms: []")
    before = bucket.fetch()
    assert before.policy is not None
    put("policy.yaml", NARROW)
    boto3.client("s3").delete_object(Bucket="known", Key="glossary.yaml")
    clock.now = FRESH_SECONDS
    after = bucket.fetch()
    assert after.version != before.version
    assert before.policy.read_text("utf-8") == NARROW
    assert [path.name for path in before.policy.parent.iterdir()] == ["policy.yaml"]


def test_files_are_for_this_user_alone(bucket: KnowledgeBucket) -> None:
    policy = bucket.fetch().policy
    assert policy is not None
    assert policy.stat().st_mode & 0o777 == 0o600
    assert policy.parent.stat().st_mode & 0o777 == 0o700


def test_missing_policy_is_an_error_until_there_is_one(bucket: KnowledgeBucket) -> None:
    boto3.client("s3").delete_object(Bucket="known", Key="policy.yaml")
    for _ in range(2):
        with pytest.raises(InvalidPolicy):
            bucket.fetch()
    put("policy.yaml", POLICY)
    assert bucket.fetch().policy


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="hunter2"),
        ClientError({"Error": {"Code": "AccessDenied", "Message": "hunter2"}}, "GetObject"),
        ClientError({"Error": {"Code": "NoSuchBucket", "Message": "hunter2"}}, "GetObject"),
    ],
)
def test_bucket_that_does_not_answer_is_unavailable_and_what_is_here_is_not_used(
    bucket: KnowledgeBucket, client: CountingClient, clock: Clock, error: Exception
) -> None:
    bucket.fetch()
    clock.now, client.error = FRESH_SECONDS, error
    for _ in range(2):
        with pytest.raises(KnowledgeBaseUnavailable) as caught:
            bucket.fetch()
        assert "hunter2" not in caught.value.message
    client.error = None
    assert bucket.fetch().policy


def test_file_that_is_no_text_is_refused(bucket: KnowledgeBucket) -> None:
    put("policy.yaml", "groups: {}".encode("utf-16"))
    with pytest.raises(InvalidKnowledge):
        bucket.fetch()


def test_claims_get_the_types_of_the_policy_and_what_cannot_be_read_denies(settings: Settings) -> None:
    access = services.open_access(settings, Claims(groups=("everyone",), attributes={"customer": "7"}))
    assert access.attributes == {"customer": 7}
    for claims in (
        Claims(groups=("everyone",), attributes={"customer": "seven"}),
        Claims(groups=("everyone",)),
        Claims(attributes={"customer": "7"}),
    ):
        with pytest.raises(AccessDenied):
            services.open_access(settings, claims)


def test_services_follow_the_bucket(settings: Settings, clock: Clock) -> None:
    opened = services.open_services(settings)
    caller = Caller(groups=("everyone",), attributes={"customer": 1})
    assert {table.name for table in opened.access(caller).catalog.tables} == {"customers", "orders"}
    first = opened.catalog()
    assert opened.catalog() is first
    put("policy.yaml", NARROW)
    clock.now = FRESH_SECONDS
    assert {table.name for table in opened.access(caller).catalog.tables} == {"customers"}
    put("catalog.yaml", "tables: {customers: {description: Who buys.}}")
    put("glossary.yaml", "terms: [{term: revenue, meaning: The total.}]")
    assert opened.catalog() == first
    clock.now = 2 * FRESH_SECONDS
    (customers,) = opened.access(caller).catalog.tables
    assert customers.description == "Who buys."
    assert "segment" not in {column.name for column in customers.columns}
    assert opened.knowledge_base.retrieve("What is our revenue?", 4)


def test_services_answer_nobody_once_the_policy_is_gone(
    settings: Settings, client: CountingClient, clock: Clock
) -> None:
    opened = services.open_services(settings)
    caller = Caller(groups=("everyone",), attributes={"customer": 1})
    opened.access(caller)
    clock.now, client.error = FRESH_SECONDS, EndpointConnectionError(endpoint_url="x")
    with pytest.raises(KnowledgeBaseUnavailable):
        opened.access(caller)
    client.error = None
    boto3.client("s3").delete_object(Bucket="known", Key="policy.yaml")
    with pytest.raises(InvalidPolicy):
        opened.access(caller)


def test_command_line_reads_attributes_as_the_policy_of_the_bucket_says(settings: Settings) -> None:
    asked = CallerOptions(policy=None, groups=("everyone",), attributes=("customer=7",))
    assert asked.read(settings) == Caller(groups=("everyone",), attributes={"customer": 7})


@pytest.mark.parametrize("named", [{"policy_file": Path("policy.yaml")}, {"knowledge_dir": Path()}])
def test_bucket_beside_files_is_refused(settings: Settings, named: dict[str, Path]) -> None:
    for use in (services.open_services, services.open_access, services.open_retrieval):
        with pytest.raises(InvalidSettings):
            use(settings.model_copy(update=named))


@pytest.mark.usefixtures("client")
def test_bucket_is_opened_once(tmp_path: Path) -> None:
    opened = services.open_knowledge_bucket("known", tmp_path)
    assert services.open_knowledge_bucket("known", tmp_path) is opened
    assert opened.fetch().policy
    assert connect_to_s3().meta.config.retries["total_max_attempts"] == 3
