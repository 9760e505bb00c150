"""The frozen messages that steps hand to each other, in step order; no behaviour lives here."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

Cell: TypeAlias = bool | int | float | Decimal | str | bytes | date | datetime | time | timedelta | None
"""One value of a result; adapters turn anything else into text."""

Dialect: TypeAlias = Literal["sqlite", "mysql", "mariadb"]
"""The SQL that the model writes, the validator reads and the database runs."""

StepName: TypeAlias = Literal[
    "CheckQuestion",
    "RewriteQuestion",
    "RetrieveContext",
    "GenerateSql",
    "ValidateSql",
    "ExecuteSql",
    "ComposeAnswer",
]

OutcomeName: TypeAlias = Literal["answered", "clarification_needed", "declined", "blocked", "failed"]


class Message(BaseModel):
    """What all messages share: frozen, and an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


# ── CheckQuestion ────────────────────────────────────────────────────────────────────────────────


class Finding(Message):
    """One thing that the guardrail saw, and what it did about it."""

    kind: str
    """What was seen, for example `EMAIL` or `PROFANITY`; never the text itself."""
    action: Literal["masked", "blocked"]


class Screening(Message):
    """What the guardrail lets through: the text, masked where needed, or a message instead of it."""

    text: str
    findings: tuple[Finding, ...] = ()
    blocked_message: str | None = None
    """Set when the text may not go on; safe to show."""


# ── RewriteQuestion ──────────────────────────────────────────────────────────────────────────────


class EarlierTurn(Message):
    """A question that went before in the same session, and what the model wrote for it."""

    question: str
    """As it was asked; of a follow-up, the whole question that it was read as."""
    sql: str = ""
    clarification: str = ""
    """What it asked back with the choices, where it wrote no statement."""


class Reading(Message):
    """How a question is read that may lean on those before it."""

    screening: Screening
    """Of what goes on: the question itself, or the whole one that it was read as."""
    read_as: str | None = None
    """The whole question; None where the question is read as it was asked."""
    earlier: tuple[EarlierTurn, ...] = ()
    """What it leans on still, where no whole question came of it."""


# ── RetrieveContext ──────────────────────────────────────────────────────────────────────────────


class Passage(Message):
    """A piece of knowledge that may help with the question."""

    source: str
    """Where it stands, for example `glossary: revenue`."""
    text: str
    score: float
    tables: tuple[str, ...] = ()
    """Those that it is about, where its text need not name them; the model is not told."""


class VerifiedQuery(Message):
    """A question and the statement that a person approved for it."""

    question: str = Field(min_length=1)
    sql: str = Field(min_length=1)
    approved_by: str = Field(min_length=1)
    approved_on: date
    note: str = ""
    """For people; no model is told."""


class Coverage(Message):
    """The words that say what a question is about, as they stand there: how much of it is known here."""

    known: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    """No name, description, sample or term is like these."""


class Context(Message):
    """All that the model is told beside the question, and what is known of it without a model."""

    question: str
    dialect: Dialect
    schema_text: str
    """The compact schema; the same for every question to a datasource, so that prompt caches hold."""
    passages: tuple[Passage, ...] = ()
    earlier: tuple[EarlierTurn, ...] = ()
    """What a question leans on that is no whole one, the oldest first."""
    examples: tuple[VerifiedQuery, ...] = ()
    """Those whose questions are the most like this one, the best first."""
    verified: VerifiedQuery | None = None
    """The one that asks the same; its statement is the first draft."""
    coverage: Coverage = Coverage()
    """Of a question that stands alone; no model is told."""
    verdict: "Verdict | None" = None
    """Set where the question is asked back or declined before any model is asked."""
    written: str = ""
    """The statement that the person wrote for the question; then no model is asked."""


# ── GenerateSql ──────────────────────────────────────────────────────────────────────────────────


class Usage(Message):
    """What a model call took."""

    model: str = ""
    prompt_tokens: int = 0
    cached_tokens: int = 0
    """Those of the prompt tokens that the model's cache already held."""
    completion_tokens: int = 0
    cost_usd: Annotated[Decimal, WithJsonSchema({"type": "number"})] | None = None
    """None where nobody charges, or the price is not known."""


class SqlDraft(Message):
    """A statement as the model, or a person, wrote it; nothing may run it."""

    kind: Literal["draft"] = "draft"
    sql: str
    alternatives: tuple[str, ...] = ()
    """Other statements for the same question, drawn because the model was in doubt; they vote."""
    probability: float | None = None
    """As the model's port says."""
    verified: VerifiedQuery | None = None
    """Where the statement comes from, if no model wrote it."""
    by_person: bool = False
    """Whether the person who asks wrote it."""
    usage: Usage = Field(default_factory=Usage)


class Clarification(Message):
    """The question has several readings; the person must choose."""

    kind: Literal["clarification"] = "clarification"
    question: str
    choices: tuple[str, ...] = ()
    usage: Usage = Field(default_factory=Usage)


class Declined(Message):
    """The database cannot answer the question; `reason` says what is missing."""

    kind: Literal["declined"] = "declined"
    reason: str
    usage: Usage = Field(default_factory=Usage)


