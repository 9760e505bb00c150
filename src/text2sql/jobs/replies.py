"""What a job ends with where its run cannot say it."""

from datetime import UTC, datetime

from text2sql.ending import failed, failure_of
from text2sql.errors import QueryCancelled, Text2SqlError
from text2sql.jobs.port import Job
from text2sql.messages import Reply
from text2sql.telemetry import total_usage


def failed_reply(job: Job, error: Text2SqlError) -> Reply:
    """Return the reply that tells of an error, with what was done until now."""
    steps = tuple(record for record in job.steps if record.status != "started")
    return Reply.model_validate(
        {
            "question": job.submission.question,
            **failed(failure_of(error)),
            "steps": steps,
            "usage": total_usage([record.usage for record in steps if record.usage]),
            "seconds": round((datetime.now(UTC) - (job.started_at or job.created_at)).total_seconds(), 3),
        }
    )


def cancelled_reply(job: Job) -> Reply:
    """Return the reply of a job that nobody wants any more."""
    error = QueryCancelled("The question was cancelled.", remedy="Ask again when you want its answer.")
    return failed_reply(job, error)
