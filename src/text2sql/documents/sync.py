"""Brings an index in line with the documents that are kept now, one document at a time.

What was done stays done: a sync that is broken off goes on where it stopped.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

from text2sql.datasource.planted import gives_orders
from text2sql.documents.port import DocumentIndex, DocumentStore, IndexedDocument, Section, StoredDocument
from text2sql.documents.reading import check_name, check_size, read_document
from text2sql.errors import InvalidDocument
from text2sql.guardrail.port import Guardrail


class SyncReport(NamedTuple):
    """What a sync did, in numbers of documents."""

    indexed: int = 0
    """Read anew, and told from now on."""
    removed: int = 0
    failed: int = 0
    """Read anew, and not told; the index says why."""
    waiting: int = 0
    """Left for the next sync, because the time was over."""


def sync_documents(
    store: DocumentStore,
    index: DocumentIndex,
    guardrail: Guardrail,
    seconds: float = float("inf"),
    on_document: Callable[[str, int, int], None] = lambda _name, _number, _all: None,
) -> SyncReport:
    """Index what is new or changed, and forget what is gone; begin no document after so many seconds.

    `on_document` is told each document before it is read, its number and how many there are to read.

    Raises:
        KnowledgeBaseUnavailable: as the ports say.
        GuardrailUnavailable: the guardrail did not answer; the document is read at the next sync.
    """
    end = time.monotonic() + seconds
    stored, known = store.list(), index.known()
    gone = known.keys() - {document.name for document in stored}
    for name in sorted(gone):
        index.remove(name)
    versions = {name: document.version for name, document in known.items()}
    changed = [document for document in stored if versions.get(document.name) != document.version]
    report = SyncReport(removed=len(gone))
    for number, document in enumerate(changed, 1):
        if time.monotonic() >= end:
            return report._replace(waiting=len(changed) - number + 1)
        on_document(document.name, number, len(changed))
        indexed, sections = _read(document, store, guardrail)
        index.put(indexed, sections)
        if indexed.problem:
            report = report._replace(failed=report.failed + 1)
        else:
            report = report._replace(indexed=report.indexed + 1)
    return report


def _read(
    document: StoredDocument, store: DocumentStore, guardrail: Guardrail
) -> tuple[IndexedDocument, tuple[Section, ...]]:
    """Return what may be told of a document, and what is to be said of it."""
    indexed = IndexedDocument(name=document.name, version=document.version)
    try:
        check_name(document.name)
        check_size(document.name, document.size)
        sections = read_document(document.name, store.read(document))
    except InvalidDocument as error:
        return indexed.model_copy(update={"problem": f"{error.message} {error.remedy}".strip()}), ()
    screened = tuple(filter(None, (_screen(section, guardrail) for section in sections)))
    counts = {"sections": len(screened), "left_out": len(sections) - len(screened)}
    problem = "" if screened else "The guardrail stops all of it. Take out what no question may hold."
    return indexed.model_copy(update={**counts, "problem": problem}), screened


def _screen(section: Section, guardrail: Guardrail) -> Section | None:
    """Return the section as a question may hold it; None where it is stopped, or gives orders."""
    if gives_orders(section.title) or gives_orders(section.text):
        return None
    screened = [guardrail.screen(text, "input") if text else None for text in section]
    if any(each and each.blocked_message is not None for each in screened):
        return None
    title, text = (each.text if each else "" for each in screened)
    return Section(title, text)
