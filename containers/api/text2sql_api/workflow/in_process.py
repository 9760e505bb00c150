"""The workflow in this process: a few threads that run the pipeline, and a store that outlives them.

One process at a time may work on a store, which a lock on a file beside it makes sure of. So whatever a
store holds unfinished when the lock is got was broken off, and is begun again.
"""

import fcntl
import logging
import os
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Protocol

from text2sql.answer.json_reply import row_json
from text2sql.errors import (
    InvalidSettings,
    JobInterrupted,
    JobStoreUnavailable,
    QueryCancelled,
    Text2SqlError,
)
from text2sql.jobs.port import Job, JobRecorder, ResultStore
from text2sql.jobs.replies import cancelled_reply, failed_reply
from text2sql.jobs.session import recall
from text2sql.messages import Reply, StepRecord
from text2sql.pipeline import Services, answer
from text2sql_api import logs
from text2sql_api.datasources import caller_of
from text2sql_api.metrics import Metrics
from text2sql_api.workflow.changes import Board, Listener
from text2sql_api.workflow.ends import log_end
from text2sql_api.workflow.fair_queue import FairQueue

MAX_STARTS = 3
"""A job that was broken off so often may be what ends the process."""
SWEEP_SECONDS = 10.0
"""How often expired jobs are removed and lost ones found."""
STOP_SECONDS = 3.0
"""How long a stop waits for workers, which leave their jobs to the next process."""

_log = logging.getLogger(__name__)


class Store(JobRecorder, ResultStore, Protocol):
    """Where jobs and their rows are kept."""


@dataclass
class InProcessWorkflow:
    """The workflow port on threads."""

    store: Store
    services: Mapping[str, Services]
    """By the name of the datasource."""
    metrics: Metrics
    lock_file: Path
    workers: int = 4
    session_seconds: float = 500.0
    _queue: FairQueue = field(default_factory=FairQueue)
    _board: Board = field(default_factory=Board)
    _threads: list[Thread] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)
    _held: dict[str, Event] = field(default_factory=dict)
    """The jobs that wait or run here, each with what cancels it."""
    _stopping: Event = field(default_factory=Event)
    _descriptor: int = -1

    # ── the port ─────────────────────────────────────────────────────────────────────────────────

    def start(self, job: Job, *, waits: bool = False) -> None:
        """Let a job wait for a worker, unless it does already or has ended; all have the same workers."""
        del waits
        with self._lock:
            if job.status == "ended" or job.id in self._held:
                return
            self._held[job.id] = Event()
        self._queue.put(job.submission.owner, job.id)

    def cancel(self, job: Job) -> None:
        """Stop a running job at its next step; end one that waits at once."""
        with self._lock:
            cancelled = self._held.get(job.id)
        if cancelled:
            cancelled.set()
        if job.status == "queued":
            self._end(job, cancelled_reply(job))

    def watch(self, job_id: str) -> AbstractContextManager[Listener]:
        """Listen to what this process does to a job."""
        return self._board.watch(job_id)

    def is_ready(self) -> bool:
        """Tell whether all workers live."""
        return bool(self._threads) and all(thread.is_alive() for thread in self._threads)

    # ── its life ─────────────────────────────────────────────────────────────────────────────────

    def open(self) -> None:
        """Begin to work, first on what an earlier process left unfinished.

        Raises:
            InvalidSettings: another process works on this store.
            JobStoreUnavailable: as the store says.
        """
        self._descriptor = _lock_file(self.lock_file)
        self.metrics.watch("text2sql_jobs_waiting", "Jobs that wait for a worker", lambda: len(self._queue))
        self.metrics.watch("text2sql_jobs_held", "Jobs that wait or run", lambda: len(self._held))
        self.store.purge(datetime.now(UTC))
        self._start_unfinished()
        names = [f"worker-{number}" for number in range(self.workers)]
        self._threads = [Thread(target=self._work, name=name, daemon=True) for name in names]
        for thread in (*self._threads, Thread(target=self._sweep, name="sweep", daemon=True)):
            thread.start()

    def close(self) -> None:
        """Stop working; what is unfinished is left in the store for the next process."""
        self._stopping.set()
        self._queue.close()
        with self._lock:
            for cancelled in self._held.values():
                cancelled.set()
        end = time.monotonic() + STOP_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _sweep(self) -> None:
        while not self._stopping.wait(SWEEP_SECONDS):
            try:
                self.store.purge(datetime.now(UTC))
                self._start_unfinished()
            except JobStoreUnavailable:
                _log.warning("the job store does not answer")

    def _start_unfinished(self) -> None:
        """Begin what is kept but not held here: its process ended, or its end could not be kept."""
        for job in self.store.unfinished():
            self.start(job)

    # ── one job ──────────────────────────────────────────────────────────────────────────────────

    def _work(self) -> None:
        while (job_id := self._queue.take()) is not None:
            logs.job_id.set(job_id)
            try:
                self._run(job_id)
            except Exception:  # noqa: BLE001  # whatever breaks, the worker goes on
                _log.exception("a job could not be recorded")
            finally:
                with self._lock:
                    self._held.pop(job_id, None)
                self._board.tell(job_id)

    def _run(self, job_id: str) -> None:
        job = self.store.start(job_id)
        if job is None:  # it ended while it waited
            return
        logs.request_id.set(job.submission.request_id)
        try:
            reply = self._answer(job)
        except Text2SqlError as error:
            reply = failed_reply(job, error)
        if self._stopping.is_set() and reply.error and reply.error.code == QueryCancelled.code:
            return  # it is not the asker who does not want it any more
        self._end(job, reply)

    def _answer(self, job: Job) -> Reply:
        """Run the pipeline.

        Raises:
            Text2SqlError: it could not be begun.
        """
        asked = job.submission
        if job.cancel_requested:
            return cancelled_reply(job)
        if job.starts > MAX_STARTS:
            raise JobInterrupted("The service ended several times while it worked on this question.")
        if asked.datasource not in self.services:  # it was served when the question was asked
            raise InvalidSettings(f"There is no datasource {asked.datasource} any more.")
        services = self.services[asked.datasource]

        def on_step(record: StepRecord) -> None:
            self.metrics.count_step(record)
            with suppress(JobStoreUnavailable):  # the answer matters more than the way to it
                self.store.add_step(job.id, record)
            self._board.tell(job.id)

        return answer(
            asked.question,
            services,
            on_step,
            caller_of(services, asked.groups, asked.attributes),
            earlier=recall(job, self.store, self.session_seconds),
            written=asked.written,
            cancelled=self._held[job.id],
        )

    def _end(self, job: Job, reply: Reply) -> None:
        rows = self.store.put_rows(job.id, map(row_json, reply.rows)) if reply.rows else 0
        if self.store.end(job.id, reply, rows):
            self.metrics.count_job(reply)
            log_end(job, reply)
        self._board.tell(job.id)


def _lock_file(path: Path) -> int:
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise InvalidSettings(
            "Another process works on these jobs.",
            remedy="Stop it, or name another file in TEXT2SQL_API_JOBS_FILE.",
        ) from error
    return descriptor
