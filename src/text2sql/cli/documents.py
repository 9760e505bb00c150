"""`text2sql documents`: the free documents about a database, and what a question finds in them."""

import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import click

from text2sql.cli.options import knowledge_option, load_settings

if TYPE_CHECKING:
    from text2sql.documents.port import DocumentIndex, DocumentStore
    from text2sql.documents.sync import SyncReport
    from text2sql.settings import Settings


@click.group()
def documents() -> None:
    """Look after the documents about a database; see docs/knowledge.md."""


@documents.command()
@knowledge_option
def sync(knowledge: Path | None) -> int:
    """Read what is new or changed, and exit with 1 where a document cannot be used.

    With TEXT2SQL_KNOWLEDGE_BUCKET these are the bucket's, and what indexes them is made where it is missing.
    """
    from text2sql.services import open_document_bucket, open_document_folder

    settings = load_settings(knowledge_dir=knowledge)
    if settings.knowledge_bucket:
        store, index = open_document_bucket(settings, is_sync=True)
        index.prepare()
        try:
            report = _sync(settings, store, index)
        finally:
            index.publish()
        index.start_ingestion(uuid.uuid4().hex)
    else:
        report = _sync(settings, *open_document_folder(settings))
    click.echo(f"{report.indexed} indexed, {report.removed} removed, {report.failed} failed")
    return 1 if report.failed else 0


def _open(settings: "Settings") -> "tuple[DocumentStore, DocumentIndex]":
    from text2sql.services import open_document_bucket, open_document_folder

    return open_document_bucket(settings) if settings.knowledge_bucket else open_document_folder(settings)


def _sync(settings: "Settings", store: "DocumentStore", index: "DocumentIndex") -> "SyncReport":
    from text2sql.cli.progress import show_progress
    from text2sql.documents.sync import sync_documents
    from text2sql.services import open_guardrail

    with show_progress() as progress:
        return sync_documents(
            store,
            index,
            open_guardrail(settings),
            on_document=lambda name, number, total: progress.say(f"Reading {number} of {total}: {name}"),
        )


@documents.command("list")
@knowledge_option
def show(knowledge: Path | None) -> None:
    """Print the documents that are there, and what became of each."""
    from text2sql.documents.library import list_documents

    for document in list_documents(*_open(load_settings(knowledge_dir=knowledge))):
        left_out = f", {document.left_out} left out" if document.left_out else ""
        told = {"waiting": "waits for a sync", "failed": document.problem}
        state = told.get(document.state, f"{document.sections} sections{left_out}")
        click.echo(f"{document.name}: {state}")


@documents.command()
@click.argument("question")
@knowledge_option
def search(question: str, knowledge: Path | None) -> None:
    """Print what QUESTION finds in the documents that are synced, the best first, with the scores."""
    from text2sql.retrieval.local import MAX_SECTIONS

    _, index = _open(load_settings(knowledge_dir=knowledge))
    for passage in index.search(question, MAX_SECTIONS):
        click.echo(f"{passage.score:.2f}  {passage.source}\n      {passage.text}")
