"""The documents of a folder of this machine, which are synced as soon as they change."""

import uuid
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

from pydantic import ValidationError

from text2sql.documents.folder import FolderStore
from text2sql.documents.library import (
    DocumentState,
    SyncHistory,
    SyncRecord,
    Upload,
    list_documents,
    record_of,
)
from text2sql.documents.port import DocumentIndex
from text2sql.documents.reading import check_name, check_size
from text2sql.documents.sync import SyncReport, sync_documents
from text2sql.errors import Text2SqlError
from text2sql.guardrail.port import Guardrail
from text2sql.private_file import write_private


class FolderLibrary:
    """A DocumentLibrary; `write` and `delete` sync before they return."""

    def __init__(self, store: FolderStore, index: DocumentIndex, guardrail: Guardrail, history: Path) -> None:
        """`history` is the file that the last syncs are kept in."""
        self._store = store
        self._index = index
        self._guardrail = guardrail
        self._history = history
        self._lock = Lock()

    def list(self) -> tuple[DocumentState, ...]:
        """Return the documents."""
        return list_documents(self._store, self._index)

    def open_upload(self, name: str, size: int) -> Upload | None:
        """Return None, where `write` would take the content."""
        check_name(name)
        check_size(name, size)
        return None

    def write(self, name: str, content: bytes) -> DocumentState:
        """Keep a document and index it."""
        self._store.write(name, content)
        self._sync()
        gone = DocumentState(name=name, size=len(content), state="waiting")  # another has deleted it since
        return next((document for document in self.list() if document.name == name), gone)

    def delete(self, name: str) -> None:
        """Delete a document, and forget its sections."""
        self._store.delete(name)
        self._sync()

    def history(self) -> SyncHistory:
        """Return the last syncs; none where the file is missing or damaged."""
        with suppress(OSError, ValidationError):
            return SyncHistory.model_validate_json(self._history.read_text("utf-8"))
        return SyncHistory()

    def _sync(self) -> None:
        """Bring the index in line with the folder, one request at a time, and keep how it ended."""
        with self._lock:
            started, sync_id = datetime.now(UTC), uuid.uuid4().hex
            try:
                report = sync_documents(self._store, self._index, self._guardrail)
            except Text2SqlError as error:
                failed = record_of(sync_id, started, datetime.now(UTC), SyncReport())
                problem = f"{error.message} {error.remedy}".strip()
                self._keep(failed.model_copy(update={"state": "failed", "problem": problem}))
                raise
            self._keep(record_of(sync_id, started, datetime.now(UTC), report))

    def _keep(self, record: SyncRecord) -> None:
        self._history.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(self._history, self.history().with_sync(record).model_dump_json())
