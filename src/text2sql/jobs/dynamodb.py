"""The job store on Amazon DynamoDB: an item for each job, and one for the unfinished jobs of each owner.

Lists of jobs are read from indexes, which follow the table within about a second. DynamoDB removes what
has expired by itself, within days; until then it is not told of.
"""

import hashlib
import json
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice
from typing import Any, Protocol, TypeGuard

from text2sql.errors import InvalidQuestion, JobStoreUnavailable, TooManyJobs
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

_Item = dict[str, dict[str, Any]]


class ReplyStore(Protocol):
    """Keeps the replies that are too large for an item."""

    def put_reply(self, job_id: str, text: str) -> str:
        """Keep a reply and return its key; different replies of one job have different keys."""
        ...

    def get_reply(self, key: str) -> str:
        """Return the reply."""
        ...


def _now() -> datetime:
    return datetime.now(UTC)


class DynamoJobStore:
    """JobStore and JobRecorder; safe for threads. boto3's client is made by `connect` for the first call."""

    def __init__(
        self,
        table: str,
        connect: Callable[[], Any],
        replies: ReplyStore,
        now: Callable[[], datetime] = _now,
    ) -> None:
        self._table = table
        self._connect = connect
        self._replies = replies
        self._now = now

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
        raise _unavailable()

    def find(self, job_id: str) -> Job | None:
        """Return the job with its steps."""
        item = self._get(job_id)
        if not self._is_current(item):
            return None
        steps = tuple(StepRecord.model_validate_json(each["S"]) for each in item.get("steps", {"L": ()})["L"])
        return self._job(item).model_copy(update={"steps": steps})

    def history(self, owner: str, count: int, before: Job | None = None) -> tuple[Job, ...]:
        """Return the owner's latest jobs."""
        condition, values = "#owner = :owner", {":owner": _digest(owner)}
        if before:
            condition, values = f"{condition} AND #asked < :before", {**values, ":before": _asked(before)}
        return self._list("by_owner", condition, values, count)

    def request_cancel(self, job_id: str) -> None:
        """Note that the answer is not wanted."""
        self._update(job_id, "SET #cancel_requested = :yes", {":yes": True}, unfinished=True)

    def judge(self, job_id: str, verdict: Verdict) -> None:
        """Keep a verdict."""
        self._update(job_id, "SET #verdict = :verdict", {":verdict": verdict.model_dump_json()})

    # ── as a workflow sees them ──────────────────────────────────────────────────────────────────

    def unfinished(self) -> tuple[Job, ...]:
        """Return what has not ended."""
        return self._list("unfinished", "#unfinished = :yes", {":yes": "yes"}, newest_first=False)

    def start(self, job_id: str) -> Job | None:
        """Note that somebody works on it."""
        item = self._update(
            job_id,
            "SET #status = :running, #starts = #starts + :one,"
            " #started_at = if_not_exists(#started_at, :now)",
            {":running": "running", ":one": 1, ":now": _time(self._now())},
            unfinished=True,
        )
        return self._job(item) if item else None

    def add_step(self, job_id: str, record: StepRecord) -> bool:
        """Add what a step told."""
        item = self._update(
            job_id,
            "SET #steps = list_append(if_not_exists(#steps, :none), :step)",
            {":none": [], ":step": [record.model_dump_json()], ":most": MOST_STEPS},
            "(attribute_not_exists(#steps) OR size(#steps) < :most)",
        )
        return _is_wanted(item or self._get(job_id))

    def is_wanted(self, job_id: str) -> bool:
        """Tell whether anybody waits for it still."""
        return _is_wanted(self._get(job_id, "id", "status", "cancel_requested"))

    def end(self, job_id: str, reply: Reply, row_count: int = 0) -> bool:
        """Keep how it ended, and the question only as the guardrail let it through."""
        kept = reply.model_copy(update={"rows": ()}).model_dump(mode="json")
        text = json.dumps({"reply": kept, "draft": reply.draft}, ensure_ascii=False, separators=(",", ":"))
        is_small = len(text.encode()) <= REPLY_BYTES
        now = _time(self._now())
        item = self._update(
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
            unfinished=True,
        )
        if item:
            with suppress(JobStoreUnavailable):  # the next job that finds no room has it looked for
                self._forget(item["owner"]["S"], {job_id})
        return item is not None

    def in_session(self, owner: str, session: str, count: int) -> tuple[Job, ...]:
        """Return what went before in a session."""
        return self._list("by_session", "#session = :session", {":session": _digest(owner, session)}, count)

    def purge(self, now: datetime) -> None:
        """Do nothing: DynamoDB and S3 forget by themselves."""

    # ── the unfinished jobs of an owner ──────────────────────────────────────────────────────────

    def _put(self, job: Job, most: int) -> tuple[str, str] | None:
        """Put a job and note it as its owner's; else return why each of the two was not done."""
        key = f"owner#{_digest(job.submission.owner)}"
        expires = int(job.expires_at.timestamp()) + 1
        parts = [
            {
                "Put": {
                    "Item": _new_item(job),
                    **_expression(
                        "",
                        "attribute_not_exists(#id) OR #expires_at <= :now",
                        {":now": _time(self._now())},
                    ),
                }
            },
            {
                "Update": {
                    "Key": _typed({"id": key}),
                    **_expression(
                        "SET #expires = :expires ADD #jobs :jobs",
                        "attribute_not_exists(#jobs) OR size(#jobs) < :most",
                        {":jobs": {job.id}, ":expires": expires, ":most": most},
                    ),
                }
            },
        ]
        for part in parts:
            for request in part.values():
                request["TableName"] = self._table
        from botocore.exceptions import ClientError

        with _translated():
            try:
                self._client.transact_write_items(TransactItems=parts)
            except ClientError as error:
                if error.response["Error"]["Code"] != "TransactionCanceledException":
                    raise
                first, second = (each.get("Code", "") for each in error.response["CancellationReasons"])
                return first, second
        return None

    def _forget_ended(self, owner: str) -> bool:
        """Take those of an owner's jobs off the list that have ended or expired; tell whether there were any.

        They are there because a process ended between two writes, or a job was never worked on.
        """
        listed = (self._get(f"owner#{_digest(owner)}") or {}).get("jobs", {"SS": ()})["SS"]
        over = {job_id for job_id in listed if not self._is_unfinished(job_id)}
        if over:
            self._forget(_digest(owner), over)
        return bool(over)

    def _is_unfinished(self, job_id: str) -> bool:
        item = self._get(job_id, "status", "expires_at")
        return self._is_current(item) and item["status"]["S"] != "ended"

    def _forget(self, owner: str, job_ids: set[str]) -> None:
        self._update(f"owner#{owner}", "DELETE #jobs :jobs", {":jobs": job_ids})

    # ── the table ────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def _client(self) -> Any:
        return self._connect()

    def _get(self, key: str, *names: str) -> _Item | None:
        only = {
            "ProjectionExpression": ", ".join(f"#{name}" for name in names),
            "ExpressionAttributeNames": {f"#{name}": name for name in names},
        }
        with _translated():
            item: _Item | None = self._client.get_item(
                TableName=self._table, Key=_typed({"id": key}), ConsistentRead=True, **(only if names else {})
            ).get("Item")
        return item

    def _update(
        self,
        key: str,
        change: str,
        values: Mapping[str, object],
        condition: str = "",
        *,
        unfinished: bool = False,
    ) -> _Item | None:
        """Change an item that is there, and for which the condition holds, and return it; else None."""
        from botocore.exceptions import ClientError

        conditions = ["attribute_exists(#id)", *([condition] if condition else [])]
        if unfinished:
            conditions.append("#status <> :ended")
            values = {":ended": "ended", **values}
        with _translated():
            try:
                changed: _Item = self._client.update_item(
                    TableName=self._table,
                    Key=_typed({"id": key}),
                    ReturnValues="ALL_NEW",
                    **_expression(change, " AND ".join(conditions), values),
                )["Attributes"]
            except ClientError as error:
                if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                    return None
                raise
        return changed

    def _list(
        self,
        index: str,
        condition: str,
        values: Mapping[str, object],
        count: int | None = None,
        *,
        newest_first: bool = True,
    ) -> tuple[Job, ...]:
        found = self._query(index, condition, {**values, ":now": _time(self._now())}, newest_first, count)
        return tuple(map(self._job, islice(found, count)))

    def _query(
        self,
        index: str,
        condition: str,
        values: Mapping[str, object],
        newest_first: bool,  # noqa: FBT001
        count: int | None,
    ) -> Iterator[_Item]:
        """Yield the index's items that have not expired, in its order, a page after another."""
        expired = "#expires_at > :now"
        request = {
            "TableName": self._table,
            "IndexName": index,
            "KeyConditionExpression": condition,
            "FilterExpression": expired,
            "ExpressionAttributeNames": _names(condition, expired),
            "ExpressionAttributeValues": _typed(values),
            "ScanIndexForward": not newest_first,
            **({"Limit": count} if count else {}),
        }
        while True:
            with _translated():
                page = self._client.query(**request)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _is_kept(self, job_id: str) -> bool:
        return self._is_current(self._get(job_id, "expires_at"))

    def _is_current(self, item: _Item | None) -> TypeGuard[_Item]:
        return item is not None and item["expires_at"]["S"] > _time(self._now())

    def _job(self, item: _Item) -> Job:
        """Return the job without its steps."""
        told = {name: value for name, (value,) in ((name, each.values()) for name, each in item.items())}
        submission = json.loads(told["submission"]) | {"question": told["question"]}
        end = told.get("reply")
        if key := told.get("reply_key"):
            end = self._replies.get_reply(key)
        return Job.model_validate(
            {
                **{name: told.get(name) for name in ("started_at", "ended_at")},
                **{name: told[name] for name in ("id", "digest", "status", "cancel_requested")},
                **{name: told[name] for name in ("created_at", "expires_at")},
                **{name: int(told[name]) for name in ("starts", "row_count")},
                "submission": submission,
                "verdict": json.loads(told["verdict"]) if "verdict" in told else None,
                **(json.loads(end) if end else {}),
            }
        )


