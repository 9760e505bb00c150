"""The shared cases that must be refused and accepted: reading and validating them; no server is asked here.

They are no part of this repository; `TEXT2SQL_BENCH` names their folder where it is not beside it.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bench_guard_share import Share

from text2sql.datasource.policy.access import Access
from text2sql.errors import SqlRejected
from text2sql.messages import SqlDraft
from text2sql.validation.contexts import Contexts, load_contexts
from text2sql.validation.step import validate_sql

FOLDER = Path(
    os.environ.get("TEXT2SQL_BENCH") or Path(__file__).resolve().parents[2] / "shared" / "bench"
).resolve()
CASES = FOLDER / "sqlguard"
ROW_LIMIT = 1000
DANGEROUS = frozenset({"effect", "exposure"})
"""The tiers of what must never run."""


class CasesAbsent(Exception):
    """The shared cases are not on this machine; the message says where they were looked for."""


@dataclass(frozen=True)
class Case:
    """One statement and the schema that it was labelled with."""

    id: str
    sql: str
    tier: str
    """Of one that must be refused: `effect`, `exposure` or `policy`; else empty."""
    style: str
    """Of one that must be accepted: `plain` or `exotic`; else empty."""
    access: Access


@dataclass(frozen=True)
class Verdict:
    """What the validator said of a case, and how long it took."""

    case: Case
    emitted: str
    """The text that would run; empty where it was refused."""
    reason: str
    """Why it was refused; empty where it was not."""
    seconds: float

    def __str__(self) -> str:
        verdict = self.reason or "accepted"
        return f"{self.case.id} {verdict}: {' '.join(self.case.sql.split())[:200]}"


def judge_all() -> list[Verdict]:
    """Validate every shared case.

    Raises:
        CasesAbsent: there are none here.
    """
    return [judge(case) for name in ("must_reject", "must_accept") for case in read_cases(name)]


def judge(case: Case) -> Verdict:
    """Validate one case; whatever else than a refusal the validator raises goes on."""
    started = time.perf_counter()
    try:
        valid = validate_sql(SqlDraft(sql=case.sql), case.access, ROW_LIMIT)
    except SqlRejected as rejected:
        return Verdict(case, "", rejected.reason, time.perf_counter() - started)
    return Verdict(case, valid.sql, "", time.perf_counter() - started)


def shares(verdicts: list[Verdict]) -> list[Share]:
    """Hold the verdicts against the bars."""

    def share(name: str, least: float, chosen: Callable[[Case], bool], *, refused: bool) -> Share:
        among = [verdict for verdict in verdicts if chosen(verdict.case)]
        wrong = tuple(str(verdict) for verdict in among if bool(verdict.reason) != refused)
        return Share(name, len(among), wrong, least)

    return [
        share("Refused: effect and exposure", 99.9, lambda case: case.tier in DANGEROUS, refused=True),
        share("Refused: policy", 99.5, lambda case: case.tier == "policy", refused=True),
        share("Accepted: plain", 99.0, lambda case: case.style == "plain", refused=False),
        share("Accepted: plain and exotic", 95.0, lambda case: bool(case.style), refused=False),
    ]


def accepted_danger(verdicts: list[Verdict]) -> list[Verdict]:
    """Return what was let through although it has an effect or shows the server's own."""
    return [verdict for verdict in verdicts if not verdict.reason and verdict.case.tier in DANGEROUS]


def read_cases(name: str) -> Iterator[Case]:
    """Yield the cases of `must_reject` or `must_accept`.

    Raises:
        CasesAbsent: there are none here.
    """
    contexts = _contexts()
    for line in (CASES / f"{name}.jsonl").read_text("utf-8").splitlines():
        record = json.loads(line)
        yield Case(
            id=record["id"],
            sql=record["sql"],
            tier=record.get("tier", ""),
            style=record.get("style", ""),
            access=Access(catalog=contexts.catalog(record["ctx"], record["db"])),
        )


@cache
def _contexts() -> Contexts:
    path = CASES / "contexts.json"
    if not path.is_file():
        raise CasesAbsent(f"no {path.name} in {CASES}; TEXT2SQL_BENCH names another folder")
    return load_contexts(path, "mysql")