Verdict: TypeAlias = Annotated[Clarification | Declined, Field(discriminator="kind")]
"""There is to be no statement."""

Generation: TypeAlias = Annotated[SqlDraft | Clarification | Declined, Field(discriminator="kind")]


class Feedback(Message):
    """A draft that did not do, and why: what a repair starts from."""

    sql: str
    code: str
    text: str


# ── ValidateSql ──────────────────────────────────────────────────────────────────────────────────


class ComparedText(Message):
    """A text literal of a statement, and the column that it is compared with."""

    table: str
    """The table's key."""
    column: str
    text: str
    by_pattern: bool = False
    """Whether LIKE compares them, here always without a wildcard."""
    nearby: tuple[tuple[str, str], ...] = ()
    """Other columns that may hold it, behind their tables' keys: of these tables and their neighbours."""


class ValidSql(Message):
    """A statement emitted from its checked tree; the only text that reaches a database."""

    sql: str
    dialect: Dialect
    tables: tuple[str, ...]
    row_limit: int
    """How many rows may be shown; the statement fetches one more, so that a cut is noticed."""
    changes: tuple[str, ...] = ()
    """What the validator put in or took out, for people."""
    compared: tuple[ComparedText, ...] = ()
    """Only of columns that the caller sees as they are stored."""
    draft: str = ""
    """The statement as the model wrote it."""
    probability: float | None = None
    """As `SqlDraft.probability`."""
    verified: VerifiedQuery | None = None
    """As `SqlDraft.verified`."""
    by_person: bool = False
    """As `SqlDraft.by_person`."""
    unmet: str = ""
    """What the question asks for in so many words, and the statement does not do; mostly empty."""
    masks_personal_data: bool = False
    """Whether personal data in its rows is to be masked before they are shown."""
    votes: int = 1
    """How many drafts came to this statement."""
    is_other_reading: bool = False
    """Whether names were moved to where they live: then it may vote, and never wins by itself."""
    refused: int = 0
    """How many drafts did not pass beside this one and the `alternatives`."""
    alternatives: tuple["ValidSql", ...] = ()
    """The other statements that passed, the most frequent first; each has its own `votes`."""


# ── ExecuteSql ───────────────────────────────────────────────────────────────────────────────────


class ResultColumn(Message):
    """A column of a result."""

    name: str
    type: Literal["number", "text", "date", "datetime", "boolean", "binary", "unknown"]


class ResultSet(Message):
    """Rows as the database gave them, up to the limits on rows and bytes."""

    columns: tuple[ResultColumn, ...]
    rows: tuple[tuple[Cell, ...], ...]
    truncated: bool
    """True when the database had more rows than these."""
    cut_by: Literal["rows", "bytes"] | None = None
    """Which limit was reached when it had."""


class Vote(Message):
    """How many of the drafts came to the same rows."""

    agreeing: int
    drafts: int
    """All of them, also those that were refused or failed."""


class Executed(Message):
    """The statement that won, what it returned, and by how much it won."""

    valid: ValidSql
    result: ResultSet
    vote: Vote


# ── ComposeAnswer ────────────────────────────────────────────────────────────────────────────────


class Chart(Message):
    """Which chart shows the result, as data; whoever draws it reads `x` and `y` by column name."""

    type: Literal["bar", "line", "scatter", "number", "none"]
    x: str | None = None
    y: tuple[str, ...] = ()
    reason: str


class Check(Message):
    """One reason to trust the answer, or to doubt it."""

    name: str
    passed: bool
    detail: str


class Answer(Message):
    """What is shown of a result."""

    sentence: str
    """Where it is a guess, why the question is declined."""
    certain: bool = False
    is_guess: bool = False
    """Whether the rows are better not shown."""
    chart: Chart
    checks: tuple[Check, ...]


class Composed(Message):
    """An answer, and the rows that it was made of, as they may be shown."""

    answer: Answer
    executed: Executed


# ── the whole run ────────────────────────────────────────────────────────────────────────────────


class StepRecord(Message):
    """One step that began or ended; what a progress display or a job record is told."""

    step: StepName
    attempt: int
    """Counts from 1; a repair makes it 2 or 3 for the steps that run again."""
    status: Literal["started", "succeeded", "failed"]
    seconds: float = 0.0
    usage: Usage | None = None
    code: str | None = None
    """The error's code when the step failed."""


class Failure(Message):
    """Why there is no answer, safe to show."""

    code: str
    message: str
    remedy: str = ""


class Reply(Message):
    """How a question ended; the object that `text2sql ask --json` prints."""

    outcome: OutcomeName
    question: str
    read_as: str | None = None
    """The whole question that a follow-up was read as."""
    sql: str | None = None
    draft: str | None = Field(None, exclude=True)
    """The statement as the model wrote it, which a follow-up question is told; it is never shown."""
    columns: tuple[ResultColumn, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    truncated: bool = False
    sentence: str
    certain: bool = False
    """Whether enough speaks for the answer that it may be relied on; the checks say what."""
    choices: tuple[str, ...] = ()
    chart: Chart | None = None
    checks: tuple[Check, ...] = ()
    error: Failure | None = None
    steps: tuple[StepRecord, ...] = ()
    usage: Usage = Field(default_factory=Usage)
    seconds: float = 0.0
