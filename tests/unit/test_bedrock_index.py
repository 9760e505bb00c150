"""What the index behind a knowledge base asks of Bedrock and S3, and how it tells errors."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError
from botocore.stub import Stubber
from moto import mock_aws

from document_index_contract import ACTIVE, FREIGHT, LOYAL, WHO_IS_ACTIVE, put
from text2sql.documents.bedrock import BedrockIndex, IngestionFailure, IngestionState
from text2sql.documents.bedrock_errors import connect
from text2sql.documents.manifest import Manifest, key_of
from text2sql.documents.port import Section
from text2sql.errors import InvalidSettings, KnowledgeBaseUnavailable, Text2SqlError

BASE, SOURCE, JOB = "KB12345678", "DS12345678", "IJ12345678"
IDS = {"knowledgeBaseId": BASE, "dataSourceId": SOURCE}


class World:
    """A bucket, and Bedrock's clients with answers that a test sets."""

    def __init__(self) -> None:
        self.clients = {name: boto3.client(name) for name in ("s3", "bedrock-agent", "bedrock-agent-runtime")}
        self.agent = Stubber(self.clients["bedrock-agent"])
        self.runtime = Stubber(self.clients["bedrock-agent-runtime"])
        self.clients["s3"].create_bucket(Bucket="known")

    def open(self, datasource: str = "shop", policy: str = "") -> BedrockIndex:
        manifest = Manifest("known", datasource, lambda: self.clients["s3"], policy)
        return BedrockIndex(BASE, SOURCE, manifest, self.clients.__getitem__)

    def objects(self) -> dict[str, str]:
        """Return the sections and what lies beside them, by key."""
        storage = self.clients["s3"]
        listed = storage.list_objects_v2(Bucket="known", Prefix="sections/").get("Contents", ())
        return {
            each["Key"]: storage.get_object(Bucket="known", Key=each["Key"])["Body"].read().decode()
            for each in listed
        }


def described(status: str) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "knowledgeBase": {
            "knowledgeBaseId": BASE,
            "name": "documents",
            "knowledgeBaseArn": f"arn:aws:bedrock:us-east-1:123456789012:knowledge-base/{BASE}",
            "roleArn": "arn:aws:iam::123456789012:role/reader",
            "knowledgeBaseConfiguration": {"type": "VECTOR"},
            "status": status,
            "createdAt": now,
            "updatedAt": now,
        }
    }


