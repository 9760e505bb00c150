"""The job store in the cloud, on the local cloud's tables and buckets."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from cloud_tables import create_table
from job_store_contract import JobStoreContract
from local_cloud import LocalCloud
from processes import free_port
from text2sql.jobs.cloud import CloudJobStore
from text2sql.jobs.s3 import S3ResultStore

CLOUD = Path(__file__).resolve().parents[2] / ".venv-cloud"
_numbers = count(1)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    folder = tmp_path_factory.mktemp("cloud")
    with LocalCloud(folder, free_port(), CLOUD / "bin" / "python") as running:
        running.client("s3").create_bucket(
            Bucket="results", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        yield running


@pytest.fixture
def store(cloud: LocalCloud) -> CloudJobStore:
    table = f"jobs-{next(_numbers)}"
    create_table(cloud.client("dynamodb"), "Jobs", table)
    storage = cloud.client("s3")
    for each in storage.list_objects_v2(Bucket="results").get("Contents", ()):
        storage.delete_object(Bucket="results", Key=each["Key"])
    results = S3ResultStore("results", lambda: cloud.client("s3"))
    return CloudJobStore(table, lambda: cloud.client("dynamodb"), results)


class TestCloud(JobStoreContract):
    pass
