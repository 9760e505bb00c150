"""The workflow in AWS Step Functions: an execution for each job, named by its id.

Any number of processes may use it at once. A name is taken once only and the first end of a job is the
one that is kept, so what two of them do to the same job happens once.
"""

import json
import logging
import re
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Any

from text2sql.errors import InvalidSettings, JobInterrupted, JobStoreUnavailable, WorkflowUnavailable
from text2sql.jobs.port import Job, JobRecorder
from text2sql.jobs.replies import cancelled_reply, failed_reply
from text2sql.jobs.session import recall
from text2sql.messages import Reply
from text2sql_api import logs
from text2sql_api.workflow.ends import log_end
from text2sql_api.workflow.polling import Poll

SWEEP_SECONDS = 10.0
"""How often jobs are looked for that nobody works on."""
SETTLE_SECONDS = 5.0
"""A younger job may still be in the hands of the request that it came with."""
LOOK_SECONDS = 60.0
"""A job that runs no longer than this is left alone, to spare Step Functions the question."""
EXPRESS_SECONDS = 330.0
"""After this an express execution is over, for it may last five minutes; it cannot be asked."""
GIVE_UP_SECONDS = 600.0
"""How long it is tried to begin a job."""
STOP_SECONDS = 3.0
"""How long a stop waits for a look that has begun."""
CONNECTIONS = 50
"""As many as requests are worked on at once."""
_ARN = re.compile(r"arn:[\w-]+:states:[\w-]+:\d{12}:stateMachine:[\w-]+", re.ASCII)

_log = logging.getLogger(__name__)


