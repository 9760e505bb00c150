"""One question: its gold is run, the pipeline is asked, and the two results are compared."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from threading import Event
from typing import TypeAlias

from text2sql import errors
from text2sql.answer.cell_text import format_cell
from text2sql.ending import failure_of
from text2sql.errors import ReplyUnusable, Text2SqlError
from text2sql.evaluation.comparison import difference
from text2sql.evaluation.gold_form import GoldForm, read_form
from text2sql.evaluation.questions import GoldQuestion
from text2sql.evaluation.results import Excerpt, FailureClass, Result
from text2sql.execution.port import QueryLimits
from text2sql.generation.port import Completion, Prompt, SqlModel
from text2sql.generation.reply import read_reply
from text2sql.messages import Cell, Failure, Reply, ResultColumn, ResultSet, SqlDraft
from text2sql.pipeline import Services, answer
from text2sql.telemetry import count_repairs

ROWS = 10_000
"""The most rows of a gold result, and of an answer; the product's own limit would hide differences."""
GOLD_LIMITS = QueryLimits(rows=ROWS, seconds=60.0, in_background=True)
"""The gold is trusted to be worth its time, so only the clock stops it."""
INDEX_SECONDS = 60.0
"""How long a database's stored values are waited for, so that each question finds the same."""
EXCERPT_ROWS = 5
_CELL_WIDTH = 60

_TIMEOUTS = (errors.ModelTimedOut.code, errors.QueryTimedOut.code)
_NOT_RUN = (errors.RepairableError.code, errors.QueryTooExpensive.code)


def _codes(*kinds: type[Text2SqlError]) -> frozenset[str]:
    """Return the codes of these errors and of all kinds of them."""
    below = (_codes(*kind.__subclasses__()) for kind in kinds)
    return frozenset(kind.code for kind in kinds).union(*below)


SAYS_NOTHING = _codes(
    errors.AccessDenied,
    errors.DatabaseError,
    errors.GuardrailUnavailable,
    errors.InvalidKnowledge,
    errors.InvalidPolicy,
    errors.InvalidSettings,
    errors.KnowledgeBaseUnavailable,
    errors.ModelNotInstalled,
    errors.ModelThrottled,
    errors.ModelUnavailable,
    errors.QueryCancelled,
)
"""Codes of what is no fault of an answer: a service is out, or the set-up is wrong."""


@dataclass(frozen=True)
class LeftOpen:
    """A question that could not be judged, for a reason of `SAYS_NOTHING`."""

    question: GoldQuestion
    why: Failure


Asker: TypeAlias = Callable[[str, Services, Event], Reply]
"""Answers a question; the event is set when nobody waits for it any more."""


def ask(question: str, services: Services, cancelled: Event) -> Reply:
    """Ask the product as everybody does."""
    return answer(question, services, cancelled=cancelled)


def judge(
    question: GoldQuestion, services: Services, cancelled: Event, config: str = "", asker: Asker = ask
) -> Result | LeftOpen:
    """Ask one question and judge what comes; the gold runs first, by the same executor."""
    form = GoldForm(ordered=False, difficulty="unknown")
    try:
        form = read_form(question.sql, "sqlite" if services.catalog().dialect == "sqlite" else "mysql")
        gold = services.database.query(question.sql, GOLD_LIMITS, cancelled)
        services.values(INDEX_SECONDS)
    except Text2SqlError as error:
        why = failure_of(error)
        if why.code in SAYS_NOTHING:
            return LeftOpen(question, why)
        return _gold_failed(question, form, config, _told(why))
    if gold.truncated:
        return _gold_failed(question, form, config, f"The gold has more than {len(gold.rows):,} rows.")

    model = ListenedModel(services.model)
    reply = asker(question.question, replace(services, model=model), cancelled)
    if reply.error and reply.error.code in SAYS_NOTHING:
        return LeftOpen(question, reply.error)
    return _judged(question, form, config, gold, reply, model)


