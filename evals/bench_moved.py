"""`make bench-moved`: what is told of a question that its database cannot answer.

Questions of the shared benchmark are asked of another database of the same half, as `bench_coverage.py`
moves them, and the model drafts as it always does. Some of them that database can answer after all; nobody
judges that here, so what is answered counts as wrong. The figures go to evals/results.
"""

import json
import sys
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from threading import Event

import click
import pytest
from bench_coverage import SEED, move
from bench_figures import machine_lines, model_of
from bench_guard_cases import CasesAbsent
from bench_spiderman import Half, load_for_reader, questions_of, start_server
from recorded_model import Recordings

from text2sql.evaluation.estimates import wilson
from text2sql.evaluation.harness import fill_in
from text2sql.evaluation.judging import ask
from text2sql.evaluation.questions import sample
from text2sql.messages import Reply
from text2sql.services import check_model, open_services
from text2sql.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "evals" / "results"
REPLIES = ROOT / ".cache" / "accuracy" / "replies.jsonl"
SAID_EVERY = 10


@click.command()
@click.option(
    "--half", type=click.Choice(("tune", "check")), default="check", help="Tune on one, report the other."
)
@click.option("--limit", type=click.IntRange(min=1), default=100, help="How many of the half's questions.")
def bench_moved(half: Half, limit: int) -> int:
    """Measure with the model of the settings, which is the embedded one by default."""
    with ExitStack() as stack:
        try:
            questions = questions_of(half)
            server = stack.enter_context(start_server("moved"))
        except (CasesAbsent, pytest.skip.Exception) as reason:
            click.echo(f"Not measured: {reason}", err=True)
            return 0
        others = move(questions, {each.database for each in questions})
        chosen = sorted(sample(questions, limit, SEED), key=lambda each: others[each.key])
        url = load_for_reader(server, {others[each.key] for each in chosen}, lambda _: None)
        settings = Settings()
        check_model(settings)
        model = model_of(settings)
        REPLIES.parent.mkdir(parents=True, exist_ok=True)
        asker = Recordings(REPLIES, model).asker(ask)
        told = Counter[str]()
        for done, each in enumerate(chosen):
            if done % SAID_EVERY == 0:
                click.echo(f"{done} of {len(chosen)} questions: {dict(told)}", err=True)
            there = {"database_url": fill_in(url, others[each.key])}
            told[
                ending_of(asker(each.question, open_services(settings.model_copy(update=there)), Event()))
            ] += 1
    figures = {
        "command": " ".join(["bench_moved.py", *sys.argv[1:]]),
        "half": half,
        "seed": SEED,
        "server": server.product,
        "model": model,
        "machine": machine_lines(),
        "questions": len(chosen),
        "told": {
            kind: {"count": count, "interval": wilson(count, len(chosen))} for kind, count in told.items()
        },
    }
    click.echo(json.dumps(figures, indent=2))
    (RESULTS / f"moved-{half}.json").write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    return 0


def ending_of(reply: Reply) -> str:
    """Return how the question ended, and of an answer how it was shown."""
    if reply.outcome != "answered":
        kind = "before a draft" if all(step.step != "ExecuteSql" for step in reply.steps) else "after drafts"
        return f"{reply.outcome} {kind}"
    if reply.certain:
        return "answered, certain"
    return "answered with rows" if reply.rows else "answered without rows"


if __name__ == "__main__":
    try:
        sys.exit(bench_moved.main(standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
