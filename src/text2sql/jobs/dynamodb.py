"""The job store on Amazon DynamoDB: an item for each job, and one for the unfinished jobs of each owner.

Lists of jobs are read from indexes, which follow the table within about a second. DynamoDB removes what
has expired by itself, within days; until then it is not told of.
"""

import hashlib
import json
import random
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice
from operator import itemgetter
from typing import Any, Protocol, TypeGuard

from text2sql.errors import InvalidQuestion, JobStoreUnavailable, TooManyJobs
from text2sql.jobs.dynamodb_table import Item, Table, Write, unavailable
from text2sql.jobs.port import Job, Verdict
from text2sql.messages import Reply, StepRecord

REPLY_BYTES = 65_536
"""A larger reply is kept beside the item, of which DynamoDB takes 400 KB."""
SUBMISSION_BYTES = 131_072
"""What was asked and by whom; a larger one is refused."""
MOST_STEPS = 500
"""What a job tells beyond these is not kept; a run tells some twenty."""
SUBMIT_TRIES = 10
"""How often jobs that one owner submits at the same moment may get into each other's way."""
_WAIT_SECONDS = 0.02
"""Before the second try, and twice as much before each further one, at random."""

_UNFINISHED = "#status <> :ended"


class ReplyStore(Protocol):
    """Keeps the replies that are too large for an item."""

    def put_reply(self, job_id: str, text: str) -> str:
        """Keep a reply and return its key; different replies of one job have different keys."""
        ...

    def get_reply(self, key: str) -> str:
        """Return the reply."""
        ...


