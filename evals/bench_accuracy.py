"""`make bench-accuracy`: asks shared questions about real databases, and keeps the figures in evals/results.

The databases are split into two halves: one to tune on, the other to report. What is kept there holds
figures and digests only, for the questions and rows are not ours; the full results, with every miss,
stay in .cache/accuracy. A stopped run goes on; changed code begins a new one, for which the model is asked
only what it has not been asked before.
"""

import hashlib
import json
import re
import sys
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import pytest
from accuracy_configs import CONFIGS
from bench_figures import machine_lines, model_of
from bench_guard_cases import CasesAbsent
from bench_spiderman import SPLIT_SEED, Half, load_for_reader, questions_of, start_server
from recorded_model import Recordings

from text2sql.errors import Text2SqlError
from text2sql.evaluation.harness import Evaluation, Measured, Standing, run_evaluation
from text2sql.evaluation.questions import sample
from text2sql.evaluation.report import write_report
from text2sql.evaluation.summary import summarise, summary_tables
from text2sql.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "evals" / "results"
FULL = ROOT / ".cache" / "accuracy"
SAID_EVERY = 10
INTERRUPTED = 130


@click.command()
@click.option(
    "--half", type=click.Choice(("tune", "check")), default="tune", help="Tune on one, report the other."
)
@click.option("--limit", type=click.IntRange(min=1), default=300, help="How many of the half's questions.")
@click.option("--seed", default=1, help="Which of them.")
@click.option(
    "--config",
    "configs",
    type=click.Choice(tuple(CONFIGS)),
    multiple=True,
    default=("default", "zero-shot"),
    help="What is measured; may be given several times.",
)
@click.option(
    "--fresh", is_flag=True, help="Ask the model anew also what it has been asked before: for times."
)
def bench_accuracy(half: Half, limit: int, seed: int, configs: tuple[str, ...], *, fresh: bool) -> int:
    """Measure with the model of the settings, which is the embedded one by default."""
    with ExitStack() as stack:
        try:
            questions = questions_of(half)
            server = stack.enter_context(start_server("accuracy"))
        except (CasesAbsent, pytest.skip.Exception) as reason:
            click.echo(f"Not measured: {reason}", err=True)
            return 0
        databases = {each.database for each in sample(questions, limit, seed)}
        url = load_for_reader(server, databases, lambda done: click.echo(f"loaded {done}", err=True))
        FULL.mkdir(parents=True, exist_ok=True)
        settings = Settings()
        model = model_of(settings)
        about = {"half": half, "databases": len(databases), "server": server.product, "model": model}
        recordings = None if fresh else Recordings(FULL / "replies.jsonl", model)
        for config in configs:
            name = name_of(half, config, server.product, model, fresh=fresh)
            asker = CONFIGS[config]
            evaluation = Evaluation(
                questions=questions,
                database_url=url,
                settings=settings,
                out=FULL / f"{name}-{_code_digest()}.jsonl",
                limit=limit,
                seed=seed,
                config=config,
                asker=recordings.asker(asker) if recordings else asker,
            )
            if not measure(evaluation, name, about):
                return 1
    return 0


def name_of(half: Half, config: str, server: str, model: str, *, fresh: bool) -> str:
    """Return what the files of a measurement are called after; the embedded model is not named."""
    parts = [half, config, server]
    if model != "embedded":
        parts.append(re.sub(r"[^a-z0-9.]+", "-", model.lower()))
    return "-".join([*parts, *(["fresh"] if fresh else [])]).lower()


def measure(evaluation: Evaluation, name: str, about: dict[str, Any]) -> bool:
    """Show and keep the figures; tell whether no question was left open."""
    click.echo(f"# {evaluation.config}")
    measured = run_evaluation(evaluation, _say)
    write_report(evaluation.out.with_suffix(".html"), measured.results, name)
    click.echo(summary_tables(summarise(measured.results)))
    if measured.left_open:
        why = measured.left_open[-1].why
        click.echo(f"Not kept, for questions are open: {why.message} [{why.code}]", err=True)
        return False
    _keep(RESULTS / f"accuracy-{name}.json", about | figures_of(evaluation, measured))
    return True


def figures_of(evaluation: Evaluation, measured: Measured) -> dict[str, Any]:
    """Return what is kept: figures, how they came about, and which question is right by its digest."""
    summary = summarise(measured.results)
    return {
        "config": evaluation.config,
        "seed": evaluation.seed,
        "split_seed": SPLIT_SEED,
        "code": _code_digest(),
        "command": " ".join(["bench_accuracy.py", *sys.argv[1:]]),
        "machine": machine_lines(),
        "interval": summary.share.interval,
        **asdict(summary),
        "right": {each.asked.key: each.correct for each in measured.results},
    }


def _code_digest() -> str:
    """Return a digest of the package's files: other code gives other answers."""
    package = ROOT / "src" / "text2sql"
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def _say(standing: Standing) -> None:
    if standing.done % SAID_EVERY == 0:
        click.echo(f"{standing.done} of {standing.of} questions, {standing.right} right", err=True)


def _keep(path: Path, figures: dict[str, Any]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    click.echo(f"Kept in {path}.", err=True)


if __name__ == "__main__":
    try:
        sys.exit(bench_accuracy.main(standalone_mode=False))
    except (KeyboardInterrupt, click.Abort):
        click.echo("\nStopped; the same command goes on.", err=True)
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except Text2SqlError as error:
        click.echo(f"{error.message} [{error.code}]\n{error.remedy}", err=True)
        sys.exit(error.exit_code)
