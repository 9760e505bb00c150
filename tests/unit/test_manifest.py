"""The manifest of an index: one object that several writers change, and that is asked for each time."""

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws

from text2sql.documents import manifest as manifests
from text2sql.documents.manifest import Manifest
from text2sql.documents.port import IndexedDocument, Section
from text2sql.errors import KnowledgeBaseUnavailable

KEY = "index/shop%2Feu/manifest.json"
NAMES = ("a.md", "b.md")
A, B = (IndexedDocument(name=name, version="1", sections=1) for name in NAMES)
SECTIONS = (Section("Title", "Text"),)


class Client:
    """boto3's client for S3, which calls `before` ahead of each change, and counts what is sent whole."""

    def __init__(self) -> None:
        self.client = boto3.client("s3")
        self.before: Callable[[], object] = lambda: None
        self.error: Exception | None = None
        self.fetched = 0

    def get_object(self, **request: Any) -> Any:
        if self.error:
            raise self.error
        found = self.client.get_object(**request)
        self.fetched += 1
        return found

    def put_object(self, **request: Any) -> Any:
        self.before()
        return self.client.put_object(**request)


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    for name, value in (("ACCESS_KEY_ID", "x"), ("SECRET_ACCESS_KEY", "x"), ("DEFAULT_REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    with mock_aws():
        client = Client()
        client.client.create_bucket(Bucket="known")
        yield client


def opened(client: Any, policy: str | None = None) -> Manifest:
    return Manifest("known", "shop/eu", lambda: client, policy).made_for("an index")


def test_documents_are_kept_replaced_and_taken_out(client: Client) -> None:
    manifest = opened(client)
    assert manifest.entries() == {}
    assert not manifest.is_begun()
    manifest.put(A, "old")
    manifest.put(B, "first")
    manifest.put(A, "new")
    manifest.remove("nothing.md")
    assert {name: entry.stamp for name, entry in opened(client).entries().items()} == {
        "a.md": "new",
        "b.md": "first",
    }
    manifest.remove("a.md")
    assert opened(client).is_begun()
    assert opened(client).entries()["b.md"].document == B
    assert set(manifest.entries()) == {"b.md"}


@pytest.mark.parametrize("begun", [False, True])
def test_change_that_another_writer_was_faster_than_is_made_once_more(client: Client, *, begun: bool) -> None:
    if begun:
        opened(client).put(B, "old")
    faster = [lambda: opened(client.client).put(B, "new"), lambda: opened(client.client).remove("c.md")]
    client.before = lambda: faster and faster.pop(0)()
    opened(client).put(A, "a")
    assert {name: entry.stamp for name, entry in opened(client).entries().items()} == {
        "a.md": "a",
        "b.md": "new",
    }


def test_object_that_is_deleted_during_a_change_is_made_anew(client: Client) -> None:
    opened(client).put(B, "b")
    deleting = [lambda: client.client.delete_object(Bucket="known", Key=KEY)]
    client.before = lambda: deleting and deleting.pop()()
    opened(client).put(A, "a")
    assert set(opened(client).entries()) == {"a.md"}


def test_writer_that_is_never_fast_enough_gives_up(client: Client) -> None:
    numbers = iter(range(100))
    client.before = lambda: opened(client.client).put(B, f"{next(numbers)}")
    with pytest.raises(KnowledgeBaseUnavailable, match="Others"):
        opened(client).put(A, "a")
    assert next(numbers) == manifests.ATTEMPTS


def test_what_has_not_changed_is_not_sent_again_and_what_has_is_seen_at_once(client: Client) -> None:
    manifest = opened(client)
    manifest.put(A, "a")
    assert set(manifest.entries()) == {"a.md"}
    assert client.fetched == 0
    opened(client.client).put(B, "b")
    assert set(manifest.entries()) == set(manifest.entries()) == set(NAMES)
    assert client.fetched == 1
    client.client.delete_object(Bucket="known", Key=KEY)
    assert manifest.entries() == {}


def test_object_that_is_damaged_or_of_another_recipe_counts_as_empty(client: Client) -> None:
    opened(client).put(A, "a")
    for other in (opened(client, "stricter"), opened(client).made_for("another")):
        assert other.entries() == {}
        assert not other.is_begun()
    for content in (b"\xff", b"{}", b"[]"):
        client.client.put_object(Bucket="known", Key=KEY, Body=content)
        assert opened(client).entries() == {}
    opened(client).put(B, "b")
    assert set(opened(client).entries()) == {"b.md"}


def test_stamp_is_another_for_all_that_decides_what_may_be_told(client: Client) -> None:
    manifest = opened(client)
    stamps = [
        manifest.stamp(A, SECTIONS),
        manifest.stamp(B, SECTIONS),
        manifest.stamp(A.model_copy(update={"version": "2"}), SECTIONS),
        manifest.stamp(A, (*SECTIONS, *SECTIONS)),
        manifest.stamp(A, (Section("", "TitleText"),)),
        opened(client, "stricter").stamp(A, SECTIONS),
        manifest.made_for("another").stamp(A, SECTIONS),
        Manifest("known", "bank", lambda: client).made_for("an index").stamp(A, SECTIONS),
    ]
    assert len(set(stamps)) == len(stamps)
    assert opened(client).stamp(A, SECTIONS) == stamps[0]


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="hunter2"),
        ClientError({"Error": {"Code": "AccessDenied", "Message": "hunter2"}}, "GetObject"),
    ],
)
def test_bucket_that_does_not_answer_is_unavailable(client: Client, error: Exception) -> None:
    opened(client).put(A, "a")
    client.error = error
    for call in (Manifest.entries, Manifest.is_begun, lambda each: each.put(A, "a")):
        with pytest.raises(KnowledgeBaseUnavailable) as raised:
            call(opened(client))
        assert "hunter2" not in raised.value.message


def test_manifest_of_no_policy_shows_what_was_screened_by_any_but_not_of_another_index(
    client: Client,
) -> None:
    opened(client, "strict").put(A, "stamp")
    assert set(opened(client).entries()) == {"a.md"}
    assert opened(client, "lenient").entries() == {}
    other = Manifest("known", "shop/eu", lambda: client, None).made_for("another index")
    assert other.entries() == {}
