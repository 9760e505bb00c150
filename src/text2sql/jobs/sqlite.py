"""The job and result stores in one SQLite file, which outlives the process; for one machine."""

import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any

from text2sql.errors import InvalidSettings, JobStoreUnavailable, TooManyJobs
from text2sql.jobs.port import Job, Verdict
from text2sql.messages import Reply, StepRecord

PAGE_ROWS = 500
BUSY_SECONDS = 5.0
VERSION = 1
_SCRIPT = """
BEGIN;
CREATE TABLE jobs (
  id TEXT PRIMARY KEY, owner TEXT NOT NULL, session TEXT, created_at REAL NOT NULL, expires_at REAL NOT NULL,
  started_at REAL, ended_at REAL, status TEXT NOT NULL, cancel_requested INTEGER NOT NULL DEFAULT 0,
  starts INTEGER NOT NULL DEFAULT 0, digest TEXT NOT NULL, submission TEXT NOT NULL,
  reply TEXT, draft TEXT, row_count INTEGER NOT NULL DEFAULT 0, verdict TEXT
);
CREATE INDEX jobs_by_owner ON jobs (owner, created_at, id);
CREATE INDEX jobs_by_session ON jobs (owner, session, ended_at) WHERE session IS NOT NULL;
CREATE INDEX jobs_unfinished ON jobs (owner) WHERE status != 'ended';
CREATE INDEX jobs_by_expiry ON jobs (expires_at);
CREATE TABLE steps (
  job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE, number INTEGER NOT NULL, record TEXT NOT NULL,
  PRIMARY KEY (job_id, number)
) WITHOUT ROWID;
CREATE TABLE pages (
  job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE, start INTEGER NOT NULL, rows TEXT NOT NULL,
  PRIMARY KEY (job_id, start)
);
PRAGMA user_version = 1;
COMMIT;
"""


def _now() -> datetime:
    return datetime.now(UTC)


