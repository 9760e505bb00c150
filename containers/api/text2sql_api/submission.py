"""Turns a question into a job: the same request twice is one job."""

import hashlib
import uuid
from datetime import UTC, datetime, timedelta

from text2sql.guardrail.step import require_question
from text2sql.jobs.port import Job, Submission
from text2sql_api.datasources import choose_datasource
from text2sql_api.dependencies import Api
from text2sql_api.errors import IdempotencyKeyReused
from text2sql_api.identity import Person
from text2sql_api.views import Ask

_ID_BYTES = 16


def submit(
    api: Api, person: Person, ask: Ask, key: str | None, request_id: str, *, waits: bool = False
) -> Job:
    """Keep the question as a job and begin it; the job of an earlier request with this key is returned.

    `waits` says that the request waits for the answer.

    Raises:
        InvalidQuestion, NotFound, TooManyJobs, JobStoreUnavailable: it cannot be asked, or not now.
        IdempotencyKeyReused: the key came with another question.
    """
    datasource = choose_datasource(api.datasources, ask.datasource, person)
    require_question(ask.question, api.datasources[datasource].question_characters)
    now = datetime.now(UTC)
    job = Job(
        id=_digest(person.subject, key) if key else uuid.uuid4().hex,
        submission=Submission(
            owner=person.subject,
            groups=person.groups,
            attributes=person.attributes,
            datasource=datasource,
            question=ask.question,
            written=ask.sql or "",
            session=ask.session,
            request_id=request_id,
        ),
        digest=_digest(key or "", datasource, ask.session or "", ask.question, *filter(None, [ask.sql])),
        created_at=now,
        expires_at=now + timedelta(seconds=api.settings.job_seconds),
    )
    kept = api.jobs.submit(job, api.settings.user_jobs)
    if kept.digest != job.digest:
        raise IdempotencyKeyReused("This key came with another question.", remedy="Send a new key.")
    if kept == job:  # else an earlier request has begun it
        api.workflow.start(kept, waits=waits)
    return kept


def _digest(*parts: str) -> str:
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=_ID_BYTES).hexdigest()
