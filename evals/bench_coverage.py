"""`make bench-coverage`: how often a question is declined or asked back before any model is asked.

Each question of the shared benchmark is asked of its own database, where that is a mistake, and of another
of the same half, which can hardly answer it. The shop's own questions come with what they deserve. What a
model declines or asks back by itself is not in these figures, which go to evals/results; `bench_moved.py`
measures that.
"""

import json
import random
import statistics
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import click
import pytest
import yaml
from bench_figures import machine_lines
from bench_guard_cases import CasesAbsent
from bench_schema import merge
from bench_spiderman import Half, load_for_reader, open_database, questions_of, start_server

from text2sql.datasource.catalog import Catalog
from text2sql.datasource.policy.access import Access
from text2sql.datasource.values_index import StoredValues, ValuesIndex
from text2sql.evaluation.estimates import wilson
from text2sql.evaluation.questions import GoldQuestion
from text2sql.messages import Declined, Verdict
from text2sql.retrieval.ambiguity import find_readings
from text2sql.retrieval.coverage import cover, decline_unknown
from text2sql.retrieval.local import LocalKnowledgeBase
from text2sql.retrieval.port import KnowledgeBase
from text2sql.retrieval.step import retrieve_context
from text2sql.services import open_access, open_retrieval, open_values
from text2sql.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
SHOP = ROOT / "examples" / "shop"
RESULTS = ROOT / "evals" / "results" / "coverage.json"
SEED = 5
MANY_TABLES = 200
SCHEMA_CHARACTERS = 6_000
TODAY = date(2026, 6, 30)


@dataclass(frozen=True)
class Source:
    """A database, as far as it is asked here."""

    access: Access
    values: StoredValues | None
    knowledge_base: KnowledgeBase = field(default_factory=lambda: LocalKnowledgeBase(()))


@dataclass(frozen=True)
class Judged:
    """What became of one question."""

    question: str
    verdict: Verdict | None


@click.command()
@click.option(
    "--half", type=click.Choice(("tune", "check")), default="check", help="Tune on one, report the other."
)
def bench_coverage(half: Half) -> int:
    """Measure on the databases of one half, and on the shop."""
    try:
        questions = questions_of(half)
    except CasesAbsent as reason:
        click.echo(f"Not measured: {reason}", err=True)
        return 0
    names = sorted({each.database for each in questions})
    with ExitStack() as stack:
        try:
            server = stack.enter_context(start_server("coverage"))
        except pytest.skip.Exception as reason:
            click.echo(f"Not measured: {reason}", err=True)
            return 0
        url = load_for_reader(server, names, lambda _: None)
        folder = Path(stack.enter_context(TemporaryDirectory()))
        sources = {name: open_source(url.format(database=name), folder / name) for name in names}
        figures = measure(questions, sources)
    click.echo(json.dumps(figures, indent=2))
    kept = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    about = {"command": f"bench_coverage.py --half {half}", "seed": SEED, "server": server.product}
    kept[half] = about | {"databases": len(names), "machine": machine_lines()} | figures
    kept["shop"] = measure_shop()
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return 0


def open_source(url: str, folder: Path) -> Source:
    """Return the database with the index of its stored texts."""
    database = open_database(url)
    access = Access(catalog=database.read_catalog())
    values = ValuesIndex(folder / "values.sqlite", database.read_texts).open(access.catalog, None)
    return Source(access, values)


def measure(questions: Sequence[GoldQuestion], sources: Mapping[str, Source]) -> dict[str, object]:
    """Ask each question of its own database and of another; `sources` are those by name."""
    others = move(questions, sources)
    at_home = [judge(each.question, sources[each.database]) for each in questions]
    moved = [judge(each.question, sources[others[each.key]]) for each in questions]
    catalogs = {name: source.access.catalog for name, source in sources.items()}
    warehouse, _ = merge(catalogs, MANY_TABLES)
    return {
        "at_home": figures_of(at_home),
        "moved": figures_of(moved),
        "mistakes": [each.question for each in at_home if each.verdict],
        f"milliseconds_at_{MANY_TABLES}_tables": time_verdicts(questions, warehouse),
    }


def move(questions: Sequence[GoldQuestion], databases: Collection[str]) -> dict[str, str]:
    """Return for each question's key another database than its own."""
    chance = random.Random(SEED)  # noqa: S311 — which database it is must be the same each time
    return {each.key: chance.choice(sorted(set(databases) - {each.database})) for each in questions}


def measure_shop() -> dict[str, object]:
    """Ask what the shop's file holds, of the shop."""
    listed = yaml.safe_load((SHOP / "questions.yaml").read_text("utf-8"))
    settings = Settings(database_url=f"sqlite:///{ROOT / '.cache' / 'shop.sqlite'}", knowledge_dir=SHOP)
    base, *_ = open_retrieval(settings)
    shop = Source(open_access(settings), open_values(settings, None), base)
    return {
        kind: figures_of([judge(each["question"], shop) for each in listed[kind]])
        for kind in ("questions", "unanswerable", "ambiguous")
    }


def judge(question: str, source: Source) -> Judged:
    """Ask one question."""
    context = retrieve_context(
        question, source.knowledge_base, source.access, TODAY, SCHEMA_CHARACTERS, values=source.values
    )
    return Judged(question, context.verdict)


def figures_of(judged: Sequence[Judged]) -> dict[str, object]:
    """Return counts, and shares in percent with Wilson's intervals."""
    declined = sum(isinstance(each.verdict, Declined) for each in judged)
    asked_back = sum(each.verdict is not None for each in judged) - declined
    return {
        "questions": len(judged),
        "declined": _share(declined, len(judged)),
        "asked_back": _share(asked_back, len(judged)),
    }


def time_verdicts(questions: Iterable[GoldQuestion], catalog: Catalog) -> dict[str, float]:
    """Return the median, and what one of a hundred is above; the search for stored texts is not in it."""
    times = []
    for each in questions:
        started = perf_counter()
        find_readings(each.question, catalog, LocalKnowledgeBase(()))
        decline_unknown(cover(each.question, catalog), ())
        times.append((perf_counter() - started) * 1000)
    return {
        "median": round(statistics.median(times), 2),
        "99th_of_100": round(statistics.quantiles(times, n=100)[-1], 2),
    }


def _share(part: int, whole: int) -> dict[str, object]:
    low, high = wilson(part, whole)
    return {
        "count": part,
        "percent": round(100 * part / whole, 2),
        "interval": [round(100 * low, 2), round(100 * high, 2)],
    }


if __name__ == "__main__":
    try:
        sys.exit(bench_coverage.main(standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