class SqliteJobStore:
    """JobStore, JobRecorder and ResultStore; safe for threads.

    What a call has written survives the end of the process; the last moments before the machine itself
    loses power may be lost.
    """

    def __init__(self, path: Path, now: Callable[[], datetime] = _now) -> None:
        """Open the file, or make it; only this user can read it.

        Raises:
            InvalidSettings: the file is something else.
            JobStoreUnavailable: it cannot be opened.
        """
        self._now = now
        self._lock = Lock()
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise _unavailable() from error
        with _translated():
            self._connection = sqlite3.connect(
                path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            try:
                self._prepare(path)
            except BaseException:
                self._connection.close()
                raise

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    # ── as those see them who ask ────────────────────────────────────────────────────────────────

    def submit(self, job: Job, most: int) -> Job:
        """Keep a new job, as the port says."""
        asked = job.submission
        with self._transaction() as connection:
            connection.execute(
                "DELETE FROM jobs WHERE id = ? AND expires_at <= ?", (job.id, self._now().timestamp())
            )
            if kept := self._read("WHERE id = ?", job.id):
                return kept[0]
            unfinished = "SELECT count(*) FROM jobs WHERE owner = ? AND status != 'ended'"
            if connection.execute(unfinished, (asked.owner,)).fetchone()[0] >= most:
                raise TooManyJobs(
                    f"You have {most} unfinished questions.", remedy="Wait for one to end, or cancel one."
                )
            connection.execute(
                "INSERT INTO jobs (id, owner, session, created_at, expires_at, status, digest, submission)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    job.id,
                    asked.owner,
                    asked.session,
                    job.created_at.timestamp(),
                    job.expires_at.timestamp(),
                    job.status,
                    job.digest,
                    asked.model_dump_json(),
                ),
            )
        return job

    def find(self, job_id: str) -> Job | None:
        """Return the job with its steps."""
        with self._locked() as connection:
            found = self._read("WHERE id = ? AND expires_at > ?", job_id, self._now().timestamp())
            if not found:
                return None
            steps = connection.execute("SELECT record FROM steps WHERE job_id = ? ORDER BY number", (job_id,))
            records = tuple(StepRecord.model_validate_json(record) for (record,) in steps)
        return found[0].model_copy(update={"steps": records})

    def history(self, owner: str, count: int, before: Job | None = None) -> tuple[Job, ...]:
        """Return the owner's latest jobs."""
        created, job_id = (before.created_at.timestamp(), before.id) if before else (float("inf"), "")
        with self._locked():
            return self._read(
                "WHERE owner = ? AND expires_at > ? AND (created_at, id) < (?, ?)"
                " ORDER BY created_at DESC, id DESC LIMIT ?",
                *(owner, self._now().timestamp(), created, job_id, count),
            )

    def request_cancel(self, job_id: str) -> None:
        """Note that the answer is not wanted."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE jobs SET cancel_requested = 1 WHERE id = ? AND status != 'ended'", (job_id,)
            )

    def judge(self, job_id: str, verdict: Verdict) -> None:
        """Keep a verdict."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE jobs SET verdict = ? WHERE id = ?", (verdict.model_dump_json(), job_id)
            )

    def judged_right(self) -> tuple[Job, ...]:
        """Return what was called right."""
        with self._locked():
            return self._read(
                "WHERE json_extract(verdict, '$.right') AND expires_at > ? ORDER BY created_at DESC, id DESC",
                self._now().timestamp(),
            )

    # ── as a workflow sees them ──────────────────────────────────────────────────────────────────

    def unfinished(self) -> tuple[Job, ...]:
        """Return what has not ended."""
        with self._locked():
            return self._read("WHERE status != 'ended' ORDER BY created_at, id")

    def start(self, job_id: str) -> Job | None:
        """Note that somebody works on it."""
        with self._transaction() as connection:
            changed = connection.execute(
                "UPDATE jobs SET status = 'running', starts = starts + 1,"
                " started_at = coalesce(started_at, ?)"
                " WHERE id = ? AND status != 'ended'",
                (self._now().timestamp(), job_id),
            ).rowcount
            return self._read("WHERE id = ?", job_id)[0] if changed else None

    def add_step(self, job_id: str, record: StepRecord) -> bool:
        """Add what a step told."""
        with self._transaction() as connection:
            connection.execute(
                "INSERT INTO steps SELECT ?, count(*) + 1, ? FROM steps WHERE job_id = ?",
                (job_id, record.model_dump_json(), job_id),
            )
        return self.is_wanted(job_id)

    def is_wanted(self, job_id: str) -> bool:
        """Tell whether anybody waits for it still."""
        with self._locked():
            return not self._read("WHERE id = ? AND (status = 'ended' OR cancel_requested)", job_id)

    def end(self, job_id: str, reply: Reply, row_count: int = 0) -> bool:
        """Keep how it ended, and the question only as the guardrail let it through."""
        kept = reply.model_copy(update={"rows": ()}).model_dump_json()
        with self._transaction() as connection:
            changed = connection.execute(
                "UPDATE jobs SET status = 'ended', ended_at = ?, reply = ?, draft = ?, row_count = ?,"
                " submission = json_set(submission, '$.question', ?) WHERE id = ? AND status != 'ended'",
                (self._now().timestamp(), kept, reply.draft, row_count, reply.question, job_id),
            ).rowcount
        return changed == 1

    def in_session(self, owner: str, session: str, count: int) -> tuple[Job, ...]:
        """Return what went before in a session."""
        with self._locked():
            return self._read(
                "WHERE owner = ? AND session = ? AND status = 'ended' AND expires_at > ?"
                " ORDER BY ended_at DESC LIMIT ?",
                *(owner, session, self._now().timestamp(), count),
            )

    def purge(self, now: datetime) -> None:
        """Forget what has expired."""
        with self._transaction() as connection:
            connection.execute("DELETE FROM jobs WHERE expires_at <= ?", (now.timestamp(),))

    # ── rows ─────────────────────────────────────────────────────────────────────────────────────

    def put_rows(self, job_id: str, rows: Iterable[str]) -> int:
        """Keep rows in pages, each in a transaction of its own: others need not wait for a large result."""
        with self._transaction() as connection:
            connection.execute("DELETE FROM pages WHERE job_id = ?", (job_id,))
        count = 0
        pending = iter(rows)
        while page := tuple(islice(pending, PAGE_ROWS)):
            with self._transaction() as connection:
                connection.execute("INSERT INTO pages VALUES (?, ?, ?)", (job_id, count, "\n".join(page)))
            count += len(page)
        return count

    def get_rows(self, job_id: str, start: int, count: int) -> tuple[str, ...]:
        """Return rows of the pages that hold them."""
        first = start - start % PAGE_ROWS
        with self._locked() as connection:
            pages = connection.execute(
                "SELECT rows FROM pages WHERE job_id = ? AND start >= ? AND start < ? ORDER BY start",
                (job_id, first, start + count),
            ).fetchall()
        rows = [row for (page,) in pages for row in page.split("\n")]
        return tuple(rows[start - first : start - first + count])

    # ── the file ─────────────────────────────────────────────────────────────────────────────────

    def _prepare(self, path: Path) -> None:
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        (tables,) = self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if version != VERSION and (version or tables):
            raise InvalidSettings(
                f"{path.name} is no file of jobs that this version can read.",
                remedy="Name another file in TEXT2SQL_API_JOBS_FILE, or remove this one.",
            )
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        if not tables:
            self._connection.executescript(_SCRIPT)

    @contextmanager
    def _locked(self) -> Iterator[sqlite3.Connection]:
        with self._lock, _translated():
            yield self._connection

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._locked() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def _read(self, condition: str, *values: str | float) -> tuple[Job, ...]:
        with closing(self._connection.execute(f"SELECT * FROM jobs {condition}", values)) as cursor:  # noqa: S608  # our own text
            names = [column[0] for column in cursor.description]
            return tuple(_job(dict(zip(names, row, strict=True))) for row in cursor)


def _job(row: dict[str, Any]) -> Job:
    for name in ("submission", "reply", "verdict"):
        row[name] = json.loads(row[name]) if row[name] else None
    for name in ("created_at", "started_at", "ended_at", "expires_at"):
        row[name] = datetime.fromtimestamp(row[name], UTC) if row[name] else None
    del row["owner"], row["session"]
    return Job.model_validate(row)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise _unavailable() from error


def _unavailable() -> JobStoreUnavailable:
    return JobStoreUnavailable(
        "The questions' store does not answer.", remedy="Ask again in a while; is its disk full?"
    )
