"""How often the verified query that a question needs is among the examples, by words and by embeddings.

No language model and no database runs. The shared questions often ask one thing twice, in other words and
with the same SQL: each such question is asked while all others of its database are the verified ones. The
figures go to evals/results. The packages of the extra `embeddings` must be installed.
"""

import json
import re
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
from bench_figures import machine_lines
from bench_guard_cases import CasesAbsent
from bench_spiderman import Half, read_bench_questions, split

from text2sql.datasource.verified import normal_form
from text2sql.embeddings import EmbeddingSimilarity, SentenceEmbeddings
from text2sql.evaluation.estimates import wilson
from text2sql.evaluation.questions import GoldQuestion
from text2sql.retrieval.verified import MAX_EXAMPLES, Similarity, WordSimilarity

RESULTS = Path(__file__).resolve().parents[1] / "evals" / "results"
_VALUE = re.compile(r"'[^']*'|\b\d+(?:\.\d+)?\b")


@dataclass
class Found:
    """What one kind of similarity came to."""

    questions: int = 0
    """Those of which another one has the same SQL."""
    nearest: int = 0
    """Of these, the nearest example has the statement's form: values may differ."""
    among: int = 0
    """One of the examples has it."""
    examples: int = 0
    """How many there were, together."""
    seconds: float = 0.0

    def figures(self) -> dict[str, Any]:
        """Return them with their intervals, and the examples and milliseconds to a question."""
        return {
            "questions": self.questions,
            "nearest": [self.nearest, *wilson(self.nearest, self.questions)],
            "among": [self.among, *wilson(self.among, self.questions)],
            "examples": round(self.examples / self.questions, 2),
            "milliseconds": round(1000 * self.seconds / self.questions, 1),
        }


@click.command()
@click.option(
    "--half", type=click.Choice(("tune", "check")), default="tune", help="Tune on one, report the other."
)
def bench_verified(half: Half) -> int:
    """Measure on one half of the shared databases."""
    try:
        questions = read_bench_questions()
    except CasesAbsent as reason:
        click.echo(f"Not measured: {reason}", err=True)
        return 0
    names = split({each.database for each in questions})[half]
    databases: dict[str, list[GoldQuestion]] = defaultdict(list)
    for each in questions:
        if each.database in names:
            databases[each.database].append(each)
    with TemporaryDirectory() as folder:
        kinds: dict[str, Similarity] = {
            "words": WordSimilarity(),
            "embeddings": EmbeddingSimilarity(SentenceEmbeddings(Path(folder))),
        }
        found = {kind: _measure(tuple(databases.values()), each).figures() for kind, each in kinds.items()}
    forms = {(each.database, normal_form(each.question)) for asked in databases.values() for each in asked}
    figures = {
        "half": half,
        "databases": len(databases),
        "questions": sum(map(len, databases.values())),
        "in_other_words": len(forms),
        **found,
        "command": " ".join(["bench_verified.py", *sys.argv[1:]]),
        "machine": machine_lines(),
    }
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(figures, indent=2)
    (RESULTS / f"verified-{half}.json").write_text(f"{text}\n", "utf-8")
    click.echo(text)
    return 0


def _measure(databases: Sequence[Sequence[GoldQuestion]], similarity: Similarity) -> Found:
    found = Found()
    for asked in databases:
        texts = tuple(each.question for each in asked)
        similarity.score("", texts)  # what is kept between two questions is there already
        for own, question in enumerate(asked):
            if any(each.sql == question.sql and each is not question for each in asked):
                begun = time.perf_counter()
                scores = similarity.score(question.question, texts)
                found.seconds += time.perf_counter() - begun
                _judge(own, asked, [*scores[:own], -1.0, *scores[own + 1 :]], similarity.least, found)
    return found


def _judge(
    own: int, asked: Sequence[GoldQuestion], scores: Sequence[float], least: float, found: Found
) -> None:
    best = sorted(range(len(asked)), key=lambda place: -scores[place])[:MAX_EXAMPLES]
    right = [_form(asked[place].sql) == _form(asked[own].sql) for place in best if scores[place] >= least]
    found.questions += 1
    found.nearest += right[:1] == [True]
    found.among += any(right)
    found.examples += len(right)


def _form(sql: str) -> str:
    return _VALUE.sub("?", sql)


if __name__ == "__main__":
    try:
        sys.exit(bench_verified.main(standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
