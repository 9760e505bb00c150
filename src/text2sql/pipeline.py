"""Read this first: how a question becomes an answer, step by step, in one process."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from threading import Event
from typing import NamedTuple, get_args

from text2sql import ending
from text2sql.answer.certainty import is_in_doubt
from text2sql.answer.step import compose_answer
from text2sql.datasource.catalog import Catalog
from text2sql.datasource.policy.access import Access, Caller
from text2sql.datasource.policy.decide import access_for
from text2sql.datasource.policy.grants import Policy
from text2sql.datasource.values_index import WAIT_SECONDS, StoredValues
from text2sql.errors import RepairableError, SchemaChanged, SqlRejected, Text2SqlError
from text2sql.execution.cancel import refuse_cancelled
from text2sql.execution.port import Database, QueryLimits
from text2sql.execution.step import execute_sql
from text2sql.generation.port import SqlModel
from text2sql.generation.rewriting import rewrite_question
from text2sql.generation.step import generate_sql
from text2sql.generation.words import screen_words
from text2sql.guardrail.port import Guardrail
from text2sql.guardrail.step import check_question
from text2sql.messages import (
    Clarification,
    Composed,
    Context,
    Declined,
    EarlierTurn,
    Executed,
    Feedback,
    Reading,
    Reply,
    Screening,
    SqlDraft,
    StepName,
)
from text2sql.retrieval.port import KnowledgeBase
from text2sql.retrieval.step import retrieve_context
from text2sql.retrieval.verified import VerifiedIndex
from text2sql.telemetry import OnStep, StepLog
from text2sql.validation.literals import without_unstored
from text2sql.validation.step import validate_sql

STEPS: tuple[StepName, ...] = get_args(StepName)
NOBODY = Caller()
"""A caller of no group, who sees nothing where there is a policy."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Services:
    """What the steps work with; `services.py` makes one from the settings, tests make their own."""

    guardrail: Guardrail
    knowledge_base: KnowledgeBase
    model: SqlModel
    database: Database
    catalog: Callable[[], Catalog]
    """Returns what is known of the database's tables, as it was read last."""
    today: date
    """The day that "last year" counts from."""
    policy: Callable[[Catalog], Policy] | None = None
    """Returns the access policy, checked against the catalog; without one, every caller sees all."""
    verified: VerifiedIndex = field(default_factory=lambda: VerifiedIndex(tuple))
    """The statements that people approved."""
    values: Callable[[float], StoredValues | None] = lambda _wait: None
    """Returns the texts that are stored, waiting at most so many seconds for a first index."""
    refresh_catalog: Callable[[], None] = lambda: None
    """Makes `catalog` read the database anew."""
    question_characters: int = 4000
    schema_characters: int = 60_000
    repairs: int = 2
    votes: int = 1
    """How many drafts a question in doubt gets, together."""
    limits: QueryLimits = field(default_factory=QueryLimits)

    def access(self, caller: Caller) -> Access:
        """Return what the caller may see.

        Raises:
            DatabaseError: as the port says.
            InvalidPolicy, AccessDenied: the policy does not fit the database, or shows the caller nothing.
        """
        catalog = self.catalog()
        return access_for(self.policy(catalog), caller, catalog) if self.policy else Access(catalog=catalog)


def answer(  # noqa: PLR0913 — one argument for each thing that a caller may say
    question: str,
    services: Services,
    on_step: OnStep | None = None,
    caller: Caller = NOBODY,
    *,
    earlier: tuple[EarlierTurn, ...] = (),
    written: str = "",
    cancelled: Event | None = None,
) -> Reply:
    """Answer a caller's question; every way it can end is a `Reply`, and only Ctrl-C raises.

    `earlier` is what the question may lean on, the oldest first. `written` is a statement that the caller
    wrote: it is checked and run as a draft is, no model is asked, and nothing repairs it. Another thread may
    set `cancelled`: no further step asks the model or the database then, and a query that runs is stopped.
    """
    asked = _Asked(question, caller, () if written else earlier, written)
    run = _Run(asked, services, StepLog(on_step), cancelled or Event())
    try:
        return run.answer()
    except Text2SqlError as error:
        return run.reply(ending.failed(ending.failure_of(error)))
    except Exception:  # noqa: BLE001 — the last net: whatever breaks, the person gets a reply
        _log.exception("a step broke")
        return run.reply(ending.failed(ending.broken()))


class _Asked(NamedTuple):
    """What was asked, as `answer` says."""

    question: str
    caller: Caller
    earlier: tuple[EarlierTurn, ...]
    written: str