class DynamoJobStore:
    """JobStore and JobRecorder; safe for threads. boto3's client is made by `connect` for the first call."""

    def __init__(self, table: str, connect: Callable[[], Any], replies: ReplyStore) -> None:
        self._table = Table(table, connect)
        self._replies = replies

    # ── as those see them who ask ────────────────────────────────────────────────────────────────

    def submit(self, job: Job, most: int) -> Job:
        """Keep a new job, as the port says.

        Raises:
            InvalidQuestion: it is too large to be kept.
        """
        for number in range(SUBMIT_TRIES):
            refused = self._put(job, most)
            if not refused:
                return job
            taken, full = (reason == "ConditionalCheckFailed" for reason in refused)
            if taken:
                if kept := self.find(job.id):
                    return kept
            elif full and not self._forget_ended(job.submission.owner):
                raise TooManyJobs(
                    f"You have {most} unfinished questions.", remedy="Wait for one to end, or cancel one."
                )
            time.sleep(random.uniform(0, _WAIT_SECONDS * 2**number))  # noqa: S311  # no secret
        raise unavailable()

    def find(self, job_id: str) -> Job | None:
        """Return the job with its steps."""
        item = self._table.get(job_id)
        if not self._is_current(item):
            return None
        steps = tuple(map(StepRecord.model_validate_json, item.get("steps", ())))
        return self._job(item).model_copy(update={"steps": steps})

    def history(self, owner: str, count: int, before: Job | None = None) -> tuple[Job, ...]:
        """Return the owner's latest jobs."""
        condition, values = "#owner = :owner", {":owner": _digest(owner)}
        if before:
            condition, values = f"{condition} AND #asked < :before", {**values, ":before": _asked(before)}
        return self._list("by_owner", condition, values, count)

    def request_cancel(self, job_id: str) -> None:
        """Note that the answer is not wanted."""
        self._table.update(
            job_id, "SET #cancel_requested = :yes", {":yes": True, ":ended": "ended"}, _UNFINISHED
        )

    def judge(self, job_id: str, verdict: Verdict) -> None:
        """Keep a verdict."""
        self._table.update(job_id, "SET #verdict = :verdict", {":verdict": verdict.model_dump_json()})

    def judged_right(self) -> tuple[Job, ...]:
        """Return what was called right; every job is looked at for it."""
        judged = self._table.scan("attribute_exists(#verdict) AND #expires_at > :now", {":now": _now()})
        right = (item for item in judged if json.loads(item["verdict"])["right"])
        return tuple(map(self._job, sorted(right, key=itemgetter("asked"), reverse=True)))

    # ── as a workflow sees them ──────────────────────────────────────────────────────────────────

    def unfinished(self) -> tuple[Job, ...]:
        """Return what has not ended."""
        return self._list("unfinished", "#unfinished = :yes", {":yes": "yes"}, newest_first=False)

    def start(self, job_id: str) -> Job | None:
        """Note that somebody works on it."""
        item = self._table.update(
            job_id,
            "SET #status = :running, #starts = #starts + :one,"
            " #started_at = if_not_exists(#started_at, :now)",
            {":running": "running", ":one": 1, ":now": _now(), ":ended": "ended"},
            _UNFINISHED,
        )
        return self._job(item) if item else None

    def add_step(self, job_id: str, record: StepRecord) -> bool:
        """Add what a step told."""
        item = self._table.update(
            job_id,
            "SET #steps = list_append(if_not_exists(#steps, :none), :step)",
            {":none": [], ":step": [record.model_dump_json()], ":most": MOST_STEPS},
            "(attribute_not_exists(#steps) OR size(#steps) < :most)",
        )
        return _is_wanted(item or self._table.get(job_id))

    def is_wanted(self, job_id: str) -> bool:
        """Tell whether anybody waits for it still."""
        return _is_wanted(self._table.get(job_id, "status", "cancel_requested"))

    def end(self, job_id: str, reply: Reply, row_count: int = 0) -> bool:
        """Keep how it ended, and the question only as the guardrail let it through."""
        kept = reply.model_copy(update={"rows": ()}).model_dump(mode="json")
        text = json.dumps({"reply": kept, "draft": reply.draft}, ensure_ascii=False, separators=(",", ":"))
        is_small = len(text.encode()) <= REPLY_BYTES
        now = _now()
        item = self._table.update(
            job_id,
            f"SET #status = :ended, #{'reply' if is_small else 'reply_key'} = :reply,"
            " #ended_at = :now, #ended = :place, #row_count = :rows, #question = :question"
            " REMOVE #unfinished",
            {
                ":ended": "ended",
                ":now": now,
                ":place": f"{now} {job_id}",
                ":reply": text if is_small else self._replies.put_reply(job_id, text),
                ":rows": row_count,
                ":question": reply.question,
            },
            _UNFINISHED,
        )
        if item:
            with suppress(JobStoreUnavailable):  # the next job that finds no room has it looked for
                self._forget(item["owner"], {job_id})
        return item is not None

    def in_session(self, owner: str, session: str, count: int) -> tuple[Job, ...]:
        """Return what went before in a session."""
        return self._list("by_session", "#session = :session", {":session": _digest(owner, session)}, count)

    def purge(self, now: datetime) -> None:
        """Do nothing: DynamoDB and S3 forget by themselves."""

    # ── the unfinished jobs of an owner ──────────────────────────────────────────────────────────

    def _put(self, job: Job, most: int) -> tuple[str, ...]:
        """Put a job and note it as its owner's; else return why each of the two was not done."""
        is_free = "attribute_not_exists(#id) OR #expires_at <= :now"
        has_room = "attribute_not_exists(#jobs) OR size(#jobs) < :most"
        item = _new_item(job)
        noted = {":jobs": {job.id}, ":expires": item["expires"], ":most": most}
        return self._table.write(
            Write(item, is_free, {":now": _now()}),
            Write(
                item={"id": f"owner#{item['owner']}"},
                condition=has_room,
                values=noted,
                change="SET #expires = :expires ADD #jobs :jobs",
            ),
        )

    def _forget_ended(self, owner: str) -> bool:
        """Take those of an owner's jobs off the list that have ended or expired; tell whether there were any.

        They are there because a process ended between two writes, or a job was never worked on.
        """
        listed = (self._table.get(f"owner#{_digest(owner)}") or {}).get("jobs", ())
        over = {job_id for job_id in listed if not self._is_unfinished(job_id)}
        if over:
            self._forget(_digest(owner), over)
        return bool(over)

    def _is_unfinished(self, job_id: str) -> bool:
        item = self._table.get(job_id, "status", "expires_at")
        return self._is_current(item) and item["status"] != "ended"

    def _forget(self, owner: str, job_ids: set[str]) -> None:
        self._table.update(f"owner#{owner}", "DELETE #jobs :jobs", {":jobs": job_ids})

    # ── items as jobs ────────────────────────────────────────────────────────────────────────────────

    def _list(
        self, index: str, condition: str, values: Item, count: int | None = None, *, newest_first: bool = True
    ) -> tuple[Job, ...]:
        """Return the jobs of an index that have not expired."""
        found = self._table.query(
            index,
            condition,
            "#expires_at > :now",
            {**values, ":now": _now()},
            backwards=newest_first,
            page=count,
        )
        return tuple(map(self._job, islice(found, count)))

    def _is_kept(self, job_id: str) -> bool:
        return self._is_current(self._table.get(job_id, "expires_at"))

    def _is_current(self, item: Item | None) -> TypeGuard[Item]:
        return item is not None and item["expires_at"] > _now()

    def _job(self, item: Item) -> Job:
        """Return the job without its steps."""
        end = item.get("reply")
        if "reply_key" in item:
            end = self._replies.get_reply(item["reply_key"])
        told = {name: item[name] for name in Job.model_fields.keys() & item.keys() - {"reply", "steps"}}
        submission = json.loads(item["submission"]) | {"question": item["question"]}
        verdict = json.loads(item["verdict"]) if "verdict" in item else None
        kept = json.loads(end) if end else {}
        return Job.model_validate({**told, "submission": submission, "verdict": verdict, **kept})


def _new_item(job: Job) -> Item:
    asked = job.submission
    submission = asked.model_dump_json(exclude={"question"})
    if len(submission.encode()) + len(asked.question.encode()) > SUBMISSION_BYTES:
        raise InvalidQuestion("The question is too long to be kept.", remedy="Ask a shorter one.")
    item: Item = {
        "id": job.id,
        "owner": _digest(asked.owner),
        "asked": _asked(job),
        "unfinished": "yes",
        "submission": submission,
        "question": asked.question,
        "digest": job.digest,
        "status": job.status,
        "cancel_requested": False,
        "created_at": _time(job.created_at),
        "expires_at": _time(job.expires_at),
        "expires": int(job.expires_at.timestamp()) + 1,
        "starts": 0,
        "row_count": 0,
    }
    if asked.session is not None:
        item["session"] = _digest(asked.owner, asked.session)
    return item


def _is_wanted(item: Item | None) -> bool:
    return not item or (item["status"] != "ended" and not item["cancel_requested"])


def _asked(job: Job) -> str:
    """Return the job's place among its owner's."""
    return f"{_time(job.created_at)} {job.id}"


def _now() -> str:
    return _time(datetime.now(UTC))


def _time(moment: datetime) -> str:
    """Return text that sorts as moments do."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _digest(*parts: str) -> str:
    """Return a key that is never empty or too long."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
