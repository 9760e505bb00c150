"""The job that a function works on: its steps are noted there, and there it learns of a cancel."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from threading import Event, Thread

from text2sql.errors import JobStoreUnavailable
from text2sql.jobs.cloud import CloudJobStore, open_cloud_store
from text2sql.jobs.port import JobRecorder
from text2sql.messages import StepRecord

WATCH_SECONDS = 0.5
"""How long a query goes on after its cancel, beside the time that the database takes to stop it."""


@cache
def open_jobs() -> CloudJobStore:
    """Return the store that TEXT2SQL_JOBS_TABLE and, where rows are kept, TEXT2SQL_RESULTS_BUCKET name."""
    return open_cloud_store(
        os.environ.get("TEXT2SQL_JOBS_TABLE", ""), os.environ.get("TEXT2SQL_RESULTS_BUCKET", "")
    )


class JobNotes:
    """One job, while a function works on it; a store that does not answer stops nobody.

    Attributes:
        cancelled: set as soon as it is known that nobody wants the answer any more.
        missed: how many notes the store did not take.
    """

    def __init__(self, job_id: str, jobs: JobRecorder) -> None:
        self.cancelled = Event()
        self.missed = 0
        self._job_id = job_id
        self._jobs = jobs

    def note(self, record: StepRecord) -> None:
        """Add what a step tells."""
        try:
            wanted = self._jobs.add_step(self._job_id, record)
        except JobStoreUnavailable:
            self.missed += 1
            return
        if not wanted:
            self.cancelled.set()

    @contextmanager
    def watched(self) -> Iterator[Event]:
        """Lend `cancelled`, and look for a cancel twice a second for as long as the block lasts."""
        over = Event()

        def look() -> None:
            while not over.wait(WATCH_SECONDS) and not self.cancelled.is_set():
                with suppress(JobStoreUnavailable):
                    if not self._jobs.is_wanted(self._job_id):
                        self.cancelled.set()

        watcher = Thread(target=look, name="watcher", daemon=True)
        watcher.start()
        try:
            yield self.cancelled
        finally:
            over.set()
            watcher.join()
