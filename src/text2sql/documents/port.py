"""The ports of documents: where they are kept, and the index that finds their sections."""

from collections.abc import Mapping
from typing import Literal, NamedTuple, Protocol

from text2sql.messages import Message, Passage


class Section(NamedTuple):
    """A part of a document that can be told by itself."""

    title: str
    """What stands above it, or the term that it defines; may be empty."""
    text: str


class StoredDocument(NamedTuple):
    """A document as it is kept, unread."""

    name: str
    version: str
    """Another one whenever the content is another."""
    size: int
    """Bytes."""


class IndexedDocument(Message):
    """What became of a document at the last sync that looked at it."""

    name: str
    version: str
    sections: int = 0
    left_out: int = 0
    """Sections that the guardrail stopped, or that give orders to a model."""
    problem: str = ""
    """Why nothing of it is told, and what to do; empty where all went well."""


class DocumentStore(Protocol):
    """Where people put documents."""

    def list(self) -> tuple[StoredDocument, ...]:
        """Return what is there now, in the order of names.

        Raises:
            KnowledgeBaseUnavailable: the store does not answer.
        """
        ...

    def read(self, document: StoredDocument) -> bytes:
        """Return the content, or as much of it as tells that it is too long.

        Raises:
            KnowledgeBaseUnavailable: the store does not answer.
            InvalidDocument: it is gone, or cannot be read.
        """
        ...


class DocumentIndex(Protocol):
    """Finds sections by a question."""

    def known(self) -> Mapping[str, IndexedDocument]:
        """Return what the index holds, by name.

        Raises:
            KnowledgeBaseUnavailable: the index does not answer.
        """
        ...

    def put(self, document: IndexedDocument, sections: tuple[Section, ...]) -> None:
        """Hold these sections as the document's only ones.

        Raises:
            KnowledgeBaseUnavailable: the index does not answer.
        """
        ...

    def remove(self, name: str) -> None:
        """Forget a document.

        Raises:
            KnowledgeBaseUnavailable: the index does not answer.
        """
        ...

    def search(self, question: str, limit: int) -> tuple[Passage, ...]:
        """Return at most `limit` sections that fit the question, the best first.

        Raises:
            KnowledgeBaseUnavailable: the index does not answer.
        """
        ...


class IngestionFailure(Message):
    """Why a service could not read something; the text is its own, for an administrator."""

    document: str
    """Empty where the service names none of ours."""
    reason: str


class IngestionState(Message):
    """How far an ingestion is; the numbers count sections, each of which is a document to the service."""

    status: Literal["running", "done", "failed"]
    scanned: int = 0
    indexed: int = 0
    """New ones, and changed ones."""
    removed: int = 0
    failed: int = 0
    failures: tuple[IngestionFailure, ...] = ()


class BucketIndex(DocumentIndex, Protocol):
    """An index that a sync writes in one place, and questions search in another."""

    def prepare(self) -> None:
        """Make the index where it is missing; called before each sync.

        Raises:
            KnowledgeBaseUnavailable: the service does not answer.
            InvalidSettings: there is one that does not fit, or a right is missing.
        """
        ...

    def publish(self) -> None:
        """Let others see what was changed, as far as it went.

        Raises:
            KnowledgeBaseUnavailable: that cannot be now; what was changed is begun anew then.
        """
        ...

    def start_ingestion(self, sync: str) -> str | None:
        """Have the service take over what was changed, and return the job's id; None where it has already.

        `sync` names what the ingestion is for: asked for once more with the same, no second is started.

        Raises:
            KnowledgeBaseUnavailable: the service does not answer, or is not ready for another.
        """
        ...

    def ingestion_state(self, job: str) -> IngestionState:
        """Return how far an ingestion is.

        Raises:
            KnowledgeBaseUnavailable: the service does not answer.
        """
        ...


class FoundAtOnce:
    """What a BucketIndex needs no service for: its changes are found without an ingestion."""

    def prepare(self) -> None:
        """Do nothing: it makes itself."""

    def publish(self) -> None:
        """Do nothing: others see each change at once."""

    def start_ingestion(self, sync: str) -> None:
        """Start none."""
        del sync

    def ingestion_state(self, job: str) -> IngestionState:
        """Return that it is done."""
        del job
        return IngestionState(status="done")