def job(status: str, **fields: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "ingestionJob": {
            **IDS,
            "ingestionJobId": JOB,
            "status": status,
            "startedAt": now,
            "updatedAt": now,
            **fields,
        }
    }


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name, value in (("ACCESS_KEY_ID", "x"), ("SECRET_ACCESS_KEY", "x"), ("DEFAULT_REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    with mock_aws():
        world = World()
        with world.agent, world.runtime:
            yield world


def test_section_is_an_object_with_its_attributes_beside_it(world: World) -> None:
    put(world.open("shop/eu"), "Übersicht 1.md", ACTIVE, FREIGHT)
    stamp = world.open("shop/eu")._manifest.entries()["Übersicht 1.md"].stamp
    folder = f"sections/shop%2Feu/{key_of('Übersicht 1.md')}/{stamp}"
    attributes = {"datasource": "shop/eu", "document": "Übersicht 1.md", "version": stamp}
    objects = world.objects()
    assert {key: json.loads(text) for key, text in objects.items() if key.endswith(".metadata.json")} == {
        f"{folder}/0.txt.metadata.json": {"metadataAttributes": {**attributes, "title": ACTIVE.title}},
        f"{folder}/1.txt.metadata.json": {"metadataAttributes": attributes},
    }
    assert objects[f"{folder}/0.txt"] == f"{ACTIVE.title}\n{ACTIVE.text}"
    assert objects[f"{folder}/1.txt"] == FREIGHT.text


def test_nothing_is_left_of_what_was_replaced_or_removed(world: World) -> None:
    index = world.open()
    put(index, "a.md", ACTIVE, FREIGHT)
    put(index, "b.md", ACTIVE)
    put(index, "a.md", LOYAL, version="2")
    assert len(world.objects()) == 4
    assert sum(LOYAL.text in text for text in world.objects().values()) == 1
    index.remove("b.md")
    assert len(world.objects()) == 2
    put(world.open(policy="stricter"), "c.md", ACTIVE)
    assert set(world.open(policy="stricter").known()) == {"c.md"}
    assert len(world.objects()) == 2
    put(index, "many.md", *(Section("", f"Rule {number}.") for number in range(600)))
    assert len(world.objects()) == 1000  # of 1,200, which is all that a page lists
    index.remove("many.md")
    assert world.objects() == {}


def test_section_that_s3_does_not_delete_is_an_error(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    put(world.open(), "a.md", ACTIVE)
    errors = {"Errors": [{"Key": "hunter2", "Code": "AccessDenied", "Message": "hunter2"}]}
    # S3 answers 200 there, and moto deletes all.
    monkeypatch.setattr(world.clients["s3"], "delete_objects", lambda **_: errors)
    with pytest.raises(KnowledgeBaseUnavailable) as raised:
        world.open().remove("a.md")
    assert "hunter2" not in raised.value.message
    assert set(world.open().known()) == {"a.md"}


def test_search_asks_for_this_datasource_and_tells_what_is_held_and_scores_enough(world: World) -> None:
    index = world.open()
    put(index, "a.md", ACTIVE)
    stamp = index._manifest.entries()["a.md"].stamp

    def found(score: float | None, **attributes: str) -> dict[str, Any]:
        about = {"datasource": "shop", "document": "a.md", "title": ACTIVE.title, "version": stamp}
        scored = {} if score is None else {"score": score}
        return {
            "content": {"text": f"{ACTIVE.title} {ACTIVE.text}"},
            "metadata": about | attributes,
            **scored,
        }

    results = [
        found(0.9, version="old"),
        found(0.8, document="b.md"),
        {"content": {"text": "Something else."}, "score": 0.7},
        found(0.6),
        found(0.39),
        found(None),
    ]
    world.runtime.add_response(
        "retrieve",
        {"retrievalResults": results},
        {
            "knowledgeBaseId": BASE,
            "retrievalQuery": {"text": WHO_IS_ACTIVE},
            "retrievalConfiguration": {
                "vectorSearchConfiguration": {
                    "numberOfResults": 22,
                    "filter": {"equals": {"key": "datasource", "value": "shop"}},
                }
            },
        },
    )
    (passage,) = index.search(WHO_IS_ACTIVE, 2)
    assert passage.text == f'{ACTIVE.title}: "{ACTIVE.text}"'
    assert passage.score == 0.6
    assert world.open("bank").search(WHO_IS_ACTIVE, 2) == index.search(" ", 2) == ()


def test_ingestion_is_started_once_for_each_sync(world: World) -> None:
    tokens = list[str]()
    for _ in range(3):
        world.agent.add_response("start_ingestion_job", job("STARTING"))
    world.clients["bedrock-agent"].meta.events.register(
        "provide-client-params.bedrock-agent.StartIngestionJob",
        lambda params, **_: tokens.append(params["clientToken"]),
    )
    assert [world.open().start_ingestion(sync) for sync in ("ä b", "ä b", "c")] == [JOB] * 3
    assert tokens[0] == tokens[1] != tokens[2]
    assert all(token.isalnum() and 33 <= len(token) <= 256 for token in tokens)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("STARTING", "running"),
        ("IN_PROGRESS", "running"),
        ("STOPPING", "running"),
        ("COMPLETE", "done"),
        ("FAILED", "failed"),
        ("STOPPED", "failed"),
    ],
)
def test_ingestion_is_running_done_or_failed(world: World, status: str, expected: Any) -> None:
    world.agent.add_response("get_ingestion_job", job(status), {**IDS, "ingestionJobId": JOB})
    assert world.open().ingestion_state(JOB) == IngestionState(status=expected)


def test_ingestion_tells_its_numbers_and_what_failed_of_which_document(world: World) -> None:
    index = world.open()
    put(index, "a.md", ACTIVE)
    put(index, "b.md", LOYAL)
    a, b = (f"s3://known/sections/shop/{key_of(name)}/1/0.txt" for name in ("a.md", "b.md"))
    counts = {
        "numberOfDocumentsScanned": 9,
        "numberOfMetadataDocumentsScanned": 9,
        "numberOfNewDocumentsIndexed": 3,
        "numberOfModifiedDocumentsIndexed": 2,
        "numberOfDocumentsDeleted": 1,
        "numberOfDocumentsFailed": 4,
    }
    reasons = [f"Ignored {a} and {a}", f"Not read: {a}, {b}", "The role may not read."]
    world.agent.add_response("get_ingestion_job", job("COMPLETE", statistics=counts, failureReasons=reasons))
    assert index.ingestion_state(JOB) == IngestionState(
        status="done",
        scanned=9,
        indexed=5,
        removed=1,
        failed=4,
        failures=tuple(
            IngestionFailure(document=name, reason=reason)
            for name, reason in (
                ("a.md", reasons[0]),
                ("a.md", reasons[1]),
                ("b.md", reasons[1]),
                ("", reasons[2]),
            )
        ),
    )


@pytest.mark.parametrize(
    ("code", "status", "expected", "match"),
    [
        ("ConflictException", "ACTIVE", KnowledgeBaseUnavailable, "busy with another"),
        ("ConflictException", "CREATING", KnowledgeBaseUnavailable, "still being made"),
        ("ValidationException", "CREATING", KnowledgeBaseUnavailable, "still being made"),
        ("ValidationException", "UPDATING", KnowledgeBaseUnavailable, "still being made"),
        ("ValidationException", "FAILED", InvalidSettings, "could not be made"),
        ("ValidationException", "DELETING", InvalidSettings, "is being deleted"),
        ("ValidationException", "ACTIVE", InvalidSettings, "refuses the request"),
        ("ThrottlingException", "", KnowledgeBaseUnavailable, "come back later"),
        ("ServiceQuotaExceededException", "", KnowledgeBaseUnavailable, "come back later"),
        ("AccessDeniedException", "", InvalidSettings, "refuses these credentials"),
        ("ResourceNotFoundException", "", InvalidSettings, "no such knowledge base"),
        ("InternalServerException", "", KnowledgeBaseUnavailable, "failed"),
        ("DependencyFailedException", "", KnowledgeBaseUnavailable, "failed"),
    ],
)
@pytest.mark.parametrize("operation", ["start_ingestion_job", "retrieve"])
def test_errors_are_told_in_our_words(
    world: World, operation: str, code: str, status: str, expected: type[Text2SqlError], match: str
) -> None:
    index = world.open()
    put(index, "a.md", ACTIVE)
    stubber = world.runtime if operation == "retrieve" else world.agent
    stubber.add_client_error(operation, code, "hunter2")
    if status:
        world.agent.add_response("get_knowledge_base", described(status), {"knowledgeBaseId": BASE})
    calls = {
        "start_ingestion_job": lambda: index.start_ingestion("a sync"),
        "retrieve": lambda: index.search(WHO_IS_ACTIVE, 2),
    }
    with pytest.raises(expected, match=match) as raised:
        calls[operation]()
    assert raised.value.__cause__ is not None
    assert raised.value.remedy
    assert "hunter2" not in raised.value.message + raised.value.remedy


def test_state_that_may_not_be_asked_for_is_told_so(world: World) -> None:
    world.agent.add_client_error("start_ingestion_job", "ConflictException", "hunter2")
    world.agent.add_client_error("get_knowledge_base", "AccessDeniedException", "hunter2")
    with pytest.raises(InvalidSettings) as raised:
        world.open().start_ingestion("x")
    assert "bedrock:GetKnowledgeBase" in raised.value.remedy


@pytest.mark.parametrize("error", [EndpointConnectionError(endpoint_url="hunter2"), NoCredentialsError()])
def test_bedrock_that_cannot_be_reached_is_unavailable(world: World, error: Exception) -> None:
    def fail(**_: Any) -> None:
        raise error

    world.clients["bedrock-agent"].meta.events.register(
        "provide-client-params.bedrock-agent.GetIngestionJob", fail
    )
    with pytest.raises(KnowledgeBaseUnavailable) as raised:
        world.open().ingestion_state(JOB)
    assert raised.value.__cause__ is error
    assert "hunter2" not in raised.value.message


def test_clients_have_short_limits(world: World) -> None:
    assert world
    limits = connect("bedrock-agent-runtime").meta.config
    assert (limits.connect_timeout, limits.read_timeout) == (2, 10)
