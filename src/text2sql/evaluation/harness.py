"""One evaluation from its questions to its results file; whoever runs it says how it is told."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Event
from urllib.parse import quote

from text2sql.errors import InvalidEvaluation
from text2sql.evaluation.asking import ask_all
from text2sql.evaluation.judging import ROWS, Asker, LeftOpen, ask, judge
from text2sql.evaluation.questions import GoldQuestion, digest, sample
from text2sql.evaluation.results import Result
from text2sql.evaluation.results_file import ResultsFile, Run
from text2sql.execution.url import parse_database_url
from text2sql.pipeline import Services
from text2sql.services import check_model, open_services
from text2sql.settings import Settings

OPEN_IN_A_ROW = 5
"""So many questions left open one after the other end a run: something is out for good."""
_PLACE = "{database}"


@dataclass(frozen=True)
class Evaluation:
    """What is measured, and where the results go."""

    questions: tuple[GoldQuestion, ...]
    """All of them; the sample is taken here."""
    database_url: str
    """With `{database}` where a question's database belongs."""
    settings: Settings
    """The model and the limits; its own `database_url` does not count."""
    out: Path
    limit: int | None = None
    seed: int = 0
    jobs: int = 1
    config: str = ""
    asker: Asker = ask
    """Who is asked in place of the product as it is."""


@dataclass(frozen=True)
class Measured:
    """What a run left behind."""

    results: tuple[Result, ...]
    """Of the sample, those of earlier runs included."""
    left_open: tuple[LeftOpen, ...]
    """What the same run asks again."""
    sample: int
    """How many questions it has; more than results and open ones where a run was given up."""


@dataclass(frozen=True)
class Standing:
    """How far a run is."""

    done: int
    of: int
    right: int


def run_evaluation(
    evaluation: Evaluation,
    on_standing: Callable[[Standing], None] = lambda _: None,
    on_wait: Callable[[str], None] | None = None,
) -> Measured:
    """Ask what the results file lacks, and keep each result as it comes.

    Raises:
        InvalidEvaluation: the questions or the results file do not fit.
        InvalidSettings: the URL is none.
        ModelNotInstalled, ModelUnavailable: it can be seen beforehand that the model cannot be asked.
        OutputNotWritten: the results file cannot be written.
    """
    chosen = sample(evaluation.questions, evaluation.limit, evaluation.seed)
    _check_template(evaluation.database_url, chosen)
    run = Run.of(digest(evaluation.questions), evaluation.seed, evaluation.config, evaluation.settings)

    @cache
    def services_for(database: str) -> Services:
        url = fill_in(evaluation.database_url, database)
        changed = {"database_url": url, "row_limit": ROWS}
        return open_services(evaluation.settings.model_copy(update=changed), on_wait)

    def judge_one(question: GoldQuestion, cancelled: Event) -> Result | LeftOpen:
        services = services_for(question.database)
        return judge(question, services, cancelled, evaluation.config, evaluation.asker)

    with ResultsFile(evaluation.out, run) as file:
        missing = [question for question in chosen if question.key not in file.results]
        if missing:
            check_model(evaluation.settings)
        left_open: list[LeftOpen] = []
        in_a_row = 0
        on_standing(_standing(chosen, file))
        with closing(ask_all(missing, judge_one, evaluation.jobs)) as outcomes:
            for outcome in outcomes:
                if isinstance(outcome, LeftOpen):
                    left_open.append(outcome)
                    in_a_row += 1
                    if in_a_row == OPEN_IN_A_ROW:
                        break
                else:
                    in_a_row = 0
                    file.add(outcome)
                on_standing(_standing(chosen, file))
        results = tuple(file.results[each.key] for each in chosen if each.key in file.results)
    return Measured(results, tuple(left_open), len(chosen))


def fill_in(template: str, database: str) -> str:
    """Return the URL for one database, its name encoded as URLs want it."""
    return template.replace(_PLACE, quote(database, safe=""))


def _check_template(template: str, chosen: Sequence[GoldQuestion]) -> None:
    """Refuse a URL before anything is asked.

    Raises:
        InvalidSettings: it is no database URL.
        InvalidEvaluation: it names one database, and the questions are about several.
    """
    parse_database_url(fill_in(template, chosen[0].database))
    if _PLACE not in template and len({each.database for each in chosen}) > 1:
        raise InvalidEvaluation(
            "The questions are about several databases, and the URL names one.",
            remedy=f"Write {_PLACE} in --database-url where a question's database belongs.",
        )


def _standing(chosen: Sequence[GoldQuestion], file: ResultsFile) -> Standing:
    done = [file.results[each.key] for each in chosen if each.key in file.results]
    return Standing(len(done), len(chosen), sum(result.correct is True for result in done))
