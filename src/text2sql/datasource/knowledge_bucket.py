"""The knowledge and the access policy of a bucket of Amazon S3, fetched to the cache folder."""

import hashlib
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

from text2sql.datasource.knowledge import KnownFiles
from text2sql.errors import InvalidKnowledge, InvalidPolicy, KnowledgeBaseUnavailable
from text2sql.private_file import write_private

FRESH_SECONDS = 60.0
"""How long what was fetched is used before S3 is asked whether it still holds."""
_POLICY = "policy.yaml"
_NAMES = (_POLICY, "catalog.yaml", "glossary.yaml", "metrics.yaml", "verified.yaml")


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
                for name in _NAMES:
                    self._fetch(name)
                if _POLICY not in self._versions:
                    raise InvalidPolicy(
                        "The bucket of TEXT2SQL_KNOWLEDGE_BUCKET holds no policy.yaml.",
                        remedy="Put one there; see docs/policy.md for the format.",
                    )
                self._fresh_until = asked_at + FRESH_SECONDS
            version = " ".join(self._versions.get(name, "-") for name in _NAMES)
            return KnownFiles(self._folder, self._folder / _POLICY, version)

    def _fetch(self, name: str) -> None:
        """Make the file here what it is in the bucket."""
        from botocore.exceptions import BotoCoreError, ClientError

        known = self._versions.get(name)
        path = self._folder / name
        try:
            found = self._client.get_object(
                Bucket=self._bucket, Key=name, **({"IfNoneMatch": known} if known else {})
            )
            text = found["Body"].read().decode()
        except ClientError as error:
            if error.response["Error"]["Code"] == "304":
                return
            if error.response["Error"]["Code"] != "NoSuchKey":
                raise _unavailable() from error
            self._versions.pop(name, None)
            path.unlink(missing_ok=True)
        except BotoCoreError as error:
            raise _unavailable() from error
        except UnicodeDecodeError as error:
            raise InvalidKnowledge(f"{name} cannot be read.", remedy="Save it as UTF-8 YAML.") from error
        else:
            self._versions.pop(name, None)
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(path, text)
            self._versions[name] = found["ETag"]

    @cached_property
    def _client(self) -> Any:
        return self._connect()


def connect_to_s3() -> Any:
    """Return boto3's client; Region and credentials come from the AWS environment."""
    import boto3
    from botocore.config import Config

    limits = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
    return boto3.client("s3", config=limits)


def _unavailable() -> KnowledgeBaseUnavailable:
    return KnowledgeBaseUnavailable(
        "The bucket of TEXT2SQL_KNOWLEDGE_BUCKET does not answer.", remedy="Ask again in a while."
    )
