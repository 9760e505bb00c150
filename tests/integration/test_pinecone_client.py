"""The index in Pinecone through Pinecone's own client, which speaks to a server of this machine."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from pinecone import Pinecone
from pinecone.errors import UnauthorizedError
from pydantic import SecretStr

from document_index_contract import FREIGHT, WHO_IS_ACTIVE, DocumentIndexContract, put
from pinecone_server import PAGE, PineconeServer
from processes import free_port
from text2sql.documents.manifest import Manifest
from text2sql.documents.pinecone import PineconeIndex
from text2sql.documents.port import Section
from text2sql.errors import InvalidSettings
from word_embeddings import WordEmbeddings


class ServerWorld:
    """A server with an index, and a bucket for the manifest."""

    def __init__(self, server: PineconeServer) -> None:
        self._url = server.url
        self.pinecone = server.pinecone
        self.open().create()

    def open(self, datasource: str = "shop") -> PineconeIndex:
        def make_client(key: SecretStr) -> Any:
            return Pinecone(key.get_secret_value(), host=self._url)

        manifest = Manifest("known", datasource, lambda: boto3.client("s3"))
        return PineconeIndex(SecretStr("hunter2"), "text2sql", WordEmbeddings(), manifest, make_client)

    def settle(self) -> None:
        pass

    def keep_all(self) -> None:
        self.pinecone.documents.keeps_all = True

    def fail(self) -> None:
        self._url = f"http://127.0.0.1:{free_port()}"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[ServerWorld]:
    for name, value in (("ACCESS_KEY_ID", "x"), ("SECRET_ACCESS_KEY", "x"), ("DEFAULT_REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    with mock_aws(), PineconeServer() as server:
        boto3.client("s3").create_bucket(Bucket="known")
        yield ServerWorld(server)


class TestPineconeClient(DocumentIndexContract):
    def test_index_is_made_as_it_is_checked(self, world: ServerWorld) -> None:
        world.open().create()
        put(world.open(), "rules.txt", FREIGHT)

    def test_sections_of_several_pages_are_all_deleted(self, world: ServerWorld) -> None:
        put(world.open("shop/eu ä"), "a.txt", *(Section("", f"Rule {n}.") for n in range(2 * PAGE + 1)))
        assert len(world.pinecone.documents.namespaces["shop/eu ä"]) == 2 * PAGE + 1
        world.open("shop/eu ä").remove("a.txt")
        assert world.pinecone.documents.namespaces["shop/eu ä"] == {}

    def test_key_that_is_refused_is_told_so(self, world: ServerWorld) -> None:
        put(world.open(), "rules.txt", FREIGHT)
        world.pinecone.documents.error = UnauthorizedError("hunter2", 401)
        with pytest.raises(InvalidSettings, match="refuses the API key"):
            world.open().search(WHO_IS_ACTIVE, 5)