class _Run:
    """One question on its way through the steps."""

    def __init__(self, asked: _Asked, services: Services, log: StepLog, cancelled: Event) -> None:
        self._question = asked.question
        """As it was asked, and from CheckQuestion on as the guardrail lets it through."""
        self._services = services
        self._log = log
        self._caller = asked.caller
        self._earlier = asked.earlier
        self._written = asked.written
        self._read_as: str | None = None
        self._cancelled = cancelled
        self._is_catalog_fresh = False
        """Whether it has been read anew for this question."""

    def answer(self) -> Reply:
        screening = self._check_question()
        self._question = screening.text
        if screening.blocked_message is not None:
            return self.reply(ending.blocked(screening.blocked_message))
        reading = self._rewrite_question(screening) if self._earlier else Reading(screening=screening)
        self._read_as = reading.read_as
        if reading.screening.blocked_message is not None:
            return self.reply(ending.blocked(reading.screening.blocked_message))
        try:
            return self._answer(reading)
        except SchemaChanged:
            self._is_catalog_fresh = True
            self._services.refresh_catalog()
            return self._answer(reading)

    def _answer(self, reading: Reading) -> Reply:
        """Answer the question that passed.

        Raises:
            SchemaChanged: the catalog lags behind the database, and has not been refreshed for this question.
        """
        context = self._retrieve_context(reading)

        feedback: list[Feedback] = []
        seconded: SqlDraft | None = None
        drafted: Declined | Clarification | Executed | None = None
        while drafted is None:
            try:
                drafted = self._draft_and_run(context, feedback, seconded)
                if isinstance(drafted, Executed) and not (seconded or feedback):
                    seconded = self._find_doubt(drafted)
                    drafted = None if seconded else drafted
            except RepairableError as error:
                if isinstance(error, SchemaChanged) and not self._is_catalog_fresh:
                    raise
                if self._written:
                    return self.reply(ending.refused(ending.failure_of(error)))
                if len(feedback) > self._services.repairs:
                    return self.reply(ending.gave_up(feedback, error.message))

        if isinstance(drafted, Declined | Clarification):
            return self.reply(ending.not_drafted(drafted))
        composed = self._compose_answer(context, reading.screening, drafted, repairs=len(feedback))
        return self.reply(ending.answered(composed.executed, composed.answer))

    # ── the steps ────────────────────────────────────────────────────────────────────────────────

    def _check_question(self) -> Screening:
        with self._log.step("CheckQuestion"):
            services = self._services
            return check_question(self._question, services.guardrail, services.question_characters)

    def _rewrite_question(self, screening: Screening) -> Reading:
        refuse_cancelled(self._cancelled)
        with self._log.step("RewriteQuestion"):
            services = self._services
            return rewrite_question(
                screening,
                self._earlier,
                services.model,
                services.guardrail,
                services.question_characters,
                on_usage=self._log.add_usage,
            )

    def _retrieve_context(self, reading: Reading) -> Context:
        with self._log.step("RetrieveContext"):
            services = self._services
            return retrieve_context(
                reading.screening.text,
                services.knowledge_base,
                services.access(self._caller),
                services.today,
                services.schema_characters,
                reading.earlier,
                verified=services.verified,
                values=services.values(WAIT_SECONDS),
                written=self._written,
            )

    def _draft_and_run(
        self, context: Context, feedback: list[Feedback], seconded: SqlDraft | None
    ) -> Declined | Clarification | Executed:
        """Draft, validate and run once; a draft that fails is added to `feedback` and its error raised."""
        refuse_cancelled(self._cancelled)
        attempt = 1 + len(feedback) + (seconded is not None)
        sql = ""
        try:
            with self._log.step("GenerateSql", attempt):
                services = self._services
                generation = generate_sql(
                    context,
                    services.model,
                    tuple(feedback),
                    self._log.add_usage,
                    votes=services.votes,
                    seconded=seconded,
                )
                generation = screen_words(generation, services.guardrail)
            if not isinstance(generation, SqlDraft):
                return generation
            sql = generation.sql
            with self._log.step("ValidateSql", attempt):
                access = self._services.access(self._caller)
                rows = self._services.limits.rows
                valid = validate_sql(generation, access, rows, context.question, is_first=attempt == 1)
            with self._log.step("ExecuteSql", attempt):
                services = self._services
                if attempt == 1:
                    valid = without_unstored(valid, services.values(0))
                return execute_sql(valid, services.database, services.limits, self._cancelled)
        except RepairableError as error:
            reason = error.reason if isinstance(error, SqlRejected) else error.code
            feedback.append(Feedback(sql=sql, code=reason, text=error.feedback))
            raise

    def _find_doubt(self, executed: Executed) -> SqlDraft | None:
        """Return the draft where it should be compared with others."""
        if self._services.votes == 1 or not is_in_doubt(executed):
            return None
        return SqlDraft(sql=executed.valid.draft, probability=executed.valid.probability)

    def _compose_answer(
        self, context: Context, screening: Screening, executed: Executed, repairs: int
    ) -> Composed:
        with self._log.step("ComposeAnswer"):
            return compose_answer(
                context,
                executed,
                guardrail=self._services.guardrail,
                screening=screening,
                repairs=repairs,
            )

    # ── how it ends ──────────────────────────────────────────────────────────────────────────────

    def reply(self, how: ending.Ending) -> Reply:
        """Return the reply for how the run ended, with what is known of the way there."""
        return Reply.model_validate(
            {
                "question": self._question,
                "read_as": self._read_as,
                **how,
                "steps": tuple(self._log.records),
                "usage": self._log.usage,
                "seconds": round(self._log.seconds, 3),
            }
        )
