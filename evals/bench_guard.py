"""`make bench-guard`: holds the guard against its bars, on shared cases and real servers, and prints both.

Ends with 1 when a bar is missed. What is not on this machine is left out, with the reason.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import pytest
from bench_figures import Figure, figures_table, machine_lines
from bench_guard_cases import CasesAbsent, Verdict, accepted_danger, judge_all, shares
from bench_guard_executor import measure_executor
from bench_guard_gold import run_gold
from bench_guard_policy import count_leaks
from bench_guard_reader import run_as_reader
from bench_guard_share import Share, shares_table
from bench_guard_time import measure_import, measure_typical, measure_worst
from bench_spiderman import read_bench_questions

from servers import Server, server_folder, start_mariadb, start_mysql

ROOT = Path(__file__).resolve().parents[1]
WRONG_SHOWN = 5

Start = Callable[[Path], Server]


class _Results:
    """What was measured, and what could not be."""

    def __init__(self) -> None:
        self.shares: list[Share] = []
        self.figures: list[Figure] = []
        self.skipped: list[str] = []

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Say that a part begins; where what it needs is absent, note the reason and go on."""
        click.echo(f"bench-guard: {name}", err=True)
        try:
            yield
        except (CasesAbsent, pytest.skip.Exception) as reason:
            self.skipped.append(f"{name}: {reason}")

    @property
    def met(self) -> bool:
        return all(share.met for share in self.shares) and all(f.met is not False for f in self.figures)


@click.command()
@click.option(
    "--shop",
    type=click.Path(exists=True, path_type=Path),
    default=ROOT / ".cache" / "shop.sqlite",
    help="The sample shop as SQLite.",
)
@click.option("--policy-statements", default=100_000, help="So many run against the access policy.")
def bench_guard(shop: Path, policy_statements: int) -> int:
    """Measure, and print the machine, the shares and the figures."""
    results = _Results()
    verdicts: list[Verdict] = []
    with results.part("shared cases"):
        verdicts = judge_all()
        results.shares += shares(verdicts)
        results.figures.append(measure_worst(verdicts))
    with results.part("typical queries"):
        results.figures.append(measure_typical(shop))
    with results.part("import"):
        results.figures.append(measure_import())
    for product, start in (("MySQL", start_mysql), ("MariaDB", start_mariadb)):
        with results.part(product), start(server_folder(product.lower())) as server:
            _measure_on(server, results, verdicts)
    with results.part("access policy"):
        ran, leaks = count_leaks(policy_statements)
        results.shares.append(Share("No leak past the access policy", ran, ("a leak, see above",) * leaks))
    _print(results)
    return 0 if results.met else 1


def _measure_on(server: Server, results: _Results, verdicts: list[Verdict]) -> None:
    with results.part(f"executor, {server.product}"):
        results.figures += measure_executor(server)
    if verdicts:
        results.shares.append(run_as_reader(server, accepted_danger(verdicts)))
    with results.part(f"gold queries, {server.product}"):
        databases = sorted({each.database for each in read_bench_questions()})
        run = run_gold(server, databases, lambda text: click.echo(text, err=True))
        results.shares += run.shares(server.product)
        results.skipped += [f"gold query that {server.product} itself refuses: {sql}" for sql in run.left_out]


def _print(results: _Results) -> None:
    for line in machine_lines():
        click.echo(f"- {line}")
    click.echo(f"\n{shares_table(results.shares)}\n\n{figures_table(results.figures)}\n")
    for reason in results.skipped:
        click.echo(f"Left out: {reason}")
    for share in results.shares:
        for wrong in share.wrong[: 0 if share.met else WRONG_SHOWN]:
            click.echo(f"{share.name}, wrong: {wrong}", err=True)


if __name__ == "__main__":
    sys.exit(bench_guard.main(standalone_mode=False))
