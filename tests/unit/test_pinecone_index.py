"""The index in Pinecone, on a stand-in of its client and with words for meanings."""

import inspect
import io
import json
import sys
from collections.abc import Iterator
from typing import Any

import boto3
import pinecone
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws
from pinecone.client.documents import Documents
from pinecone.client.indexes import Indexes
from pinecone.errors import (
    ForbiddenError,
    NotFoundError,
    PineconeTimeoutError,
    RateLimitError,
    ServiceError,
    UnauthorizedError,
)
from pydantic import SecretStr

import pinecone_stand_in
from document_index_contract import (
    ACTIVE,
    FREIGHT,
    LOYAL,
    WHO_IS_ACTIVE,
    DocumentIndexContract,
    put,
    told,
)
from pinecone_stand_in import OUTAGE, StandIn
from text2sql.documents.manifest import Manifest
from text2sql.documents.pinecone import UPSERTED, PineconeIndex, connect
from text2sql.documents.port import Section
from text2sql.documents.titan import TitanEmbeddings
from text2sql.errors import InvalidSettings, KnowledgeBaseUnavailable, Text2SqlError
from word_embeddings import WordEmbeddings

KEY = SecretStr("hunter2")


class PineconeWorld:
    """A project of Pinecone with an index, and a bucket for the manifest."""

    def __init__(self) -> None:
        self.pinecone = StandIn()
        self.open().create()

    def open(self, datasource: str = "shop", model: str = "words", policy: str = "") -> PineconeIndex:
        def make_client(key: SecretStr) -> Any:
            assert key == KEY
            return self.pinecone

        manifest = Manifest("known", datasource, lambda: boto3.client("s3"), policy)
        return PineconeIndex(KEY, "text2sql", WordEmbeddings(model), manifest, make_client)

    def settle(self) -> None:
        pass

    def keep_all(self) -> None:
        self.pinecone.documents.keeps_all = True

    def fail(self) -> None:
        self.pinecone.documents.error = OUTAGE


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name, value in (("ACCESS_KEY_ID", "x"), ("SECRET_ACCESS_KEY", "x"), ("DEFAULT_REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket="known")
        yield client


@pytest.fixture
def world(bucket: Any) -> PineconeWorld:
    assert bucket
    return PineconeWorld()


class TestPineconeIndex(DocumentIndexContract):
    def test_model_or_policy_that_changed_begins_anew(self, world: PineconeWorld) -> None:
        put(world.open(), "customers.md", ACTIVE)
        put(world.open("bank"), "customers.md", ACTIVE)
        for changed in (world.open(model="other"), world.open(model="other", policy="stricter")):
            assert changed.known() == {}
            changed.remove("nothing.md")
            assert told(changed, WHO_IS_ACTIVE) == []
            put(changed, "rules.txt", FREIGHT)
            assert set(changed.known()) == {"rules.txt"}
            assert len(world.pinecone.documents.namespaces["shop"]) == 1
        assert len(told(world.open("bank"), WHO_IS_ACTIVE)) == 1

    def test_sections_are_upserted_in_batches_and_none_is_left_over(self, world: PineconeWorld) -> None:
        many = tuple(Section("", f"Rule {number}.") for number in range(2 * UPSERTED + 1))
        put(world.open(), "rules.txt", *many)
        assert world.pinecone.documents.upserts == [UPSERTED, UPSERTED, 1]
        assert UPSERTED * (1024 * len("-0.12345678901234567,") + 2000) < 2_000_000
        put(world.open(), "rules.txt", FREIGHT)
        put(world.open(), "rules.txt.md", FREIGHT)
        assert len(world.pinecone.documents.namespaces["shop"]) == 2
        world.open().remove("rules.txt")
        assert len(world.pinecone.documents.namespaces["shop"]) == 1

    def test_section_that_is_unlike_the_question_is_not_told(self, world: PineconeWorld) -> None:
        put(world.open(), "customers.md", ACTIVE)
        assert told(world.open(), "What is the tallest customer of the world to buy in a year?") == []

    def test_document_of_a_broken_off_put_is_put_once_more(self, world: PineconeWorld) -> None:
        put(world.open(), "customers.md", ACTIVE)
        world.fail()
        with pytest.raises(KnowledgeBaseUnavailable):
            put(world.open(), "customers.md", LOYAL, version="2")
        assert world.open().known()["customers.md"].version == "1"

    def test_index_is_made_once_and_must_fit(self, world: PineconeWorld) -> None:
        assert world.pinecone.indexes.deployment == {
            "deployment_type": "managed",
            "cloud": "aws",
            "region": "us-east-1",
        }
        world.open().create("eu-west-1")
        assert world.pinecone.indexes.deployment["region"] == "us-east-1"

    @pytest.mark.parametrize(
        "schema",
        [
            {"fields": {"vector": {"dimension": 1536, "metric": "cosine"}}},
            {"fields": {"vector": {"dimension": 1024, "metric": "euclidean"}}},
            {"fields": {"_values": {"dimension": 1024, "metric": "cosine"}}},
        ],
    )
    def test_index_for_other_vectors_is_refused(self, world: PineconeWorld, schema: dict[str, Any]) -> None:
        put(world.open(), "customers.md", ACTIVE)
        world.pinecone.indexes.create(name="text2sql", schema=schema, timeout=1)
        for call in (
            lambda index: index.create(),
            lambda index: put(index, "rules.txt", FREIGHT),
            lambda index: index.search(WHO_IS_ACTIVE, 5),
        ):
            with pytest.raises(InvalidSettings, match="numbers and the metric cosine") as raised:
                call(world.open())
            assert raised.value.remedy

    def test_index_that_is_missing_is_refused_and_one_that_has_no_host_is_waited_for(
        self, world: PineconeWorld
    ) -> None:
        world.pinecone.indexes.made["text2sql"].host = None
        with pytest.raises(KnowledgeBaseUnavailable, match="still being made"):
            put(world.open(), "customers.md", ACTIVE)
        del world.pinecone.indexes.made["text2sql"]
        with pytest.raises(InvalidSettings, match="no such index"):
            put(world.open(), "customers.md", ACTIVE)

    @pytest.mark.parametrize(
        ("error", "expected"),
        [
            (UnauthorizedError("hunter2"), InvalidSettings),
            (ForbiddenError("hunter2"), InvalidSettings),
            (NotFoundError("hunter2"), InvalidSettings),
            (RateLimitError("hunter2"), KnowledgeBaseUnavailable),
            (ServiceError("hunter2"), KnowledgeBaseUnavailable),
            (PineconeTimeoutError("hunter2"), KnowledgeBaseUnavailable),
        ],
        ids=lambda value: getattr(value, "__name__", type(value).__name__),
    )
    def test_errors_are_told_in_our_words(
        self, world: PineconeWorld, error: Exception, expected: type[Text2SqlError]
    ) -> None:
        put(world.open(), "customers.md", ACTIVE)
        world.pinecone.documents.error = error
        with pytest.raises(expected) as raised:
            world.open().search(WHO_IS_ACTIVE, 5)
        assert raised.value.__cause__ is error
        assert raised.value.remedy
        assert "hunter2" not in raised.value.message + raised.value.remedy


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (StandIn, pinecone.Pinecone),
        (pinecone_stand_in.Indexes, Indexes),
        (pinecone_stand_in.Documents, Documents),
    ],
)
def test_stand_in_takes_what_the_client_takes(ours: type, theirs: type) -> None:
    methods = [name for name in vars(ours) if not name.startswith("_")]
    assert methods
    for name in methods:
        mine, real = (inspect.signature(getattr(each, name)).parameters for each in (ours, theirs))
        needed = {key for key, each in real.items() if each.default is each.empty}
        assert needed - {"kwargs", "legacy_kwargs"} <= mine.keys() <= real.keys(), name
        assert all(mine[key].kind == real[key].kind for key in mine), name


