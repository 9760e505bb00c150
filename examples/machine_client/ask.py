"""Asks a question as an IAM identity, through the gateway's /machine routes, and prints the answer.

Exit status: 0 answered; 1 not answered, and why; 2 wrongly called; 3 refused; 4 not reached in time.
"""

import argparse
import json
import os
import sys
import time
import uuid
from typing import Any

import requests
from requests_aws4auth import AWS4Auth

CALL_SECONDS = (5.0, 35.0)
"""To connect and to wait for a reply; the gateway itself gives up after 30."""
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 5.0
WORTH_ANOTHER_TRY = frozenset({429, 500, 502, 503, 504})


class RefusedError(Exception):
    """The gateway or the API does not want this request, however often it comes."""


class UnreachableError(Exception):
    """There was no usable reply in time."""


class Client:
    """Signs requests to one gateway; all of them together may take `seconds`."""

    def __init__(self, url: str, auth: AWS4Auth, seconds: float) -> None:
        self._queries = f"{url.rstrip('/')}/machine/v1/queries"
        self._auth = auth
        self._deadline = time.monotonic() + seconds

    def ask(self, question: str) -> dict[str, Any]:
        """Return the query once it has ended.

        Raises:
            RefusedError: the request is not wanted.
            UnreachableError: the query did not end in time.
        """
        sent = {"json": {"question": question}, "headers": {"Idempotency-Key": uuid.uuid4().hex}}
        query = self._call("POST", self._queries, **sent)
        pause = FIRST_PAUSE
        while query["status"] != "ended":
            self._wait(pause, "the question is still worked on")
            pause = min(pause * 1.5, LONGEST_PAUSE)
            query = self._call("GET", f"{self._queries}/{query['id']}")
        return query

    def _call(self, method: str, url: str, **sent: Any) -> dict[str, Any]:
        """Return the query that a reply holds; try again what may be well in a moment.

        A question that is sent again has the same Idempotency-Key, and so is the same query.
        """
        pause = FIRST_PAUSE
        while True:
            try:
                reply = requests.request(
                    method, url, auth=self._auth, timeout=CALL_SECONDS, allow_redirects=False, **sent
                )
            except requests.RequestException as error:
                trouble = f"no reply ({type(error).__name__})"
            else:
                if reply.status_code in {200, 202}:
                    return _read(reply)
                trouble = f"{reply.status_code}: {_told(reply)}"
                if reply.status_code not in WORTH_ANOTHER_TRY:
                    raise RefusedError(trouble)
                pause = max(pause, _retry_after(reply))
            self._wait(pause, trouble)
            pause = min(pause * 2, LONGEST_PAUSE)

    def _wait(self, seconds: float, trouble: str) -> None:
        if time.monotonic() + seconds > self._deadline:
            raise UnreachableError(f"no answer in time; at last: {trouble}")
        time.sleep(seconds)


def main() -> int:
    """Ask what the command line says, and return the exit status."""
    parser = argparse.ArgumentParser(description="Ask a question as an IAM identity.")
    parser.add_argument("url", help="the gateway, the stack's output GatewayUrl")
    parser.add_argument("question")
    parser.add_argument("--seconds", type=float, default=120.0, help="how long to wait (120)")
    given = parser.parse_args()
    try:
        auth = AWS4Auth(
            os.environ["AWS_ACCESS_KEY_ID"],
            os.environ["AWS_SECRET_ACCESS_KEY"],
            os.environ["AWS_REGION"],
            "execute-api",
            session_token=os.environ.get("AWS_SESSION_TOKEN"),
        )
    except KeyError as missing:
        parser.error(f"the variable {missing.args[0]} is not set")
    try:
        query = Client(given.url, auth, given.seconds).ask(given.question)
    except RefusedError as error:
        print(f"Refused with {error}", file=sys.stderr)
        return 3
    except UnreachableError as error:
        print(f"Not reached: {error}", file=sys.stderr)
        return 4
    return show(query["answer"])


def show(answer: dict[str, Any]) -> int:
    """Print an answer's sentence and its first rows, or why there is none; return the exit status."""
    if answer["outcome"] != "answered":
        error = answer["error"] or {}
        code = error.get("code", answer["outcome"])
        print(f"Not answered ({code}): {answer['sentence']}", file=sys.stderr)
        return 1
    print(answer["sentence"])
    print(json.dumps([column["name"] for column in answer["columns"]], ensure_ascii=False))
    for row in answer["rows"]:
        print(json.dumps(row, ensure_ascii=False))
    return 0


def _read(reply: requests.Response) -> dict[str, Any]:
    try:
        query = reply.json()
    except requests.JSONDecodeError:
        query = None
    if not isinstance(query, dict) or not {"id", "status", "answer"} <= query.keys():
        raise RefusedError(f"{reply.status_code}: what answers there is no gateway of text2sql")
    return query


def _told(reply: requests.Response) -> str:
    """Return what a problem of the API, or a message of the gateway, says."""
    try:
        problem = reply.json()
    except requests.JSONDecodeError:
        return str(reply.reason)
    if not isinstance(problem, dict):
        return str(reply.reason)
    told = problem.get("detail") or problem.get("message") or reply.reason
    return ", ".join(filter(None, (problem.get("code"), told)))


def _retry_after(reply: requests.Response) -> float:
    told = reply.headers.get("Retry-After", "")
    return float(told) if told.isdigit() else 0.0


if __name__ == "__main__":
    sys.exit(main())
