"""The knowledge and the access policy of a bucket of Amazon S3, fetched to the cache folder."""

import hashlib
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

from text2sql.datasource.knowledge import KnownFiles
from text2sql.datasource.s3 import s3_errors
from text2sql.errors import InvalidKnowledge, InvalidPolicy
from text2sql.private_file import write_private

FRESH_SECONDS = 60.0
"""How long what was fetched is used before S3 is asked whether it still holds."""
_POLICY = "policy.yaml"
FILES = (_POLICY, "catalog.yaml", "glossary.yaml", "metrics.yaml", "verified.yaml")
"""What is read of a bucket, beside its documents."""


class KnowledgeBucket:
    """The files of a bucket; safe for threads. boto3's client is made by `connect` for the first call."""

    def __init__(
        self,
        bucket: str,
        folder: Path,
        connect: Callable[[], Any],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Fetch nothing yet.

        Args:
            bucket: its name.
            folder: where buckets' files are kept, each in a folder of its own.
            connect: makes boto3's client for S3.
            clock: seconds that never go back.
        """
        self._bucket = bucket
        self._folder = folder / hashlib.sha256(bucket.encode()).hexdigest()[:24]
        self._connect = connect
        self._clock = clock
        self._lock = Lock()
        self._versions: dict[str, str] = {}
        """What S3 calls the state of each file that is here."""
        self._fresh_until = float("-inf")

    def fetch(self) -> KnownFiles:
        """Return the files as they were in the bucket at most a minute ago.

        Raises:
            KnowledgeBaseUnavailable: S3 does not answer; what was fetched before is not used then.
            InvalidPolicy: the bucket holds no policy, which must not mean that everybody sees all.
            InvalidKnowledge: a file is no text.
        """
        with self._lock:
            if self._clock() >= self._fresh_until:
                asked_at = self._clock()
                for name in FILES:
                    self._fetch(name)
                if _POLICY not in self._versions:
                    raise InvalidPolicy(
                        "The bucket of TEXT2SQL_KNOWLEDGE_BUCKET holds no policy.yaml.",
                        remedy="Put one there; see docs/policy.md for the format.",
                    )
                self._fresh_until = asked_at + FRESH_SECONDS
            version = " ".join(self._versions.get(name, "-") for name in FILES)
            return KnownFiles(self._folder, self._folder / _POLICY, version)

    def _fetch(self, name: str) -> None:
        """Make the file here what it is in the bucket."""
        from botocore.exceptions import ClientError

        known = self._versions.get(name)
        path = self._folder / name
        condition = {"IfNoneMatch": known} if known else {}
        with s3_errors():
            try:
                found = self._client.get_object(Bucket=self._bucket, Key=name, **condition)
                content: bytes = found["Body"].read()
            except ClientError as error:
                if error.response["Error"]["Code"] == "304":
                    return
                if error.response["Error"]["Code"] != "NoSuchKey":
                    raise
                self._versions.pop(name, None)
                path.unlink(missing_ok=True)
                return
        try:
            text = content.decode()
        except UnicodeDecodeError as error:
            raise InvalidKnowledge(f"{name} cannot be read.", remedy="Save it as UTF-8 YAML.") from error
        self._versions.pop(name, None)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, text)
        self._versions[name] = found["ETag"]

    @cached_property
    def _client(self) -> Any:
        return self._connect()