def test_client_that_is_not_installed_is_asked_for(
    world: PineconeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(world.open(), "customers.md", ACTIVE)
    monkeypatch.setitem(sys.modules, "pinecone.errors", None)  # as if it were not there
    for call in (
        lambda: connect(KEY),
        lambda: world.open().create(),
        lambda: put(world.open(), "rules.txt", FREIGHT),
        lambda: world.open().search(WHO_IS_ACTIVE, 5),
    ):
        with pytest.raises(InvalidSettings, match="not installed"):
            call()


def test_client_is_made_without_a_call_and_shows_no_key() -> None:
    client = connect(SecretStr("secret-hunter2-0000"))
    assert client.indexes
    assert "hunter2" not in repr(client)


def test_key_that_no_request_can_hold_is_refused() -> None:
    with pytest.raises(InvalidSettings) as raised:
        connect(SecretStr("hunter2\n"))
    assert "hunter2" not in raised.value.message


class TitanClient:
    """Answers InvokeModel as Amazon documents it, or fails."""

    def __init__(self, reply: bytes | Exception = b"") -> None:
        self.reply = reply
        self.requests: list[dict[str, Any]] = []

    def invoke_model(self, **request: Any) -> dict[str, Any]:
        if isinstance(self.reply, Exception):
            raise self.reply
        self.requests.append(request)
        text = json.loads(request["body"])["inputText"]
        return {"body": io.BytesIO(self.reply or json.dumps({"embedding": [len(text), 0]}).encode())}


def test_titan_is_asked_for_each_text_in_its_order() -> None:
    client = TitanClient()
    embeddings = TitanEmbeddings(lambda service: {"bedrock-runtime": client}[service])
    assert embeddings.embed(["a" * (number + 1) for number in range(20)]) == [
        [number + 1.0, 0.0] for number in range(20)
    ]
    assert client.requests[0]["modelId"] == "amazon.titan-embed-text-v2:0"
    assert json.loads(client.requests[0]["body"]).items() >= {"dimensions": 1024, "normalize": True}.items()
    assert embeddings.embed([]) == []


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (b"{}", KnowledgeBaseUnavailable),
        (b"hunter2", KnowledgeBaseUnavailable),
        (EndpointConnectionError(endpoint_url="hunter2"), KnowledgeBaseUnavailable),
        *(
            (ClientError({"Error": {"Code": code, "Message": "hunter2"}}, "InvokeModel"), error)
            for code, error in (
                ("ThrottlingException", KnowledgeBaseUnavailable),
                ("ModelNotReadyException", KnowledgeBaseUnavailable),
                ("AccessDeniedException", InvalidSettings),
                ("ResourceNotFoundException", InvalidSettings),
                ("ValidationException", InvalidSettings),
            )
        ),
    ],
)
def test_errors_of_titan_are_told_in_our_words(
    reply: bytes | Exception, expected: type[Text2SqlError]
) -> None:
    with pytest.raises(expected) as raised:
        TitanEmbeddings(lambda _: TitanClient(reply)).embed(["text"])
    assert raised.value.remedy
    assert "hunter2" not in raised.value.message + raised.value.remedy
