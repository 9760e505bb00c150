"""Which questions of a session a new one may refer to."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from text2sql.jobs.port import Job, JobRecorder
from text2sql.messages import EarlierTurn

MAX_TURNS = 3
"""What a small model still makes sense of."""
_LOOK_BACK = 4 * MAX_TURNS
"""How many jobs to look at for turns that led to something."""


def recall(job: Job, jobs: JobRecorder, seconds: float) -> tuple[EarlierTurn, ...]:
    """Return what the model is told of the job's session, as `earlier_turns` does.

    Raises:
        JobStoreUnavailable: as the store says.
    """
    asked = job.submission
    if asked.session is None:
        return ()
    return earlier_turns(job, jobs.in_session(asked.owner, asked.session, _LOOK_BACK), seconds)


def earlier_turns(job: Job, previous: Sequence[Job], seconds: float) -> tuple[EarlierTurn, ...]:
    """Return what the model is told of the session, the oldest first.

    `previous` are the session's ended jobs, the newest first. The session is over where nothing
    happened for `seconds`, and it is another one for a caller who sees other data than before.
    """
    turns = [turn for earlier in _unbroken(job, previous, seconds) if (turn := _turn(earlier))]
    return tuple(reversed(turns[:MAX_TURNS]))


def _unbroken(job: Job, previous: Sequence[Job], seconds: float) -> Iterator[Job]:
    asked = job.submission
    for earlier in previous:
        if earlier.ended_at is None or job.created_at - earlier.ended_at > timedelta(seconds=seconds):
            return
        told = earlier.submission
        same = (told.datasource, told.groups, told.attributes)
        if same != (asked.datasource, asked.groups, asked.attributes):
            return
        yield earlier
        job = earlier


def _turn(job: Job) -> EarlierTurn | None:
    """Return nothing for a question that led nowhere; no model is told the caller's own statement either."""
    if job.reply is None or job.submission.written:
        return None
    reply = job.reply
    question = reply.read_as or job.submission.question
    if reply.outcome == "answered" and job.draft:
        return EarlierTurn(question=question, sql=job.draft)
    if reply.outcome == "clarification_needed":
        return EarlierTurn(question=question, clarification=" | ".join((reply.sentence, *reply.choices)))
    return None
