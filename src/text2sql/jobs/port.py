"""The ports of the job store, and what a job is."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal, Protocol, TypeAlias

from pydantic import AwareDatetime, Field

from text2sql.messages import Message, Reply, StepRecord

JobStatus: TypeAlias = Literal["queued", "running", "ended"]


class Submission(Message):
    """What was asked, and by whom: all that a workflow needs to begin, also after a restart."""

    owner: str
    """The caller's name at whoever signs the tokens; nobody else sees the job."""
    groups: tuple[str, ...] = ()
    attributes: dict[str, str] = Field(default_factory=dict)
    """As text; the policy's types are known only where it is read."""
    datasource: str
    question: str
    """As it was asked; once the job has ended, as the guardrail let it through."""
    written: str = ""
    """The statement that the caller wrote for it; mostly empty."""
    session: str | None = None
    """Questions of one session may refer to each other."""
    request_id: str = ""


class Verdict(Message):
    """What a person thinks of an answer."""

    right: bool
    comment: str = ""


class Job(Message):
    """One question, from the moment that it is accepted."""

    id: str
    submission: Submission
    digest: str = ""
    """Of what was asked: a repeated request must ask the same."""
    status: JobStatus = "queued"
    cancel_requested: bool = False
    created_at: AwareDatetime
    started_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    expires_at: AwareDatetime
    starts: int = 0
    """How often a workflow has begun it; more than once where one was broken off."""
    steps: tuple[StepRecord, ...] = ()
    """All that was told, in order, also of a run that was broken off."""
    reply: Reply | None = None
    """Set when it has ended; its rows are in the result store."""
    draft: str | None = None
    """`Reply.draft`."""
    row_count: int = 0
    verdict: Verdict | None = None


class JobStore(Protocol):
    """The jobs, as those see them who ask.

    Every method raises JobStoreUnavailable where the store does not answer.
    """

    def submit(self, job: Job, most: int) -> Job:
        """Keep a new job, or return the one that is kept under its id already.

        Raises:
            TooManyJobs: its owner has `most` unfinished ones.
        """
        ...

    def find(self, job_id: str) -> Job | None:
        """Return the job; None where there is none, or it has expired."""
        ...

    def history(self, owner: str, count: int, before: Job | None = None) -> tuple[Job, ...]:
        """Return the owner's latest jobs, those before `before`, the newest first and without their steps."""
        ...

    def request_cancel(self, job_id: str) -> None:
        """Note that the job's answer is not wanted any more."""
        ...

    def judge(self, job_id: str, verdict: Verdict) -> None:
        """Keep what a person thinks of the answer, in place of what they thought before."""
        ...

    def judged_right(self) -> tuple[Job, ...]:
        """Return the jobs of all owners whose answers were called right, the newest first, without steps."""
        ...


class JobRecorder(Protocol):
    """The jobs, as a workflow sees them.

    Every method raises JobStoreUnavailable where the store does not answer.
    """

    def unfinished(self) -> tuple[Job, ...]:
        """Return the jobs that have not ended, the oldest first."""
        ...

    def start(self, job_id: str) -> Job | None:
        """Note that the job is being worked on; None where it has ended."""
        ...

    def add_step(self, job_id: str, record: StepRecord) -> bool:
        """Add what a step told; return what `is_wanted` does."""
        ...

    def is_wanted(self, job_id: str) -> bool:
        """Tell whether to go on with a job: nobody has cancelled it, and it has not ended."""
        ...

    def end(self, job_id: str, reply: Reply, row_count: int = 0) -> bool:
        """Keep how the job ended, without the reply's rows; the first to say so wins, and is told True."""
        ...

    def in_session(self, owner: str, session: str, count: int) -> tuple[Job, ...]:
        """Return the session's latest jobs that have ended, the newest first and without their steps."""
        ...

    def purge(self, now: datetime) -> None:
        """Forget the jobs that have expired by `now`, and their rows."""
        ...


class ResultStore(Protocol):
    """The rows of answers, each row the JSON list that `row_json` writes.

    Every method raises JobStoreUnavailable where the store does not answer.
    """

    def put_rows(self, job_id: str, rows: Iterable[str]) -> int:
        """Keep a job's rows in place of those that it had; return how many there are."""
        ...

    def get_rows(self, job_id: str, start: int, count: int) -> tuple[str, ...]:
        """Return at most `count` rows from the row `start`, which counts from 0."""
        ...
