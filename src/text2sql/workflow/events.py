"""What the state machine gives each function and gets back, in step order; no behaviour lives here."""

from typing import Annotated, Literal, TypeAlias

from pydantic import AwareDatetime, Field

from text2sql.datasource.policy.access import Claims
from text2sql.messages import (
    Answer,
    EarlierTurn,
    Failure,
    Feedback,
    Generation,
    Message,
    Reading,
    Screening,
    SqlDraft,
    StepRecord,
    ValidSql,
)
from text2sql.workflow.parcel import Parcel

JobId: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,80}$")]


class StepEvent(Message):
    """What every function is told."""

    job_id: JobId
    """The execution's name; it is on every line of the log and in the keys of what is kept."""
    attempt: int = 1
    """As `StepRecord.attempt`."""


class CheckQuestion(StepEvent):
    """The question as it was asked."""

    question: str


class RewriteQuestion(StepEvent):
    """The question as the guardrail let it through, and what it may lean on."""

    screening: Screening
    earlier: Annotated[tuple[EarlierTurn, ...], Field(min_length=1)]


class RetrieveContext(StepEvent):
    """The question as it is read, and who asks."""

    question: str
    caller: Claims
    earlier: tuple[EarlierTurn, ...] = ()
    written: str = ""
    """The statement that the person wrote for it."""


class Retrieved(Message):
    """What RetrieveContext found."""

    context: Parcel
    """Holds a `Context`."""
    access: Parcel
    """Holds an `Access`."""


class GenerateSql(StepEvent):
    """What the model is told, and the drafts that did not do."""

    context: Parcel
    feedback: tuple[Feedback, ...] = ()
    seconded: SqlDraft | None = None
    """A draft that ran but is in doubt."""


class ValidateSql(StepEvent):
    """A draft, the question that it is for, and what the caller may see."""

    draft: SqlDraft
    question: str
    access: Parcel


class ExecuteSql(StepEvent):
    """A statement that has passed."""

    valid: ValidSql


class Ran(Message):
    """What ExecuteSql found."""

    executed: Parcel
    """Holds an `Executed`."""
    needs_a_second: bool
    """Whether its only draft should be compared with others."""


class ComposeAnswer(StepEvent):
    """All that an answer is made of."""

    screening: Screening
    context: Parcel
    executed: Parcel
    repairs: int


class Shown(Message):
    """What ComposeAnswer made."""

    answer: Answer
    executed: Parcel
    """Holds an `Executed`, with the rows as they may be shown."""


class CaughtError(Message):
    """An error as Step Functions tells it."""

    step: str
    """The name of the state that it left."""
    name: str
    cause: str = ""


class RecordOutcome(StepEvent):
    """The whole run: what is there says how it ended."""

    question: str
    """As it was asked."""
    started_at: AwareDatetime
    steps: tuple[StepRecord, ...] = ()
    feedback: tuple[Feedback, ...] = ()
    screening: Screening | None = None
    reading: Reading | None = None
    generation: Generation | None = None
    executed: Parcel | None = None
    answer: Answer | None = None
    gave_up: str | None = None
    """What was wrong with the last draft that was allowed."""
    refused: Failure | None = None
    """What was wrong with the statement that the person wrote."""
    error: CaughtError | None = None
    """What no repair and no retry could help."""


class Stopped(Message):
    """A run that ended without RecordOutcome, as EventBridge tells of it."""

    job_id: JobId
    stopped: Literal["FAILED", "TIMED_OUT", "ABORTED"]
    """The execution's status."""


class Recorded(Message):
    """How the run ended, in short; the execution's output."""

    outcome: str
    code: str | None = None


# ── errors on their way through the state machine ────────────────────────────────────────────────


class StepError(Message):
    """What the text of a function's error holds, as JSON; Step Functions keeps nothing else of it."""

    record: StepRecord
    failure: Failure
    feedback: Feedback | None = None
    """Set when a repair can help; its `sql` is the workflow's to fill in."""
