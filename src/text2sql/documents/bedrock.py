"""The index behind a knowledge base of Amazon Bedrock, which reads sections from a bucket."""

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from hashlib import sha256
from typing import Any, Literal
from urllib.parse import quote

from text2sql.datasource.s3 import s3_errors
from text2sql.documents.bedrock_errors import bedrock_errors, code_of
from text2sql.documents.manifest import Manifest, key_of
from text2sql.documents.port import IndexedDocument, IngestionFailure, IngestionState, Section
from text2sql.documents.telling import passage
from text2sql.errors import InvalidSettings, KnowledgeBaseUnavailable
from text2sql.messages import Passage

SECTIONS = "sections/"
"""Below this prefix lie the objects that the knowledge base's data source is to read."""
LEAST_SCORE = 0.4
"""A section that scores less is not told; chosen without a measurement on the service."""
SPARE_RESULTS = 20
"""So many more are asked for than are told, because old ones may be among them."""
MOST_RESULTS = 100
"""`Retrieve` gives no more."""
_CALLS = 8
"""At a time, where sections are written."""
_RIGHTS = (
    "bedrock:Retrieve, bedrock:GetKnowledgeBase, bedrock:StartIngestionJob and bedrock:GetIngestionJob"
    " on the knowledge base"
)
_ENDED: Mapping[str, Literal["done", "failed"]] = {
    "COMPLETE": "done",
    "FAILED": "failed",
    "STOPPED": "failed",
}


