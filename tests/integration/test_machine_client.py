"""The example's client that signs, against a server that checks signatures as botocore computes them."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from text2sql.messages import ResultColumn, Usage
from text2sql_api.views import AnswerView, QueryView

ASK = Path(__file__).resolve().parents[2] / "examples" / "machine_client" / "ask.py"
REGION = "eu-central-1"
KEYS = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI", "a-session")
NOW = datetime(2026, 11, 22, tzinfo=UTC)
ANSWER = AnswerView(
    outcome="answered",
    read_as=None,
    sentence="The count is 2.",
    certain=True,
    sql="SELECT 2",
    columns=(ResultColumn(name="name", type="text"), ResultColumn(name="n", type="number")),
    rows=(("Zoë", 2),),
    row_count=1,
    truncated=False,
    choices=(),
    chart=None,
    checks=(),
    error=None,
    usage=Usage(),
    seconds=0.1,
)
QUERY = QueryView(
    id="job-1",
    status="running",
    cancel_requested=False,
    question="How many?",
    datasource="default",
    session=None,
    request_id="r-1",
    created_at=NOW,
    started_at=NOW,
    ended_at=None,
    expires_at=NOW,
    steps=(),
    answer=None,
)
RUNNING = QUERY.model_dump(mode="json")
ENDED = RUNNING | {"status": "ended", "answer": ANSWER.model_dump(mode="json")}
DECLINED = ENDED | {"answer": ENDED["answer"] | {"outcome": "declined", "sentence": "No such table."}}
TOO_BUSY = {"code": "TOO_MANY_REQUESTS", "detail": "Later."}


@dataclass
class Gateway:
    """Answers with `replies` in turn, the last one again and again, whoever signs with `KEYS`."""

    url: str = ""
    replies: list[tuple[int, object]] = field(default_factory=list)
    seen: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, object]:
        self.seen.append((method, path, headers, body))
        if not is_signed(method, self.url + path, headers, body):
            return 403, {"message": "Forbidden"}
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def told(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the client as a person would."""
        keys = {"AWS_ACCESS_KEY_ID": KEYS.access_key, "AWS_SECRET_ACCESS_KEY": KEYS.secret_key}
        known = {**os.environ, **keys, "AWS_SESSION_TOKEN": KEYS.token, "AWS_REGION": REGION, **variables}
        return subprocess.run(
            [sys.executable, ASK, self.url, "How many?", *arguments],
            env={name: value for name, value in known.items() if value},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


def is_signed(method: str, url: str, headers: dict[str, str], body: bytes) -> bool:
    """Compute the signature from what has arrived, and compare."""
    if headers.get("x-amz-security-token") != KEYS.token:
        return False
    parts = dict(part.split("=", 1) for part in headers["authorization"].split(" ", 1)[1].split(", "))
    signed = parts["SignedHeaders"].split(";")
    assert {"host", "x-amz-date"} <= set(signed)
    request = AWSRequest(method, url, {name: headers[name] for name in signed}, body)
    request.context["timestamp"] = headers["x-amz-date"]
    auth = SigV4Auth(KEYS, "execute-api", REGION)
    expected = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    return parts["Credential"] == auth.scope(request) and parts["Signature"] == expected


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    gateway = Gateway()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, content = gateway.answer(self.command, self.path, headers, body)
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(content if isinstance(content, bytes) else json.dumps(content).encode())

        do_POST = do_GET  # noqa: N815  # http.server calls it so

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        gateway.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield gateway
        server.shutdown()


def test_question_is_asked_polled_and_answered(gateway: Gateway) -> None:
    gateway.replies = [(202, RUNNING), (200, RUNNING), (200, ENDED)]
    done = gateway.told()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["The count is 2.", '["name", "n"]', '["Zoë", 2]']
    assert [(method, path) for method, path, _, _ in gateway.seen] == [
        ("POST", "/machine/v1/queries"),
        ("GET", "/machine/v1/queries/job-1"),
        ("GET", "/machine/v1/queries/job-1"),
    ]
    assert json.loads(gateway.seen[0][3]) == {"question": "How many?"}
    assert gateway.seen[0][2]["content-type"] == "application/json"


def test_question_that_met_trouble_is_sent_again_and_is_the_same_query(gateway: Gateway) -> None:
    gateway.replies = [(503, b"<html>"), (429, TOO_BUSY), (202, ENDED)]
    assert gateway.told().returncode == 0
    assert len(gateway.seen) == 3
    assert len({headers["idempotency-key"] for _, _, headers, _ in gateway.seen}) == 1


def test_answer_that_is_none_is_told_with_its_reason(gateway: Gateway) -> None:
    gateway.replies = [(202, DECLINED)]
    done = gateway.told()
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Not answered (declined): No such table.\n"


def test_wrong_key_is_refused(gateway: Gateway) -> None:
    gateway.replies = [(202, ENDED)]
    done = gateway.told(AWS_SECRET_ACCESS_KEY="wrong")
    assert (done.returncode, done.stderr) == (3, "Refused with 403: Forbidden\n")
    assert len(gateway.seen) == 1


def test_identity_that_the_api_does_not_know_is_refused_with_the_code(gateway: Gateway) -> None:
    gateway.replies = [(403, {"code": "FORBIDDEN", "detail": "Not for this identity."})]
    done = gateway.told()
    assert (done.returncode, done.stderr) == (3, "Refused with 403: FORBIDDEN, Not for this identity.\n")


@pytest.mark.parametrize(
    "reply", [(302, b""), (200, b"<html>"), (200, ["?"])], ids=["redirect", "page", "list"]
)
def test_what_is_no_gateway_is_told(gateway: Gateway, reply: tuple[int, object]) -> None:
    gateway.replies = [reply]
    assert gateway.told().returncode == 3
    assert len(gateway.seen) == 1


@pytest.mark.parametrize("reply", [(500, {"message": "Internal Server Error"}), (202, RUNNING)])
def test_what_does_not_end_is_given_up(gateway: Gateway, reply: tuple[int, object]) -> None:
    gateway.replies = [reply]
    done = gateway.told("--seconds", "1")
    assert done.returncode == 4
    assert done.stderr.startswith("Not reached: no answer in time; at last: ")


def test_gateway_that_is_not_there_is_told() -> None:
    done = Gateway("http://127.0.0.1:1").told("--seconds", "0.1")
    assert (done.returncode, done.stdout) == (4, "")
    assert "no reply (ConnectionError)" in done.stderr


def test_missing_variable_is_told() -> None:
    done = Gateway("http://127.0.0.1:1").told(AWS_REGION="")
    assert done.returncode == 2
    assert done.stderr.endswith("the variable AWS_REGION is not set\n")
