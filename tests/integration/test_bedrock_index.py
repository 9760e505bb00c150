"""The index behind a knowledge base of the local cloud, which scores by shared words and forgets nothing."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from document_index_contract import ACTIVE, WHO_IS_ACTIVE, DocumentIndexContract, put, told
from local_cloud import REGION, LocalCloud
from processes import free_port
from text2sql.documents.bedrock import SECTIONS, BedrockIndex
from text2sql.documents.manifest import Manifest
from text2sql.errors import InvalidSettings

CLOUD = Path(__file__).resolve().parents[2] / ".venv-cloud"
_numbers = count(1)


class CloudWorld:
    """A bucket, and a knowledge base that reads from it."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._cloud = cloud
        self._fails = False
        self._syncs = count(1)
        self._bucket = f"known-{next(_numbers)}"
        cloud.client("s3").create_bucket(
            Bucket=self._bucket, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        agent = cloud.client("bedrock-agent")
        model = f"arn:aws:bedrock:{REGION}::foundation-model/amazon.titan-embed-text-v2:0"
        self._base = agent.create_knowledge_base(
            name="documents",
            roleArn="arn:aws:iam::123456789012:role/reader",
            knowledgeBaseConfiguration={
                "type": "VECTOR",
                "vectorKnowledgeBaseConfiguration": {"embeddingModelArn": model},
            },
        )["knowledgeBase"]["knowledgeBaseId"]
        self._source = agent.create_data_source(
            knowledgeBaseId=self._base,
            name="sections",
            dataSourceConfiguration={
                "type": "S3",
                "s3Configuration": {
                    "bucketArn": f"arn:aws:s3:::{self._bucket}",
                    "inclusionPrefixes": [SECTIONS],
                },
            },
            vectorIngestionConfiguration={"chunkingConfiguration": {"chunkingStrategy": "NONE"}},
        )["dataSource"]["dataSourceId"]

    def open(self, datasource: str = "shop", base: str = "") -> BedrockIndex:
        manifest = Manifest(self._bucket, datasource, lambda: self._cloud.client("s3"))
        return BedrockIndex(base or self._base, self._source, manifest, self._connect)

    def settle(self) -> None:
        index = self.open()
        job = index.start_ingestion(f"sync {next(self._syncs)}")
        assert index.ingestion_state(job).status == "done"

    def keep_all(self) -> None:
        pass

    def fail(self) -> None:
        self._fails = True

    def _connect(self, service: str) -> Any:
        if not self._fails:
            return self._cloud.client(service)
        nobody = f"http://127.0.0.1:{free_port()}"
        return boto3.client(
            service,
            endpoint_url=nobody,
            region_name=REGION,
            aws_access_key_id="x",
            aws_secret_access_key="x",
            config=Config(retries={"total_max_attempts": 1}),
        )


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with LocalCloud(tmp_path_factory.mktemp("cloud"), free_port(), CLOUD / "bin" / "python") as running:
        yield running


@pytest.fixture
def world(cloud: LocalCloud) -> CloudWorld:
    return CloudWorld(cloud)


class TestBedrockIndex(DocumentIndexContract):
    def test_section_is_found_after_the_ingestion_which_tells_what_it_read(self, world: CloudWorld) -> None:
        index = world.open()
        put(index, "customers.md", ACTIVE)
        assert told(index, WHO_IS_ACTIVE) == []
        state = index.ingestion_state(index.start_ingestion("a sync"))
        assert (state.status, state.scanned, state.indexed, state.failed) == ("done", 1, 1, 0)
        assert len(told(index, WHO_IS_ACTIVE)) == 1

    def test_knowledge_base_that_is_missing_is_refused(self, world: CloudWorld) -> None:
        put(world.open(), "customers.md", ACTIVE)
        missing = world.open(base="KB00000000")
        with pytest.raises(InvalidSettings, match="no such knowledge base"):
            missing.start_ingestion("a sync")
        with pytest.raises(InvalidSettings, match="no such knowledge base"):
            told(missing, WHO_IS_ACTIVE)
