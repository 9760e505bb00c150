"""The local index as one object of a bucket: written by a sync, read by every question."""

import time
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

from text2sql.datasource.s3 import s3_errors
from text2sql.documents.local_index import LocalIndex
from text2sql.documents.port import FoundAtOnce, IndexedDocument, Section
from text2sql.errors import KnowledgeBaseUnavailable
from text2sql.messages import Passage
from text2sql.private_file import replacing

KEY = "index/documents.sqlite"
FRESH_SECONDS = 2.0
"""How long what was fetched is used before S3 is asked whether it still holds."""


class SharedIndex(FoundAtOnce):
    """A BucketIndex whose changes others see after `publish`; safe for threads that only search."""

    def __init__(
        self,
        bucket: str,
        path: Path,
        index: LocalIndex,
        connect: Callable[[], Any],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Fetch nothing yet; `index` is the one at `path`, and boto3's client is made by `connect`."""
        self._bucket = bucket
        self._path = path
        self._index = index
        self._connect = connect
        self._clock = clock
        self._lock = Lock()
        self._version = ""
        """What S3 calls the state of the file that is here; empty where there is none."""
        self._is_changed = False
        self._fresh_until = float("-inf")

    def known(self) -> Mapping[str, IndexedDocument]:
        """Return what the file holds."""
        self._fetch()
        return self._index.known()

    def put(self, document: IndexedDocument, sections: tuple[Section, ...]) -> None:
        """Change the file that is here."""
        self._fetch()
        self._is_changed = True
        self._index.put(document, sections)

    def remove(self, name: str) -> None:
        """Change the file that is here."""
        self._fetch()
        self._is_changed = True
        self._index.remove(name)

    def search(self, question: str, limit: int) -> tuple[Passage, ...]:
        """Return what the file holds; nothing where there is none yet."""
        self._fetch()
        return self._index.search(question, limit) if self._version or self._is_changed else ()

    def publish(self) -> None:
        """Put the changed file into the bucket.

        Raises:
            KnowledgeBaseUnavailable: S3 does not take it, or another sync was faster; begin anew then.
        """
        if not self._is_changed:
            return
        condition = {"IfMatch": self._version} if self._version else {"IfNoneMatch": "*"}
        self._version, self._is_changed, self._fresh_until = "", False, float("-inf")
        with s3_errors():
            stored = self._client.put_object(
                Bucket=self._bucket, Key=KEY, Body=self._path.read_bytes(), **condition
            )
        self._version = stored["ETag"]

    def _fetch(self) -> None:
        """Make the file here what it is in the bucket, but for changes that are not published."""
        from botocore.exceptions import ClientError

        with self._lock:
            if self._is_changed or self._clock() < self._fresh_until:
                return
            condition = {"IfNoneMatch": self._version} if self._version else {}
            with s3_errors():
                try:
                    found = self._client.get_object(Bucket=self._bucket, Key=KEY, **condition)
                    content = found["Body"].read()
                except ClientError as error:
                    if error.response["Error"]["Code"] == "NoSuchKey":
                        self._version = ""
                        self._path.unlink(missing_ok=True)
                    elif error.response["Error"]["Code"] != "304":
                        raise
                else:
                    self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                    try:
                        with replacing(self._path) as new:
                            new.write_bytes(content)
                    except OSError as error:
                        raise KnowledgeBaseUnavailable("There is no room for the index.") from error
                    self._version = found["ETag"]
            self._fresh_until = self._clock() + FRESH_SECONDS

    @cached_property
    def _client(self) -> Any:
        return self._connect()
