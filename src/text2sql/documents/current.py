"""Documents that are synced when somebody asks, so that a change is followed by the next question."""

import logging
from threading import Lock

from text2sql.documents.port import DocumentIndex, DocumentStore
from text2sql.documents.sync import sync_documents
from text2sql.errors import Text2SqlError
from text2sql.guardrail.port import Guardrail
from text2sql.messages import Passage

SECONDS = 5.0
"""A question begins to read no document after so many seconds; the next one goes on."""

_log = logging.getLogger(__name__)


class CurrentDocuments:
    """Searches an index, after it has been brought in line with the store; safe for threads."""

    def __init__(self, store: DocumentStore, index: DocumentIndex, guardrail: Guardrail) -> None:
        self._store = store
        self._index = index
        self._guardrail = guardrail
        self._lock = Lock()

    def search(self, question: str, limit: int) -> tuple[Passage, ...]:
        """Return what the index finds; what could not be synced is as it was, and the log says why."""
        with self._lock:
            try:
                report = sync_documents(self._store, self._index, self._guardrail, SECONDS)
                if report.waiting:
                    _log.warning("documents wait for the next sync: %d", report.waiting)
            except Text2SqlError as error:
                _log.warning("the documents could not be synced: %s", error.code)
        return self._index.search(question, limit)
