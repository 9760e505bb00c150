"""`make bench-unmet`: how often a right statement is said not to do what its question says.

Each gold of the shared benchmark is held to its question, as a first draft is; whatever is told of one is
a false alarm, or a fault of the gold. No model runs. The figures go to evals/results.
"""

import json
import statistics
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter

import click
import pytest
from bench_figures import machine_lines
from bench_guard_cases import CasesAbsent
from bench_spiderman import Half, load_for_reader, open_database, questions_of, start_server

from text2sql.datasource.policy.access import Access
from text2sql.errors import SqlRejected
from text2sql.evaluation.estimates import wilson
from text2sql.evaluation.questions import GoldQuestion
from text2sql.messages import SqlDraft
from text2sql.validation.step import validate_sql

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "evals" / "results"
ROW_LIMIT = 1_000
TOLD_WORDS = 6
"""Of what is told, so many tell one kind from another."""


@click.command()
@click.option(
    "--half", type=click.Choice(("tune", "check")), default="check", help="Tune on one, report the other."
)
def bench_unmet(half: Half) -> int:
    """Measure on the golds of one half."""
    with ExitStack() as stack:
        try:
            questions = questions_of(half)
            server = stack.enter_context(start_server("unmet"))
        except (CasesAbsent, pytest.skip.Exception) as reason:
            click.echo(f"Not measured: {reason}", err=True)
            return 0
        names = sorted({each.database for each in questions})
        url = load_for_reader(server, names, lambda _: None)
        accesses = {
            name: Access(catalog=open_database(url.format(database=name)).read_catalog()) for name in names
        }
    about = {"command": f"bench_unmet.py --half {half}", "databases": len(names), "server": server.product}
    figures = about | {"machine": machine_lines()} | measure(questions, accesses)
    click.echo(json.dumps(figures, indent=2))
    (RESULTS / f"unmet-{half}.json").write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    return 0


def measure(questions: Iterable[GoldQuestion], accesses: Mapping[str, Access]) -> dict[str, object]:
    """Return how many golds passed the validator, and what was told of them."""
    told = Counter[str]()
    seconds: dict[bool, list[float]] = {True: [], False: []}
    passed = 0
    for each in questions:
        for question in (each.question, ""):
            began = perf_counter()
            try:
                valid = validate_sql(SqlDraft(sql=each.sql), accesses[each.database], ROW_LIMIT, question)
            except SqlRejected:
                break
            seconds[bool(question)].append(perf_counter() - began)
            passed += bool(question)
            if valid.unmet:
                told[" ".join(valid.unmet.split()[:TOLD_WORDS])] += 1
    return {
        "golds": passed,
        "told": told.total(),
        "interval": wilson(told.total(), passed),
        "by_beginning": dict(told),
        "ms_more": round(_ms(seconds[True]) - _ms(seconds[False]), 3),
    }


def _ms(seconds: Sequence[float]) -> float:
    return statistics.median(seconds) * 1000


if __name__ == "__main__":
    try:
        sys.exit(bench_unmet.main(standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
