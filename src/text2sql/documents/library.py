"""What people see of the documents: what is there, what became of each, and the syncs so far."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, Protocol, TypeAlias

from pydantic import Field

from text2sql.documents.port import DocumentIndex, DocumentStore, StoredDocument
from text2sql.documents.sync import SyncReport
from text2sql.messages import Message

KEPT_SYNCS = 50
"""As many syncs are remembered."""

DocumentStateName: TypeAlias = Literal["waiting", "indexed", "failed"]


class DocumentState(Message):
    """A document, and what became of it."""

    name: str
    size: int
    """Bytes."""
    state: DocumentStateName
    """`waiting` for the next sync, `indexed`, or `failed` for `problem`."""
    sections: int = 0
    left_out: int = 0
    """Sections that the guardrail stopped, or that give orders to a model."""
    problem: str = ""


class Upload(Message):
    """Where and how a client sends a document's content."""

    method: Literal["POST", "PUT"]
    url: str
    fields: Mapping[str, str] = Field(default_factory=dict)
    """Of the form, before its `file`; empty where the body is the content."""
    expires_in: int
    """Seconds."""


class SyncRecord(Message):
    """A sync that has ended."""

    id: str
    started: datetime
    ended: datetime
    state: Literal["done", "failed"]
    indexed: int = 0
    removed: int = 0
    failed: int = 0
    schema_changes: int = 0
    """Tables and columns of the database that are new, gone or other."""
    misfits: int = 0
    """Descriptions, terms and metrics that do not fit the database."""
    problem: str = ""
    """Why the sync as a whole failed; safe to show."""


class SyncHistory(Message):
    """The last syncs, the newest first."""

    syncs: tuple[SyncRecord, ...] = ()

    def with_sync(self, record: SyncRecord) -> "SyncHistory":
        """Return the history with one more; one of the same id is replaced."""
        others = tuple(each for each in self.syncs if each.id != record.id)
        return SyncHistory(syncs=(record, *others)[:KEPT_SYNCS])


class DocumentLibrary(Protocol):
    """The documents of one datasource, for the API."""

    def list(self) -> tuple[DocumentState, ...]:
        """Return the documents, in the order of names.

        Raises:
            KnowledgeBaseUnavailable: they cannot be listed.
        """
        ...

    def open_upload(self, name: str, size: int) -> Upload | None:
        """Return where the content is to be sent; None where `write` takes it.

        Raises:
            InvalidDocument: no document may have this name or this many bytes.
        """
        ...

    def write(self, name: str, content: bytes) -> DocumentState:
        """Keep a document, index it, and return what became of it.

        Raises:
            InvalidDocument: no document may have this name or this many bytes.
            KnowledgeBaseUnavailable, GuardrailUnavailable: it is kept, and waits for the next sync.
        """
        ...

    def delete(self, name: str) -> None:
        """Delete a document; its sections are told no more.

        Raises:
            InvalidDocument: no document can be called this.
            KnowledgeBaseUnavailable: it cannot be deleted.
        """
        ...

    def history(self) -> SyncHistory:
        """Return the last syncs.

        Raises:
            KnowledgeBaseUnavailable: they cannot be read.
        """
        ...


def list_documents(store: DocumentStore, index: DocumentIndex) -> tuple[DocumentState, ...]:
    """Return what is kept, and what the index says of it.

    Raises:
        KnowledgeBaseUnavailable: as the ports say.
    """
    known = index.known()

    def describe(document: StoredDocument) -> DocumentState:
        indexed = known.get(document.name)
        if indexed is None or indexed.version != document.version:
            return DocumentState(name=document.name, size=document.size, state="waiting")
        return DocumentState(
            name=document.name,
            size=document.size,
            state="failed" if indexed.problem else "indexed",
            sections=indexed.sections,
            left_out=indexed.left_out,
            problem=indexed.problem,
        )

    return tuple(map(describe, store.list()))


def record_of(sync_id: str, started: datetime, ended: datetime, report: SyncReport) -> SyncRecord:
    """Return the record of a sync that came to its end."""
    return SyncRecord(
        id=sync_id,
        started=started,
        ended=ended,
        state="done",
        indexed=report.indexed,
        removed=report.removed,
        failed=report.failed,
    )
