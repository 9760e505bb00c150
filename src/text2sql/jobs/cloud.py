"""The whole job store in the cloud: jobs in a table of DynamoDB, and their rows in a bucket of S3."""

from collections.abc import Callable, Iterable
from typing import Any

from text2sql.jobs.dynamodb import DynamoJobStore
from text2sql.jobs.s3 import S3ResultStore

CONNECTIONS = 50
"""As many as requests of the API are worked on at once."""


def open_cloud_store(table: str, bucket: str) -> "CloudJobStore":
    """Return the store on a table and a bucket; Region and credentials come from the AWS environment."""

    def connect(service: str) -> Any:
        import boto3
        from botocore.config import Config

        limits = Config(
            connect_timeout=2,
            read_timeout=3,
            retries={"mode": "standard", "total_max_attempts": 3},
            max_pool_connections=CONNECTIONS,
        )
        return boto3.client(service, config=limits)

    results = S3ResultStore(bucket, lambda: connect("s3"))
    return CloudJobStore(table, lambda: connect("dynamodb"), results)


class CloudJobStore(DynamoJobStore):
    """JobStore, JobRecorder and ResultStore; safe for threads."""

    def __init__(self, table: str, connect: Callable[[], Any], results: S3ResultStore) -> None:
        super().__init__(table, connect, results)
        self._results = results

    def put_rows(self, job_id: str, rows: Iterable[str]) -> int:
        """Keep a job's rows."""
        return self._results.put_rows(job_id, rows)

    def get_rows(self, job_id: str, start: int, count: int) -> tuple[str, ...]:
        """Return rows of a job that has not expired."""
        return self._results.get_rows(job_id, start, count) if self._is_kept(job_id) else ()
