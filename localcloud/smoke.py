"""`make smoke-cloud`: starts the local cloud, asks a question over HTTP, checks its answer, and stops.

Ends with 0 only where all of that held.
"""

import json
import sys
import time
from typing import Any

from local_client import LocalClient, LocalCloudFailed, running_platform
from up import QUESTION

EXPECTED_ROWS = 12


def main() -> int:
    """Run it; return the exit code."""
    started = time.monotonic()
    try:
        with running_platform() as state, LocalClient(state) as client:
            job = client.ask(QUESTION)
            print(json.dumps(job, indent=2, ensure_ascii=False))
            check_job(job)
    except LocalCloudFailed as fault:
        print(f"smoke-cloud: {fault}", file=sys.stderr)
        return 1
    print(f"smoke-cloud: started, asked, answered and stopped in {time.monotonic() - started:.1f} s")
    return 0


def check_job(job: dict[str, Any]) -> None:
    """Make sure that the job is answered with rows, SQL and steps.

    Raises:
        LocalCloudFailed: it is not.
    """
    answer = job["answer"]
    if answer["outcome"] != "answered":
        raise LocalCloudFailed(f"the outcome is {answer['outcome']}: {answer['sentence']}")
    if len(answer["rows"]) != EXPECTED_ROWS:
        raise LocalCloudFailed(f"there are {len(answer['rows'])} rows, not {EXPECTED_ROWS}")
    if not answer["sql"] or not job["steps"]:
        raise LocalCloudFailed("there is no SQL, or no step")


if __name__ == "__main__":
    sys.exit(main())
