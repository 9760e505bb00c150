"""Tells the log how jobs end."""

import logging

from text2sql.jobs.port import Job
from text2sql.messages import Reply

_log = logging.getLogger(__name__)


def log_end(job: Job, reply: Reply) -> None:
    """Write down how the job ended; nothing of what was asked or found."""
    fields = {"outcome": reply.outcome, "code": reply.error.code if reply.error else None}
    _log.info("job ended", extra={"fields": {**fields, "job_id": job.id, "seconds": reply.seconds}})
