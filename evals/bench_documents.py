"""`make bench-documents`: how long documents take to be indexed and found, and how much memory that takes.

The documents are made up: glossaries, rules and tables in Markdown, text and CSV, of about 3 KB each.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import click
from bench_figures import machine_lines

from text2sql.documents.folder import FolderStore
from text2sql.documents.local_index import LocalIndex
from text2sql.documents.sync import sync_documents
from text2sql.embeddings import SentenceEmbeddings
from text2sql.guardrail.local import LocalGuardrail

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "evals" / "results" / "documents.json"
SIZES = (10, 100, 1000)
QUESTIONS = 50
SUBJECTS = (
    "parcel",
    "invoice",
    "supplier",
    "customer",
    "refund",
    "shelf",
    "voucher",
    "courier",
    "tariff",
    "deposit",
)
MOODS = (
    "early",
    "late",
    "heavy",
    "fragile",
    "foreign",
    "seasonal",
    "urgent",
    "returned",
    "doubtful",
    "premium",
)


@click.command()
def bench_documents() -> int:
    """Index each number of documents in a process of its own, then break one off and let it go on."""
    figures = {}
    with tempfile.TemporaryDirectory(prefix="text2sql-documents-") as name:
        for size in SIZES:
            folder = Path(name) / str(size)
            write_documents(folder / "documents", size)
            figures[str(size)] = _child(folder)
            click.echo(f"{size:5} documents: {figures[str(size)]}")
        resumed = _break_off_and_resume(Path(name) / "broken", SIZES[1])
    click.echo(f"broken off after {resumed['kept']} of {SIZES[1]}; the next run read {resumed['read']}")
    kept = {"machine": machine_lines(), "documents": figures, "resumed": resumed}
    RESULTS.write_text(json.dumps(kept, indent=1) + "\n", "utf-8")
    return 0


def write_documents(folder: Path, count: int) -> None:
    """Write so many documents, a third of each kind."""
    folder.mkdir(parents=True)
    for number in range(count):
        terms = [
            (f"{MOODS[(number + step) % 10]} {SUBJECTS[step % 10]} {number}", step) for step in range(12)
        ]
        if number % 3 == 0:
            lines = [f"- **{term}**: {_meaning(term, step)}" for term, step in terms]
            (folder / f"glossary {number}.md").write_text(f"# Terms {number}\n\n" + "\n".join(lines), "utf-8")
        elif number % 3 == 1:
            (folder / f"rules {number}.txt").write_text(" ".join(_meaning(*each) for each in terms), "utf-8")
        else:
            rows = [f"{term};{_meaning(term, step)};unit {step}" for term, step in terms]
            (folder / f"table {number}.csv").write_text("term;meaning;unit\n" + "\n".join(rows), "utf-8")


def _meaning(term: str, step: int) -> str:
    return (
        f"The {term} counts from the day on which it was booked, in groups of {step + 2}, and is left out of"
        f" the yearly report where its value is below {step * 7 + 3} euros or nobody signed for it in time."
    )


def _child(folder: Path, documents: int = 0) -> dict[str, float]:
    """Return the figures of a process of its own; one that is to stop early is killed."""
    command = [sys.executable, __file__, "--index", str(folder), str(documents)]
    done = subprocess.run(command, check=not documents, stdout=subprocess.PIPE)  # noqa: S603 — this file
    figures: dict[str, float] = json.loads(done.stdout or b"{}")
    return figures


def _break_off_and_resume(folder: Path, count: int) -> dict[str, int]:
    write_documents(folder / "documents", count)
    _child(folder, documents=count // 2)
    index = _open(folder)
    kept = len(index.known())
    report = sync_documents(FolderStore(folder / "documents"), index, LocalGuardrail(4000))
    return {"kept": kept, "read": report.indexed}


def _index(folder: Path, documents: int) -> None:
    """Sync and search; with a number of documents, end without a word when so many have been begun."""

    def watch(_name: str, number: int, _all: int) -> None:
        if documents and number > documents:
            os.kill(os.getpid(), signal.SIGKILL)

    index = _open(folder)
    began = time.perf_counter()
    report = sync_documents(FolderStore(folder / "documents"), index, LocalGuardrail(4000), on_document=watch)
    seconds = time.perf_counter() - began
    took = []
    for number in range(QUESTIONS):
        began = time.perf_counter()
        index.search(f"How many {MOODS[number % 10]} {SUBJECTS[number % 7]}s were there last year?", 2)
        took.append(1000 * (time.perf_counter() - began))
    figures = {
        "indexed": report.indexed,
        "sections": sum(each.sections for each in index.known().values()),
        "seconds": round(seconds, 2),
        "search_ms_first": round(took[0], 1),
        "search_ms_median": round(median(took), 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    sys.stdout.write(json.dumps(figures))


def _open(folder: Path) -> LocalIndex:
    return LocalIndex(folder / "index.sqlite", SentenceEmbeddings(folder / "embeddings"))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--index"]:
        _index(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        sys.exit(bench_documents(standalone_mode=False))
