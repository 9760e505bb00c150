"""The workflow port."""

from contextlib import AbstractContextManager
from typing import Protocol

from text2sql.jobs.port import Job


class Changes(Protocol):
    """Tells that a job may have changed."""

    async def wait(self, seconds: float) -> None:
        """Return when something has happened since the last call, or after `seconds`."""
        ...


class Workflow(Protocol):
    """Works on jobs that are in the store already."""

    def start(self, job: Job, *, waits: bool = False) -> None:
        """Begin the job now or soon; `waits` says that somebody waits for its answer.

        Raises:
            JobStoreUnavailable: as the store says.
        """
        ...

    def cancel(self, job: Job) -> None:
        """End the job, and the query that it runs; one that has ended stays as it is.

        Raises:
            JobStoreUnavailable: as the store says.
        """
        ...

    def watch(self, job_id: str) -> AbstractContextManager[Changes]:
        """Listen to a job's changes for as long as the block lasts; on an event loop."""
        ...

    def is_ready(self) -> bool:
        """Tell whether jobs are worked on."""
        ...