@dataclass
class StepFunctionsWorkflow:
    """The workflow port on a standard state machine, and perhaps an express one."""

    client: Any
    """boto3's for Step Functions."""
    store: JobRecorder
    machine: str
    """The ARN of the standard one."""
    machine_now: str = ""
    """The ARN of the express one, for jobs that somebody waits for."""
    session_seconds: float = 500.0
    _stopping: Event = field(default_factory=Event)
    _thread: Thread | None = None

    # ── the port ─────────────────────────────────────────────────────────────────────────────────

    def start(self, job: Job, *, waits: bool = False) -> None:
        """Start the job's execution; where Step Functions does not take it, the next look tries again."""
        try:
            if waits and self.machine_now and self._start_now(job):
                return
            self._start(job)
        except WorkflowUnavailable:
            _log.warning("a job cannot be begun", extra={"fields": {"job_id": job.id}})

    def cancel(self, job: Job) -> None:
        """End the job, then stop its execution; a step that runs sees by itself that nobody wants it."""
        self._end(job, cancelled_reply(job))
        try:
            # An express execution is not there for Step Functions, and cannot be stopped.
            self._ask("stop_execution", "ExecutionDoesNotExist", executionArn=self._execution(job.id))
        except WorkflowUnavailable:
            _log.warning("an execution cannot be stopped", extra={"fields": {"job_id": job.id}})

    def watch(self, job_id: str) -> AbstractContextManager[Poll]:
        """Look again and again: the job changes elsewhere."""
        del job_id
        return nullcontext(Poll())

    def is_ready(self) -> bool:
        """Tell whether Step Functions knows the state machine, and lost jobs are looked for."""
        try:
            self._ask("describe_state_machine", stateMachineArn=self.machine)
        except WorkflowUnavailable:
            return False
        return self._thread is not None and self._thread.is_alive()

    # ── its life ─────────────────────────────────────────────────────────────────────────────────

    def open(self) -> None:
        """Begin to look for jobs that nobody works on."""
        self._thread = Thread(target=self._sweep, name="sweep", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop looking; the executions go on."""
        self._stopping.set()
        if self._thread:
            self._thread.join(STOP_SECONDS)

    def _sweep(self) -> None:
        while not self._stopping.is_set():
            try:
                self.look(datetime.now(UTC))
            except JobStoreUnavailable:
                _log.warning("the job store does not answer")
            except Exception:  # noqa: BLE001  # whatever breaks, the next look may find it mended
                _log.exception("the look for lost jobs broke")
            self._stopping.wait(SWEEP_SECONDS)

    def look(self, now: datetime) -> None:
        """Begin the jobs that were never begun, and end those whose run has ended without saying how.

        Raises:
            JobStoreUnavailable: as the store says.
        """
        self.store.purge(now)
        for job in self.store.unfinished():
            if self._stopping.is_set():
                return
            logs.job_id.set(job.id)
            if _seconds(job.created_at, now) >= SETTLE_SECONDS:
                try:
                    self._look_after(job, now)
                except (WorkflowUnavailable, JobStoreUnavailable):  # the others may be better off
                    _log.warning("a job cannot be looked after")
        logs.job_id.set("")

    def _look_after(self, job: Job, now: datetime) -> None:
        if job.cancel_requested:
            self.cancel(job)
        elif job.status == "queued":
            self._start_late(job, now)
        elif (ran := _seconds(job.started_at or job.created_at, now)) >= LOOK_SECONDS:
            status = self._status(job.id)
            if status is None and ran >= EXPRESS_SECONDS:
                self._start_late(job, now)
            elif status not in {None, "RUNNING"}:
                broken_off = JobInterrupted("The work on this question was broken off.", remedy="Ask again.")
                self._end(job, failed_reply(job, broken_off))

    # ── one job ──────────────────────────────────────────────────────────────────────────────────

    def _start(self, job: Job) -> None:
        """Start the standard machine, which takes a name once, then note it.

        Raises:
            WorkflowUnavailable: Step Functions does not take it.
        """
        self._execute(self.machine, job)
        self.store.start(job.id)

    def _start_late(self, job: Job, now: datetime) -> None:
        """Start the standard machine, or give the job up where that has been tried for long.

        Raises:
            WorkflowUnavailable, JobStoreUnavailable: it cannot be begun yet.
        """
        try:
            self._start(job)
        except (WorkflowUnavailable, JobStoreUnavailable) as error:
            if _seconds(job.created_at, now) < GIVE_UP_SECONDS:
                raise
            self._end(job, failed_reply(job, error))

    def _start_now(self, job: Job) -> bool:
        """Start the express machine; tell whether it took the job.

        That the job is begun is noted first, for nobody can ask later whether an execution was there.
        """
        self.store.start(job.id)
        try:
            self._execute(self.machine_now, job)
        except WorkflowUnavailable:
            _log.warning("the express machine does not take a job", extra={"fields": {"job_id": job.id}})
            return False
        return True

    def _execute(self, machine: str, job: Job) -> None:
        asked = job.submission
        event = {
            "job_id": job.id,
            "question": asked.question,
            "written": asked.written,
            "caller": {"groups": asked.groups, "attributes": asked.attributes},
            "earlier": [
                turn.model_dump(mode="json") for turn in recall(job, self.store, self.session_seconds)
            ],
        }
        trace = {"traceHeader": logs.trace.get()} if logs.trace.get() else {}
        self._ask(
            "start_execution",
            "ExecutionAlreadyExists",
            stateMachineArn=machine,
            name=job.id,
            input=json.dumps(event),
            **trace,
        )

    def _status(self, job_id: str) -> str | None:
        found = self._ask("describe_execution", "ExecutionDoesNotExist", executionArn=self._execution(job_id))
        return str(found["status"]) if found else None

    def _execution(self, job_id: str) -> str:
        return f"{self.machine.replace(':stateMachine:', ':execution:')}:{job_id}"

    def _end(self, job: Job, reply: Reply) -> None:
        if self.store.end(job.id, reply):
            log_end(job, reply)

    def _ask(self, operation: str, expected: str = "", **parameters: Any) -> dict[str, Any] | None:
        """Call Step Functions; None where it answers with the error `expected`.

        Raises:
            WorkflowUnavailable: it does not answer, or with another error.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            reply: dict[str, Any] = getattr(self.client, operation)(**parameters)
        except ClientError as error:
            if error.response["Error"]["Code"] == expected:
                return None
            raise _unavailable() from error
        except BotoCoreError as error:
            raise _unavailable() from error
        return reply


def connect(
    store: JobRecorder, machine: str, machine_now: str = "", session_seconds: float = 500.0
) -> StepFunctionsWorkflow:
    """Return the adapter on a boto3 client; Region and credentials come from the AWS environment.

    Raises:
        InvalidSettings: an ARN is none of a state machine.
        WorkflowUnavailable: boto3 can make no client.
    """
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    if not all(_ARN.fullmatch(arn) for arn in (machine, machine_now or machine)):
        raise InvalidSettings(
            "That is no ARN of a state machine.",
            remedy="Set TEXT2SQL_API_STATE_MACHINE to arn:aws:states:REGION:ACCOUNT:stateMachine:NAME.",
        )
    limits = Config(
        connect_timeout=3,
        read_timeout=10,
        retries={"mode": "standard", "total_max_attempts": 3},
        max_pool_connections=CONNECTIONS,
    )
    try:
        client = boto3.client("stepfunctions", config=limits)
    except BotoCoreError as error:
        raise _unavailable() from error
    return StepFunctionsWorkflow(client, store, machine, machine_now, session_seconds)


def _seconds(begin: datetime, end: datetime) -> float:
    return (end - begin).total_seconds()


def _unavailable() -> WorkflowUnavailable:
    return WorkflowUnavailable("The questions' workflow does not answer.", remedy="Ask again in a while.")