def _new_item(job: Job) -> _Item:
    asked = job.submission
    submission = asked.model_dump_json(exclude={"question"})
    if len(submission.encode()) + len(asked.question.encode()) > SUBMISSION_BYTES:
        raise InvalidQuestion("The question is too long to be kept.", remedy="Ask a shorter one.")
    item = {
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
    return _typed(item)


def _is_wanted(item: _Item | None) -> bool:
    if not item:
        return True
    return item["status"]["S"] != "ended" and not item["cancel_requested"]["BOOL"]


def _asked(job: Job) -> str:
    """Return the job's place among its owner's."""
    return f"{_time(job.created_at)} {job.id}"


def _time(moment: datetime) -> str:
    """Return text that sorts as moments do."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _digest(*parts: str) -> str:
    """Return a key that is never empty or too long."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


# ── DynamoDB's own forms ─────────────────────────────────────────────────────────────────────────


def _expression(change: str, condition: str, values: Mapping[str, object]) -> dict[str, Any]:
    return {
        **({"UpdateExpression": change} if change else {}),
        "ConditionExpression": condition,
        "ExpressionAttributeNames": _names(change, condition),
        "ExpressionAttributeValues": _typed(values),
    }


def _names(*expressions: str) -> dict[str, str]:
    """Return what each `#name` stands for; many plain names are DynamoDB's own words."""
    return {name: name[1:] for text in expressions for name in re.findall(r"#\w+", text)}


def _typed(values: Mapping[str, object]) -> _Item:
    return {name: _typed_value(value) for name, value in values.items()}


def _typed_value(value: object) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, int):
        return {"N": str(value)}
    if isinstance(value, set):
        return {"SS": sorted(value)}
    if isinstance(value, list):
        return {"L": [_typed_value(each) for each in value]}
    return {"S": str(value)}


@contextmanager
def _translated() -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise _unavailable() from error


def _unavailable() -> JobStoreUnavailable:
    return JobStoreUnavailable("The questions' store does not answer.", remedy="Ask again in a while.")
