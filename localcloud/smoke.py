"""`make smoke-cloud`: starts the local cloud, asks a question over HTTP, checks its answer, and stops.

Ends with 0 only where all of that held.
"""

import json
import subprocess
import sys
import time
from typing import Any

import httpx

from people import USERS, header_file
from platform_folder import FOLDER, PlatformState, read_state
from up import QUESTION

START_SECONDS = 120.0
ANSWER_SECONDS = 180.0
EXPECTED_ROWS = 5


def main() -> int:
    """Run it; return the exit code."""
    if read_state():
        print("The local cloud runs already; `make down` stops it.", file=sys.stderr)
        return 1
    started = time.monotonic()
    up = subprocess.Popen([sys.executable, "localcloud/up.py"], start_new_session=True)
    try:
        job = _ask(_wait_until_up(up))
        print(json.dumps(job, indent=2, ensure_ascii=False))
        wrong = _what_is_wrong(job)
    finally:
        up.terminate()
        code = up.wait()
    if code or read_state():
        wrong.append(f"it did not stop cleanly: exit code {code}")
    for fault in wrong:
        print(f"smoke-cloud: {fault}", file=sys.stderr)
    if not wrong:
        print(f"smoke-cloud: started, asked, answered and stopped in {time.monotonic() - started:.1f} s")
    return 1 if wrong else 0


def _wait_until_up(up: "subprocess.Popen[bytes]") -> PlatformState:
    end = time.monotonic() + START_SECONDS
    while (state := read_state()) is None:
        if up.poll() is not None or time.monotonic() > end:
            raise SystemExit("smoke-cloud: the local cloud did not start")
        time.sleep(0.1)
    return state


def _ask(state: PlatformState) -> dict[str, Any]:
    name, _, value = header_file(FOLDER, USERS[0]).read_text("utf-8").strip().partition(": ")
    with httpx.Client(base_url=state.url, headers={name: value}, timeout=30, trust_env=False) as api:
        accepted = api.post("/v1/queries", json={"question": QUESTION})
        if accepted.status_code != httpx.codes.ACCEPTED:
            raise SystemExit(f"smoke-cloud: {accepted.status_code} {accepted.text}")
        end = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < end:
            job: dict[str, Any] = api.get(accepted.headers["Location"]).json()
            if job["status"] == "ended":
                return job
            time.sleep(0.2)
    raise SystemExit("smoke-cloud: the question did not end")


def _what_is_wrong(job: dict[str, Any]) -> list[str]:
    answer = job.get("answer") or {}
    rows = answer.get("rows") or []
    return [
        fault
        for fault, holds in (
            (f"the outcome is {answer.get('outcome')}", answer.get("outcome") == "answered"),
            (f"there are {len(rows)} rows, not {EXPECTED_ROWS}", len(rows) == EXPECTED_ROWS),
            ("there is no SQL", bool(answer.get("sql"))),
            ("there are no steps", bool(job.get("steps"))),
        )
        if not holds
    ]


if __name__ == "__main__":
    sys.exit(main())
