"""The local index in a bucket: what all indexes must do, and what becomes of two that write at once."""

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from moto import mock_aws

from document_index_contract import ACTIVE, LOYAL, WHO_IS_ACTIVE, DocumentIndexContract, put, told
from text2sql.documents.local_index import LocalIndex
from text2sql.documents.shared_index import FRESH_SECONDS, SharedIndex
from text2sql.errors import KnowledgeBaseUnavailable


class SharedWorld:
    """A bucket for each datasource, and indexes that each have a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._opened: list[SharedIndex] = []
        self._is_down = False
        self.now = 0.0

    def open(self, datasource: str = "shop") -> SharedIndex:
        client = boto3.client("s3")
        client.create_bucket(Bucket=datasource)
        path = self._folder / str(len(self._opened)) / "index.sqlite"
        path.parent.mkdir()
        index = SharedIndex(datasource, path, LocalIndex(path), self._connect, lambda: self.now)
        self._opened.append(index)
        return index

    def settle(self) -> None:
        for index in self._opened:
            index.publish()
        self.now += FRESH_SECONDS

    def keep_all(self) -> None:
        pass

    def fail(self) -> None:
        self._is_down = True

    def _connect(self) -> object:
        if self._is_down:
            raise EndpointConnectionError(endpoint_url="s3")
        return boto3.client("s3")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SharedWorld]:
    for name, value in (("ACCESS_KEY_ID", "x"), ("SECRET_ACCESS_KEY", "x"), ("DEFAULT_REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    with mock_aws():
        yield SharedWorld(tmp_path)


class TestSharedIndex(DocumentIndexContract):
    pass


def test_of_two_that_write_at_once_the_second_begins_anew_and_nothing_is_lost(world: SharedWorld) -> None:
    first, second = world.open(), world.open()
    put(first, "a.md", ACTIVE)
    put(second, "b.md", LOYAL)
    first.publish()
    with pytest.raises(KnowledgeBaseUnavailable):
        second.publish()
    assert set(second.known()) == {"a.md"}
    put(second, "b.md", LOYAL)
    second.publish()
    world.now += FRESH_SECONDS
    assert set(first.known()) == {"a.md", "b.md"}


def test_what_could_not_be_published_does_not_count_as_indexed(world: SharedWorld) -> None:
    index = world.open()
    put(index, "a.md", ACTIVE)
    index.publish()
    put(index, "b.md", LOYAL)
    index._client.meta.events.register("before-call.s3.PutObject", _refuse)
    with pytest.raises(KnowledgeBaseUnavailable):
        index.publish()
    assert set(index.known()) == {"a.md"}


def test_question_looks_for_changes_every_two_seconds_at_most(world: SharedWorld) -> None:
    writer, reader = world.open(), world.open()
    assert told(reader, WHO_IS_ACTIVE) == []
    put(writer, "a.md", ACTIVE)
    writer.publish()
    world.now += FRESH_SECONDS - 0.1
    assert told(reader, WHO_IS_ACTIVE) == []
    world.now += 0.1
    assert len(told(reader, WHO_IS_ACTIVE)) == 1
    boto3.client("s3").delete_object(Bucket="shop", Key="index/documents.sqlite")
    world.now += FRESH_SECONDS
    assert told(reader, WHO_IS_ACTIVE) == []


def _refuse(**_: object) -> None:
    raise EndpointConnectionError(endpoint_url="s3")
