"""The catalog as one object of the bucket: a sync reads it anew, and who has none yet takes it from there."""

from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from text2sql.datasource.catalog import Catalog
from text2sql.datasource.s3 import s3_errors
from text2sql.messages import Message

KEY = "index/catalog.json"


class StoredCatalog(Message):
    """A catalog, and of what it is one."""

    database: str
    """Tells the database from others, and how this version of the product reads it: a digest."""
    schema_version: str
    read_at: datetime
    catalog: Catalog


class SharedCatalog:
    """The object in the bucket; boto3's client is made by `connect` for the first call."""

    def __init__(self, bucket: str, connect: Callable[[], Any]) -> None:
        self._bucket = bucket
        self._connect = connect

    def read(self, database: str) -> StoredCatalog | None:
        """Return what is stored of the database; None where there is nothing, or nothing that can be read.

        Raises:
            KnowledgeBaseUnavailable: S3 does not answer.
        """
        from botocore.exceptions import ClientError

        with s3_errors():
            try:
                text = self._client.get_object(Bucket=self._bucket, Key=KEY)["Body"].read()
            except ClientError as error:
                if error.response["Error"]["Code"] == "NoSuchKey":
                    return None
                raise
        try:
            stored = StoredCatalog.model_validate_json(text)
        except ValidationError:
            return None
        return stored if stored.database == database else None

    def write(self, stored: StoredCatalog) -> None:
        """Put it in the place of what is there.

        Raises:
            KnowledgeBaseUnavailable: S3 does not take it.
        """
        with s3_errors():
            self._client.put_object(
                Bucket=self._bucket,
                Key=KEY,
                Body=stored.model_dump_json().encode(),
                ContentType="application/json",
            )

    @cached_property
    def _client(self) -> Any:
        return self._connect()
