"""The bodies of requests and replies, as the API's description shows them."""

from typing import Annotated, Any

from pydantic import AwareDatetime, ConfigDict, Field

from text2sql.datasource.catalog import ForeignKey
from text2sql.datasource.knowledge import Metric, Term
from text2sql.documents.library import DocumentState
from text2sql.jobs.port import Job, JobStatus
from text2sql.messages import (
    Chart,
    Check,
    Dialect,
    Failure,
    Message,
    OutcomeName,
    ResultColumn,
    StepRecord,
    Usage,
    VerifiedQuery,
)

SessionName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class Body(Message):
    """The body of a request."""

    model_config = ConfigDict(defer_build=False)  # FastAPI takes it apart when the routes are made


class Ask(Body):
    """A question."""

    question: str = Field(examples=["Which five products earned the most last year, and how much?"])
    datasource: str | None = Field(
        None, max_length=64, description="May be left out where there is only one."
    )
    session: SessionName | None = Field(
        None, description="A name of your choice; questions of one session may refer to each other."
    )
    sql: str | None = Field(
        None,
        min_length=1,
        max_length=20_000,
        description="A statement of your own for the question: it is checked and run, and no model is asked.",
    )


class AskShort(Body):
    """A question to /api/query."""

    query: str = Field(description="A question; SQL is read as a question, too.")
    datasource: str | None = Field(None, max_length=64)
    session: SessionName | None = None


class Judgement(Body):
    """What you think of an answer."""

    right: bool
    comment: str = Field("", max_length=2000)


class NewDocument(Body):
    """A document that you are about to send."""

    name: str = Field(examples=["customers.md"], description="A file name with .md, .txt, .csv or .pdf.")
    size: int = Field(ge=0, description="Bytes.")


class AnswerView(Message):
    """How a question ended."""

    outcome: OutcomeName
    read_as: str | None = Field(description="The whole question that a follow-up was read as.")
    sentence: str
    certain: bool = Field(description="Whether the answer may be relied on; the checks say why.")
    sql: str | None
    columns: tuple[ResultColumn, ...]
    rows: tuple[Any, ...] = Field(description="The first rows; `rows` of the query has them all.")
    row_count: int
    truncated: bool = Field(description="Whether the database had more rows than the answer may hold.")
    choices: tuple[str, ...] = Field(description="What the question could mean, where it must be told.")
    chart: Chart | None
    checks: tuple[Check, ...]
    error: Failure | None = Field(description="Why there is no answer; docs/errors.md lists the codes.")
    usage: Usage = Field(description="Tokens and cost of all calls of the model.")
    seconds: float


class QueryView(Message):
    """A question, how far it is, and how it ended."""

    id: str
    status: JobStatus
    cancel_requested: bool
    question: str
    datasource: str
    session: str | None
    request_id: str
    created_at: AwareDatetime
    started_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    expires_at: AwareDatetime
    steps: tuple[StepRecord, ...]
    answer: AnswerView | None = Field(description="Set when the status is `ended`.")


class QuerySummary(Message):
    """A question of the history."""

    id: str
    status: JobStatus
    question: str
    datasource: str
    session: str | None
    created_at: AwareDatetime
    ended_at: AwareDatetime | None
    outcome: OutcomeName | None
    sentence: str | None


class History(Message):
    """Your questions, the newest first."""

    queries: tuple[QuerySummary, ...]
    next: str | None = Field(description="The cursor of the next page; null on the last one.")


class RowsPage(Message):
    """Some rows of an answer."""

    columns: tuple[ResultColumn, ...]
    rows: tuple[tuple[Any, ...], ...]
    row_count: int = Field(description="Of all pages.")
    truncated: bool
    next: str | None = Field(description="The cursor of the next page; null on the last one.")


class DatasourceView(Message):
    """A database that you may ask about."""

    id: str
    tables: int | None = Field(description="How many you may see; null where the database does not answer.")


class DatasourceList(Message):
    """The databases that you may ask about."""

    datasources: tuple[DatasourceView, ...]


class ColumnView(Message):
    """A column that you may see."""

    name: str
    type: str
    nullable: bool
    description: str
    samples: tuple[str, ...] = Field(description="A few stored values, the most frequent first.")
    lowest: str | None = Field(description="The lowest of all numbers, dates or times, where that is known.")
    highest: str | None


class TableView(Message):
    """A table that you may see."""

    name: str
    kind: str
    description: str
    row_count: int | None = Field(description="About how many rows; null where you see only some.")
    columns: tuple[ColumnView, ...]
    primary_key: tuple[str, ...]
    foreign_keys: tuple[ForeignKey, ...]


class SchemaView(Message):
    """What you may see of a database."""

    id: str
    dialect: Dialect
    tables: tuple[TableView, ...]


class KnowledgeView(Message):
    """What people have written down about a database, as far as it names nothing that is hidden from you."""

    id: str
    terms: tuple[Term, ...]
    metrics: tuple[Metric, ...]
    verified: tuple[VerifiedQuery, ...]


class MeView(Message):
    """Who you are to the API."""

    subject: str
    groups: tuple[str, ...] = Field(description="Those that the access policy goes by.")
    attributes: dict[str, str] = Field(description="What row conditions of the access policy ask for.")
    is_editor: bool = Field(description="Whether you may change documents.")
    is_admin: bool = Field(description="Whether you see everybody's questions.")
    is_signed_in: bool = Field(description="False where everybody at this machine is one and the same.")


class DocumentList(Message):
    """The documents of a datasource."""

    documents: tuple[DocumentState, ...]


class Readiness(Message):
    """Which parts of the service answer."""

    database: str = Field(examples=["ok"])
    workflow: str = Field(examples=["ok"])
    model: str = Field(examples=["ok"], description="As far as that is seen without asking it.")


class FieldProblem(Message):
    """A value that is not as described."""

    pointer: str
    detail: str


class Problem(Message):
    """Why a request was not done, as RFC 9457 has it."""

    type: str = Field(examples=["urn:text2sql:problem:NOT_FOUND"])
    title: str
    status: int
    detail: str
    code: str = Field(description="docs/errors.md lists the codes.")
    retryable: bool
    request_id: str
    errors: tuple[FieldProblem, ...] = ()


def query_view(job: Job, rows: tuple[Any, ...] = ()) -> QueryView:
    """Return the job as its owner sees it, with the first rows of its answer."""
    asked = job.submission
    own = {name: getattr(job, name) for name in QueryView.model_fields if name in Job.model_fields}
    told = {name: getattr(asked, name) for name in ("question", "datasource", "session", "request_id")}
    return QueryView(**own, **told, answer=_answer_view(job, rows))


def _answer_view(job: Job, rows: tuple[Any, ...]) -> AnswerView | None:
    if job.reply is None:
        return None
    own = {
        name: getattr(job.reply, name)
        for name in AnswerView.model_fields
        if name not in {"rows", "row_count"}
    }
    return AnswerView(**own, rows=rows, row_count=job.row_count)


def query_summary(job: Job) -> QuerySummary:
    """Return the job as the history shows it."""
    asked = job.submission
    return QuerySummary(
        id=job.id,
        status=job.status,
        question=asked.question,
        datasource=asked.datasource,
        session=asked.session,
        created_at=job.created_at,
        ended_at=job.ended_at,
        outcome=job.reply.outcome if job.reply else None,
        sentence=job.reply.sentence if job.reply else None,
    )