class ListenedModel:
    """A model that counts its drafts and keeps the last one, for a reply without an answer has none."""

    def __init__(self, model: SqlModel) -> None:
        self._model = model
        self.draft: str | None = None
        self.drafts = 0

    def complete(self, prompt: Prompt) -> Completion:
        """Return the draft."""
        completion = self._model.complete(prompt)
        self.hear((completion,), sampled=False)
        return completion

    def sample(self, prompt: Prompt, count: int) -> tuple[Completion, ...]:
        """Return the samples."""
        completions = self._model.sample(prompt, count)
        self.hear(completions, sampled=True)
        return completions

    def hear(self, completions: Sequence[Completion], *, sampled: bool) -> None:
        """Count what the model said, also when somebody else said it for the model."""
        self.drafts += len(completions)
        if sampled:
            return
        with suppress(ReplyUnusable):
            generation = read_reply(completions[-1])
            self.draft = generation.sql if isinstance(generation, SqlDraft) else None


def _gold_failed(question: GoldQuestion, form: GoldForm, config: str, why: str) -> Result:
    return Result(
        database=question.database,
        question=question.question,
        gold=question.sql,
        sql=None,
        outcome="gold_failed",
        correct=None,
        failure="gold_failed",
        difficulty=form.difficulty,
        gold_error=why,
        config=config,
    )


def _judged(
    question: GoldQuestion,
    form: GoldForm,
    config: str,
    gold: ResultSet,
    reply: Reply,
    model: ListenedModel,
) -> Result:
    failure = _failure(reply, gold, form)
    cost = reply.usage.cost_usd
    missed = failure is not None
    return Result(
        database=question.database,
        question=question.question,
        gold=question.sql,
        sql=reply.sql or (_whole(model.draft) if model.draft and reply.outcome == "failed" else None),
        outcome=reply.outcome,
        correct=not missed,
        certain=reply.certain,
        failure=failure,
        difficulty=form.difficulty,
        error=_told(reply.error) if reply.error else None,
        seconds=reply.seconds,
        prompt_tokens=reply.usage.prompt_tokens,
        completion_tokens=reply.usage.completion_tokens,
        cost_usd=None if cost is None else float(cost),
        drafts=model.drafts,
        repairs=count_repairs(reply.steps),
        config=config,
        gold_result=_excerpt(gold.columns, gold.rows) if missed else None,
        own_result=_excerpt(reply.columns, reply.rows) if missed and reply.outcome == "answered" else None,
        steps=reply.steps,
    )


def _failure(reply: Reply, gold: ResultSet, form: GoldForm) -> FailureClass | None:
    if reply.outcome == "answered":
        own = ResultSet(columns=reply.columns, rows=reply.rows, truncated=reply.truncated)
        return difference(gold, own, ordered=form.ordered)
    if reply.error is None:
        return "declined"
    if reply.error.code in _TIMEOUTS:
        return "timeout"
    if reply.error.code in _NOT_RUN:
        return "does_not_run"
    return "model_error" if reply.error.code == errors.ModelError.code else "other"


def _excerpt(columns: Sequence[ResultColumn], rows: Sequence[Sequence[Cell]]) -> Excerpt:
    shown = (tuple(_text(cell) for cell in row) for row in rows[:EXCERPT_ROWS])
    return Excerpt(columns=tuple(column.name for column in columns), rows=tuple(shown), count=len(rows))


def _text(cell: Cell) -> str:
    """Return the cell with all its digits: a difference in the fourth decimal must be seen."""
    if isinstance(cell, float | Decimal):
        return str(cell)
    return format_cell(cell, grouped=False, none="NULL", width=_CELL_WIDTH)


def _told(failure: Failure) -> str:
    return _whole(f"{failure.code}: {failure.message}")


def _whole(text: str) -> str:
    """Return the text without halves of characters, which a model may write and JSON cannot hold."""
    return text.encode(errors="replace").decode()
