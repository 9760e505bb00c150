"""The result store on Amazon S3: rows in pages, each an object; the bucket's lifecycle rule forgets them."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from itertools import islice
from typing import Any

from text2sql.errors import JobStoreUnavailable

PAGE_ROWS = 1000


class S3ResultStore:
    """ResultStore, and what keeps large replies; boto3's client is made by `connect` for the first call."""

    def __init__(self, bucket: str, connect: Callable[[], Any]) -> None:
        self._bucket = bucket
        self._connect = connect

    def put_rows(self, job_id: str, rows: Iterable[str]) -> int:
        """Keep rows in pages; the last one that a longer result had goes first."""
        with _translated():
            for key in self._keys(f"{job_id}/rows/"):
                self._client.delete_object(Bucket=self._bucket, Key=key)
        count = 0
        pending = iter(rows)
        while page := tuple(islice(pending, PAGE_ROWS)):
            self._put(_page(job_id, count), "\n".join(page))
            count += len(page)
        return count

    def get_rows(self, job_id: str, start: int, count: int) -> tuple[str, ...]:
        """Return rows of the pages that hold them."""
        first = start - start % PAGE_ROWS
        rows: list[str] = []
        for begin in range(first, start + count, PAGE_ROWS):
            text = self._get(_page(job_id, begin))
            page = text.split("\n") if text is not None else []
            rows += page
            if len(page) < PAGE_ROWS:
                break
        return tuple(rows[start - first : start - first + count])

    def put_reply(self, job_id: str, text: str) -> str:
        """Keep a reply under a key that is made of what it says."""
        key = f"{job_id}/reply-{hashlib.sha256(text.encode()).hexdigest()[:32]}.json"
        self._put(key, text)
        return key

    def get_reply(self, key: str) -> str:
        """Return a reply.

        Raises:
            JobStoreUnavailable: also where it is not there any more.
        """
        text = self._get(key)
        if text is None:
            raise _unavailable()
        return text

    # ── the bucket ───────────────────────────────────────────────────────────────────────────────

    @cached_property
    def _client(self) -> Any:
        return self._connect()

    def _put(self, key: str, text: str) -> None:
        with _translated():
            self._client.put_object(
                Bucket=self._bucket, Key=key, Body=text.encode(), ContentType="application/json"
            )

    def _get(self, key: str) -> str | None:
        with _translated():
            try:
                body: bytes = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            except self._client.exceptions.NoSuchKey:
                return None
        return body.decode()

    def _keys(self, prefix: str) -> Iterator[str]:
        for page in self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix
        ):
            yield from (each["Key"] for each in page.get("Contents", ()))


def _page(job_id: str, start: int) -> str:
    return f"{job_id}/rows/{start:06}.jsonl"


@contextmanager
def _translated() -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise _unavailable() from error


def _unavailable() -> JobStoreUnavailable:
    return JobStoreUnavailable("The answers can be neither kept nor read.", remedy="Ask again in a while.")
