"""The parcel store on Amazon S3; the bucket's lifecycle rule removes what is a day old."""

import os
from collections.abc import Callable
from functools import cache, cached_property
from typing import Any

from text2sql.errors import JobStoreUnavailable


@cache
def open_parcels() -> "S3Parcels":
    """Return the store on the bucket that TEXT2SQL_PARCELS_BUCKET names."""

    def connect() -> Any:
        import boto3

        return boto3.client("s3")

    return S3Parcels(os.environ.get("TEXT2SQL_PARCELS_BUCKET", ""), connect)


class S3Parcels:
    """Parcels as objects of one bucket; boto3's client is made by `connect` for the first large one."""

    def __init__(self, bucket: str, connect: Callable[[], Any]) -> None:
        self._bucket = bucket
        self._connect = connect

    def put(self, key: str, text: str) -> None:
        """Keep a text; the port says more.

        Raises:
            JobStoreUnavailable: S3 does not take it.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            self._client.put_object(
                Bucket=self._bucket, Key=key, Body=text.encode(), ContentType="application/json"
            )
        except (BotoCoreError, ClientError) as error:
            raise JobStoreUnavailable("What a step has found cannot be kept.") from error

    def get(self, key: str) -> str:
        """Return the text.

        Raises:
            JobStoreUnavailable: S3 does not give it.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            body: bytes = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except (BotoCoreError, ClientError) as error:
            raise JobStoreUnavailable("What a step has found cannot be read.") from error
        return body.decode()

    @cached_property
    def _client(self) -> Any:
        return self._connect()
