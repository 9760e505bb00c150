"""`text2sql eval`: how right the answers are, and whether one run is better than another."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from text2sql.cli.options import load_settings

if TYPE_CHECKING:
    from text2sql.evaluation.harness import Measured, Standing

_FILE = click.Path(path_type=Path)


@click.group("eval", invoke_without_command=True)
@click.option("--questions", type=_FILE, help="CSV file with the columns database, question, sql (the gold).")
@click.option(
    "--database-url",
    metavar="TEMPLATE",
    help="As for `ask`, with {database} where a question's database belongs.",
)
@click.option("--out", type=_FILE, help="Results, a JSON object to a line; an unfinished file is taken up.")
@click.option("--limit", type=click.IntRange(min=1), help="Ask a sample of so many (default: all).")
@click.option("--seed", default=0, show_default=True, help="Which sample; the same seed, the same questions.")
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Ask so many at once.")
@click.option("--config", default="", metavar="NAME", help="What is measured, in your words; kept with it.")
@click.option("--report", type=_FILE, help="Also write an HTML page with every miss.")
@click.pass_context
def evaluate(  # noqa: PLR0913, PLR0917  # one for each option
    context: click.Context,
    questions: Path | None,
    database_url: str | None,
    out: Path | None,
    limit: int | None,
    seed: int,
    jobs: int,
    config: str,
    report: Path | None,
) -> int:
    """Ask questions whose right SQL is known, and count how often the rows are the same.

    The model is that of the settings. What is right is told in docs/accuracy.md. Results hold rows of the
    databases. Run the same command again to go on after a stop. For example:

      text2sql eval --questions q.csv --database-url sqlite:///{database}.db --out before.jsonl

      text2sql eval compare before.jsonl after.jsonl
    """
    if context.invoked_subcommand:
        if questions or database_url or out:
            raise click.UsageError("The options of `text2sql eval` stand before no other command.")
        return 0
    if not (questions and database_url and out):
        raise click.UsageError("Give --questions, --database-url and --out.")
    from text2sql.evaluation.harness import Evaluation, run_evaluation
    from text2sql.evaluation.questions import read_questions
    from text2sql.evaluation.summary import summarise, summary_tables

    evaluation = Evaluation(
        questions=read_questions(questions),
        database_url=database_url,
        settings=load_settings(),
        out=out,
        limit=limit,
        seed=seed,
        jobs=jobs,
        config=config,
    )
    with _show_standing() as on_standing:
        try:
            measured = run_evaluation(evaluation, on_standing)
        except KeyboardInterrupt:
            click.echo(f"What was judged is in {out}; the same command goes on from there.", err=True)
            raise
    click.echo(summary_tables(summarise(measured.results)))
    if report:
        from text2sql.evaluation.report import write_report

        write_report(report, measured.results, f"{questions.name} {config}".strip())
    return _tell_open(measured)


@evaluate.command()
@click.argument("a", type=_FILE)
@click.argument("b", type=_FILE)
def compare(a: Path, b: Path) -> None:
    """Compare results B with results A, question by question.

    Questions that only one of them has, or that could not be judged, are left out and counted.
    """
    from text2sql.evaluation.pairing import pair
    from text2sql.evaluation.results import read_results

    pairing = pair(read_results(a), read_results(b))
    click.echo(f"A: {a}\nB: {b}\n\n{pairing.table()}\n\n{pairing.verdict()}")


@evaluate.command("passes")
@click.argument("results", type=_FILE, nargs=-1, required=True)
def show_passes(results: tuple[Path, ...]) -> None:
    """Show pass@k and pass^k over several RESULTS.

    All are of the same questions. They tell something only where runs differ by chance, as with a model
    at a temperature above 0.
    """
    from text2sql.evaluation.pairing import passes
    from text2sql.evaluation.results import read_results

    counted = passes([read_results(path) for path in results])
    click.echo(f"{len(counted.right):,} questions, {counted.runs} runs; {counted.left_out:,} left out.\n")
    click.echo(counted.table())


def _tell_open(measured: "Measured") -> int:
    """Say what was not judged and why, and return the exit code."""
    if not measured.left_open:
        return 0
    from text2sql.errors import exit_code

    missing, last = measured.sample - len(measured.results), measured.left_open[-1]
    click.echo(
        f"{missing:,} of {measured.sample:,} questions are open: {last.why.message} [{last.why.code}]\n"
        f"{last.why.remedy}\nThe same command asks them.",
        err=True,
    )
    return exit_code(last.why.code)


@contextmanager
def _show_standing() -> "Iterator[Callable[[Standing], None]]":
    """Show a bar on a terminal, and a line for every tenth part elsewhere."""
    if not sys.stderr.isatty():
        yield _Lines().show
        return
    from rich.console import Console
    from rich.progress import Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (*Progress.get_default_columns()[:2], TextColumn("{task.completed} of {task.total}"))
    times = (TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, *times, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Asking", total=None)

        def show(standing: "Standing") -> None:
            bar.update(task, description=_right(standing), completed=standing.done, total=standing.of)

        yield show


class _Lines:
    """Says on standard error how far it is, at most eleven times."""

    def __init__(self) -> None:
        self._said = -1

    def show(self, standing: "Standing") -> None:
        tenth = 10 * standing.done // standing.of
        if tenth != self._said:
            self._said = tenth
            click.echo(f"{standing.done:,} of {standing.of:,} questions, {_right(standing)}", err=True)


def _right(standing: "Standing") -> str:
    return f"{standing.right:,} right"
