"""`make smoke-cloud`: starts the local cloud, goes through what a person does there over HTTP, and stops.

Ends with 0 only where all of that held.
"""

import json
import sys
import time
from typing import Any

from local_client import LocalClient, LocalCloudFailed, running_platform
from up import QUESTION

EXPECTED_ROWS = 12
PERSONAL = "What did John Smith, 123-45-6789, order last year?"
GLOSSARY = "how we speak.md"
DEFINITION = "- **Active customer**: a customer whose `loyalty_tier` is not NULL.\n"
DEFINED = "How many active customers do we have?"
SOURCE = f"document: {GLOSSARY}, Active customer"
ACTIVE = 3723
"""By that definition; nothing else in the shop tells of it."""


def main() -> int:
    """Run it; return the exit code."""
    started = time.monotonic()
    try:
        with running_platform() as state, LocalClient(state) as client:
            job = client.ask(QUESTION)
            print(json.dumps(job, indent=2, ensure_ascii=False))
            check_job(job)
            check_stopped(client.ask(PERSONAL))
            print(f"{GLOSSARY} was indexed after {client.upload(GLOSSARY, DEFINITION):.1f} s")
            check_source(client.ask(DEFINED), is_told=True)
            client.delete(GLOSSARY)
            check_source(client.ask(DEFINED), is_told=False)
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


def check_stopped(job: dict[str, Any]) -> None:
    """Make sure that a question with a person's name and number was stopped, and is not kept.

    Raises:
        LocalCloudFailed: it was not.
    """
    outcome = job["answer"]["outcome"]
    if outcome != "blocked":
        raise LocalCloudFailed(f"a question with personal data ended as {outcome}")
    if "Smith" in json.dumps(job) or "6789" in json.dumps(job):
        raise LocalCloudFailed("a question with personal data is kept as it was asked")


def check_source(job: dict[str, Any], *, is_told: bool) -> None:
    """Make sure that the answer names the document as a source, or does not.

    Raises:
        LocalCloudFailed: it is otherwise.
    """
    told = [check["detail"] for check in job["answer"]["checks"] if SOURCE in check["detail"]]
    if bool(told) != is_told:
        raise LocalCloudFailed(f"{DEFINED} {'does not name' if is_told else 'still names'} {SOURCE}")
    if is_told and job["answer"]["rows"] != [[ACTIVE]]:
        raise LocalCloudFailed(f"{DEFINED} {job['answer']['rows']}, not {ACTIVE}")
    print(f"{DEFINED} {job['answer']['sentence']} {' '.join(told)}")


if __name__ == "__main__":
    sys.exit(main())
