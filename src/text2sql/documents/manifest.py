"""What an index of a service holds, kept as one object of a bucket, for the service itself lags behind."""

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import quote

from pydantic import ValidationError

from text2sql.datasource.s3 import s3_errors
from text2sql.documents.port import IndexedDocument, Section
from text2sql.errors import KnowledgeBaseUnavailable
from text2sql.messages import Message

ATTEMPTS = 10
"""How often a change is tried while others change the manifest too."""
_CHANGED = {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"}


class Entry(Message):
    """A document of the index."""

    document: IndexedDocument
    stamp: str
    """What `Manifest.stamp` gives for the sections that may be told; those of another one are old."""


class _Contents(Message):
    """The object in the bucket."""

    recipe: str
    entries: Mapping[str, Entry]


class _Fetched(NamedTuple):
    etag: str = ""
    """Empty where there is no object."""
    entries: Mapping[str, Entry] | None = None
    """None where there is no object, or one that is damaged or of another recipe."""


class Manifest:
    """The documents of one datasource; safe for threads, and for several writers.

    One that is damaged, or of another index, model or guardrail policy, counts as empty.
    """

    def __init__(
        self,
        bucket: str,
        datasource: str,
        connect: Callable[[], Any],
        policy: str | None = None,
        index: str = "",
    ) -> None:
        """Fetch nothing yet.

        Args:
            bucket: the bucket's name.
            datasource: whose documents these are.
            connect: makes boto3's client for S3, for the first call.
            policy: another word for each guardrail policy; None takes what was screened by any.
            index: another text for each kind of index; indexes set it with `made_for`.
        """
        self.bucket = bucket
        self.datasource = datasource
        self._connect = connect
        self._policy = policy
        self._index = index
        self._recipe = f"{index} {policy or 'any'}"
        self._key = f"index/{quote(datasource, safe='')}/manifest.json"
        self._fetched = _Fetched()

    def made_for(self, index: str) -> "Manifest":
        """Return the same manifest for one kind of index."""
        return Manifest(self.bucket, self.datasource, self._connect, self._policy, index)

    def stamp(self, document: IndexedDocument, sections: tuple[Section, ...]) -> str:
        """Return another text for each other content, recipe and datasource."""
        told = json.dumps([self._recipe, self.datasource, document.name, document.version, *sections])
        return hashlib.sha256(told.encode()).hexdigest()[:32]

    def entries(self) -> Mapping[str, Entry]:
        """Return the documents by name, as the bucket holds them now."""
        return self._fetch().entries or {}

    def is_begun(self) -> bool:
        """Tell whether the bucket holds a manifest of this recipe; else the index is to be emptied."""
        return self._fetch().entries is not None

    def put(self, document: IndexedDocument, stamp: str) -> None:
        """Add or replace a document."""
        self._change(lambda entries: {**entries, document.name: Entry(document=document, stamp=stamp)})

    def remove(self, name: str) -> None:
        """Take a document out; one that is not there is none."""
        if name in self.entries():
            self._change(lambda entries: {key: entry for key, entry in entries.items() if key != name})

    def _change(self, change: Callable[[Mapping[str, Entry]], Mapping[str, Entry]]) -> None:
        """Write what `change` makes of the entries, unless another has written meanwhile; then once more."""
        from botocore.exceptions import ClientError

        for _ in range(ATTEMPTS):
            etag, before = self._fetch()
            entries = change(before or {})
            content = _Contents(recipe=self._recipe, entries=entries).model_dump_json().encode()
            with s3_errors():
                try:
                    stored = self._client.put_object(
                        Bucket=self.bucket,
                        Key=self._key,
                        Body=content,
                        ContentType="application/json",
                        **({"IfMatch": etag} if etag else {"IfNoneMatch": "*"}),
                    )
                except ClientError as error:
                    if error.response["Error"]["Code"] not in _CHANGED:
                        raise
                else:
                    self._fetched = _Fetched(stored["ETag"], entries)
                    return
        raise KnowledgeBaseUnavailable(
            "Others are changing the index of documents.", remedy="Try again in a while."
        )

    def _fetch(self) -> _Fetched:
        """Return what the bucket holds now; what has not changed is not sent again."""
        from botocore.exceptions import ClientError

        known = self._fetched
        with s3_errors():
            try:
                found = self._client.get_object(
                    Bucket=self.bucket, Key=self._key, **({"IfNoneMatch": known.etag} if known.etag else {})
                )
                content = found["Body"].read()
            except ClientError as error:
                if error.response["Error"]["Code"] == "304":
                    return known
                if error.response["Error"]["Code"] != "NoSuchKey":
                    raise
                self._fetched = _Fetched()
            else:
                self._fetched = fetched = _Fetched(found["ETag"], self._read(content))
                return fetched
        return _Fetched()

    def _read(self, content: bytes) -> Mapping[str, Entry] | None:
        try:
            contents = _Contents.model_validate_json(content)
        except ValidationError:
            return None
        index, _, _ = contents.recipe.rpartition(" ")
        is_ours = contents.recipe == self._recipe or (self._policy is None and index == self._index)
        return contents.entries if is_ours else None

    @cached_property
    def _client(self) -> Any:
        return self._connect()


def key_of(name: str) -> str:
    """Return what stands for a document's name where only some characters, or so many, are allowed."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]