class BedrockIndex:
    """A BucketIndex whose changes are found after an ingestion; what was removed is not told at once.

    Each section is an object of its own, so the data source must not chunk (`chunkingStrategy: NONE`).
    """

    def __init__(
        self,
        knowledge_base: str,
        data_source: str,
        manifest: Manifest,
        connect: Callable[[str], Any],
        least_score: float = LEAST_SCORE,
    ) -> None:
        """Ask nothing yet.

        Args:
            knowledge_base: its id.
            data_source: the id of its data source, which reads `SECTIONS` of the manifest's bucket.
            manifest: what is indexed, and where.
            connect: makes boto3's client for a service, for the first call.
            least_score: of a section that may be told.
        """
        self._ids = {"knowledgeBaseId": knowledge_base, "dataSourceId": data_source}
        self._manifest = manifest.made_for("bedrock 1")
        self._connect = connect
        self._least_score = least_score
        self._prefix = f"{SECTIONS}{quote(manifest.datasource, safe='')}/"

    def known(self) -> Mapping[str, IndexedDocument]:
        """Return what the manifest holds."""
        return {name: entry.document for name, entry in sorted(self._manifest.entries().items())}

    def put(self, document: IndexedDocument, sections: tuple[Section, ...]) -> None:
        """Write the sections for the next ingestion, and delete those before; none is told until then."""
        stamp = self._manifest.stamp(document, sections)
        if not self._manifest.is_begun():
            self._delete(self._prefix)
        folder, storage = self._folder(document.name), self._storage
        attributes = {"datasource": self._manifest.datasource, "document": document.name, "version": stamp}

        def write(numbered: tuple[int, Section]) -> None:
            number, section = numbered
            key = f"{folder}{stamp}/{number}.txt"
            titled = attributes | ({"title": section.title} if section.title else {})  # no value may be empty
            about = json.dumps({"metadataAttributes": titled})
            for name, text in ((key, "\n".join(filter(None, section))), (f"{key}.metadata.json", about)):
                storage.put_object(Bucket=self._manifest.bucket, Key=name, Body=text.encode())

        with s3_errors(), ThreadPoolExecutor(_CALLS) as calls:
            list(calls.map(write, enumerate(sections)))
        self._delete(folder, but=f"{folder}{stamp}/")
        self._manifest.put(document, stamp)

    def remove(self, name: str) -> None:
        """Delete the sections; none is told from now on, and the next ingestion forgets them."""
        self._delete(self._folder(name))
        self._manifest.remove(name)

    def search(self, question: str, limit: int) -> tuple[Passage, ...]:
        """Return what Bedrock finds, but for what the manifest does not hold any more.

        Raises:
            InvalidSettings: Bedrock refuses the credentials, or has no such knowledge base.
        """
        entries = self._manifest.entries()
        if not entries or not question.strip():
            return ()
        with self._asking():
            reply = self._runtime.retrieve(
                knowledgeBaseId=self._ids["knowledgeBaseId"],
                retrievalQuery={"text": question},
                retrievalConfiguration={
                    "vectorSearchConfiguration": {
                        "numberOfResults": min(limit + SPARE_RESULTS, MOST_RESULTS),
                        "filter": {"equals": {"key": "datasource", "value": self._manifest.datasource}},
                    }
                },
            )
        told = list[Passage]()
        for result in reply["retrievalResults"]:
            about, score = result.get("metadata", {}), result.get("score", 0.0)
            entry = entries.get(about.get("document", ""))
            if entry and entry.stamp == about.get("version") and score >= self._least_score:
                title = about.get("title", "")
                text = result["content"].get("text", "").removeprefix(title).strip()
                told.append(passage(entry.document.name, Section(title, text), score))
        return tuple(told[:limit])

    def prepare(self) -> None:
        """Do nothing: Terraform makes the knowledge base."""

    def publish(self) -> None:
        """Do nothing: each change is in the bucket at once, for the next ingestion."""

    def start_ingestion(self, sync: str) -> str:
        """Have Bedrock read what has changed, and return the job's id.

        `sync` names what the ingestion is for: asked for once more with the same, Bedrock starts no second.

        Raises:
            KnowledgeBaseUnavailable: an ingestion runs already, or the knowledge base is still being made.
            InvalidSettings: as `search` says.
        """
        with self._asking():
            reply = self._agent.start_ingestion_job(
                **self._ids, clientToken=sha256(sync.encode()).hexdigest()
            )
        return str(reply["ingestionJob"]["ingestionJobId"])

    def ingestion_state(self, job: str) -> IngestionState:
        """Return how far an ingestion is.

        Raises:
            KnowledgeBaseUnavailable: Bedrock does not answer.
            InvalidSettings: as `search` says.
        """
        with self._asking():
            reply = self._agent.get_ingestion_job(**self._ids, ingestionJobId=job)
        found = reply["ingestionJob"]
        counts = found.get("statistics", {})
        return IngestionState(
            status=_ENDED.get(found["status"], "running"),
            scanned=counts.get("numberOfDocumentsScanned", 0),
            indexed=counts.get("numberOfNewDocumentsIndexed", 0)
            + counts.get("numberOfModifiedDocumentsIndexed", 0),
            removed=counts.get("numberOfDocumentsDeleted", 0),
            failed=counts.get("numberOfDocumentsFailed", 0),
            failures=tuple(self._failures(found.get("failureReasons", ()))),
        )

    def _failures(self, reasons: list[str]) -> Iterator[IngestionFailure]:
        """Name the documents whose sections a reason names."""
        folders = {self._folder(name): name for name in self._manifest.entries()} if reasons else {}
        for reason in reasons:
            named = [name for folder, name in folders.items() if folder in reason]
            for name in named or [""]:
                yield IngestionFailure(document=name, reason=reason)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Translate errors; where one has several reasons, the knowledge base's state tells which."""
        from botocore.exceptions import ClientError

        with bedrock_errors(_RIGHTS):
            try:
                yield
            except ClientError as error:
                if code_of(error) in {"ConflictException", "ValidationException"}:
                    self._check_state(error)
                raise

    def _check_state(self, error: Exception) -> None:
        found = self._agent.get_knowledge_base(knowledgeBaseId=self._ids["knowledgeBaseId"])
        status = found["knowledgeBase"]["status"]
        if status in {"CREATING", "UPDATING"}:
            raise KnowledgeBaseUnavailable(
                "The knowledge base is still being made.", remedy="Try again in a few minutes."
            ) from error
        if status != "ACTIVE":
            raise InvalidSettings(
                "The knowledge base could not be made, or is being deleted.",
                remedy="See its state in the Amazon Bedrock console, and make it anew.",
            ) from error

    def _folder(self, name: str) -> str:
        return f"{self._prefix}{key_of(name)}/"

    def _delete(self, prefix: str, but: str = "") -> None:
        """Delete what lies below a prefix, except for what lies below another."""
        with s3_errors():
            pages = self._storage.get_paginator("list_objects_v2").paginate(
                Bucket=self._manifest.bucket, Prefix=prefix
            )
            for page in pages:
                keys = [each["Key"] for each in page.get("Contents", ())]
                old = [{"Key": key} for key in keys if not but or not key.startswith(but)]
                if old and self._storage.delete_objects(
                    Bucket=self._manifest.bucket, Delete={"Objects": old, "Quiet": True}
                ).get("Errors"):
                    raise KnowledgeBaseUnavailable(
                        "Sections of a document could not be deleted.", remedy="Allow s3:DeleteObject."
                    )

    @cached_property
    def _storage(self) -> Any:
        return self._connect("s3")

    @cached_property
    def _agent(self) -> Any:
        return self._connect("bedrock-agent")

    @cached_property
    def _runtime(self) -> Any:
        return self._connect("bedrock-agent-runtime")
