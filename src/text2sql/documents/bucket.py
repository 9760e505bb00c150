"""Documents in a bucket of Amazon S3: uploaded by clients with a form that S3 checks, read at a sync."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from text2sql.datasource.s3 import s3_errors
from text2sql.documents.library import DocumentState, SyncHistory, SyncRecord, Upload, list_documents
from text2sql.documents.port import DocumentIndex, StoredDocument
from text2sql.documents.reading import check_name, check_size, content_type, largest
from text2sql.errors import InvalidDocument

PREFIX = "documents/"
HISTORY = "index/syncs.json"
UPLOAD_SECONDS = 900
"""How long an upload may begin after it was opened."""


class BucketStore:
    """The objects below `documents/`; boto3's client is made by `connect` for the first call."""

    def __init__(self, bucket: str, connect: Callable[[], Any]) -> None:
        self._bucket = bucket
        self._connect = connect

    def list(self) -> tuple[StoredDocument, ...]:
        """Return all objects; a name with a folder in it is one that no document may have."""
        with s3_errors():
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=PREFIX)
            found = [each for page in pages for each in page.get("Contents", ())]
        return tuple(
            StoredDocument(each["Key"].removeprefix(PREFIX), each["ETag"].strip('"'), each["Size"])
            for each in found
            if each["Key"] != PREFIX
        )

    def read(self, document: StoredDocument) -> bytes:
        """Return the content, one byte more than a document may have at most.

        Raises:
            InvalidDocument: it has been deleted or replaced since it was listed.
        """
        from botocore.exceptions import ClientError

        with s3_errors():
            try:
                found = self._client.get_object(
                    Bucket=self._bucket,
                    Key=PREFIX + document.name,
                    IfMatch=f'"{document.version}"',
                    Range=f"bytes=0-{largest(document.name)}",
                )
            except ClientError as error:
                if error.response["Error"]["Code"] in {"NoSuchKey", "PreconditionFailed", "412"}:
                    raise InvalidDocument(
                        "The document was changed while it was read.", remedy="The next sync reads it."
                    ) from error
                raise
            content: bytes = found["Body"].read()
        return content

    def delete(self, name: str) -> None:
        """Delete a document; one that is not there is none."""
        check_name(name)
        with s3_errors():
            self._client.delete_object(Bucket=self._bucket, Key=PREFIX + name)

    def open_upload(self, name: str, size: int) -> Upload:
        """Return a form for one document of this name, type and at most this kind's length.

        Raises:
            InvalidDocument: no document may have this name or this many bytes.
        """
        check_name(name)
        check_size(name, size)
        kind = content_type(name)
        with s3_errors():
            form = self._client.generate_presigned_post(
                Bucket=self._bucket,
                Key=PREFIX + name,
                Fields={"Content-Type": kind},
                Conditions=[{"Content-Type": kind}, ["content-length-range", 1, largest(name)]],
                ExpiresIn=UPLOAD_SECONDS,
            )
        return Upload(method="POST", url=form["url"], fields=form["fields"], expires_in=UPLOAD_SECONDS)

    def history(self) -> SyncHistory:
        """Return the last syncs; none where the object is missing or damaged."""
        from botocore.exceptions import ClientError

        with s3_errors():
            try:
                found = self._client.get_object(Bucket=self._bucket, Key=HISTORY)
            except ClientError as error:
                if error.response["Error"]["Code"] == "NoSuchKey":
                    return SyncHistory()
                raise
            text = found["Body"].read()
        try:
            return SyncHistory.model_validate_json(text)
        except ValidationError:
            return SyncHistory()

    def record(self, sync: SyncRecord) -> None:
        """Keep the record of a sync; only one sync runs at a time."""
        text = self.history().with_sync(sync).model_dump_json()
        with s3_errors():
            self._client.put_object(
                Bucket=self._bucket, Key=HISTORY, Body=text.encode(), ContentType="application/json"
            )

    @cached_property
    def _client(self) -> Any:
        return self._connect()


class BucketLibrary:
    """A DocumentLibrary; the bucket's events begin the syncs."""

    def __init__(self, store: BucketStore, index: DocumentIndex) -> None:
        self._store = store
        self._index = index

    def list(self) -> tuple[DocumentState, ...]:
        """Return the documents."""
        return list_documents(self._store, self._index)

    def open_upload(self, name: str, size: int) -> Upload | None:
        """Return the form that S3 takes."""
        return self._store.open_upload(name, size)

    def write(self, name: str, content: bytes) -> DocumentState:
        """Refuse: clients send contents to S3."""
        del content
        raise InvalidDocument(
            f"The API does not take the content of {check_name(name)}.", remedy="Send it to the upload's URL."
        )

    def delete(self, name: str) -> None:
        """Delete a document; the next sync forgets its sections."""
        self._store.delete(name)

    def history(self) -> SyncHistory:
        """Return the last syncs."""
        return self._store.history()
