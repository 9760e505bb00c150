"""A server that speaks OpenAI's /chat/completions from a script, with every way to fail that we know."""

import json
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, TypeAlias
from urllib.parse import parse_qs, urlsplit

TRICKLE_SECONDS = 0.02


@dataclass(frozen=True)
class Fault:
    """A reply that is none."""

    kind: Literal[
        "status",  # an HTTP status with `body`
        "body",  # status 200 with `body` as it stands
        "hang",  # no reply until the server closes
        "trickle",  # a body that never ends, byte by byte
        "trickle_headers",  # headers that never end
        "drop",  # the connection closes before a reply
        "break",  # the connection closes in the middle of the body
        "empty",  # a good reply whose content is empty
        "cut",  # a good reply with `body` as content, cut off at the token limit
        "filtered",  # a good reply that the service holds back
    ]
    status: int = 500
    body: str = ""

    @classmethod
    def error(cls, status: int, **error: Any) -> "Fault":
        """Return an error as OpenAI writes it."""
        return cls("status", status=status, body=json.dumps({"error": {"message": "no", **error}}))

    @classmethod
    def malformed(cls) -> "Fault":
        """Return a 200 that is no JSON."""
        return cls("body", body='{"choices": [')


Reply: TypeAlias = str | Fault | tuple[str, ...] | Callable[[dict[str, Any]], "str | Fault"]
"""What the model says; a callable gets the request's body, and a tuple answers a request for several."""


@dataclass
class Request:
    """What the server was sent."""

    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def texts(self) -> list[str]:
        """The messages' texts, in order."""
        return [message["content"] for message in self.body["messages"]]


class ScriptedModelServer:
    """A context manager; each completion takes the next of `replies`, and the last one again and again.

    A request for several gets the tuple that comes next, or else what was said last, as often as it asks.

    Attributes:
        requests: all that were made, oldest first; `completions` are those to /chat/completions.
        models: the ids that /models lists.
        usage: the usage of each good reply.
        chances: the natural logarithms of how likely its tokens were.
        slot_folder: where /slots/0 saves and restores, as llama.cpp does; None for no such address.
    """

    def __init__(self, replies: Iterable[Reply] = ("SELECT 1",), *, slot_folder: Path | None = None) -> None:
        self.replies: list[Reply] = list(replies)
        self.models = ["scripted-model"]
        self.models_fault: Fault | None = None
        self.usage: dict[str, Any] | None = {
            "prompt_tokens": 100,
            "completion_tokens": 10,
            "prompt_tokens_details": {"cached_tokens": 80},
        }
        self.chances: list[float] = []
        self.requests: list[Request] = []
        self.slot_folder = slot_folder
        self.slot = ""
        self.closing = threading.Event()
        self._next = 0
        self._said = ""
        self._lock = threading.Lock()
        self._http = _HttpServer(("127.0.0.1", 0), _Handler)
        self._http.scripted = self
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> "ScriptedModelServer":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.closing.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    @property
    def base_url(self) -> str:
        """What TEXT2SQL_MODEL_BASE_URL is set to."""
        return f"{self.url}/v1"

    @property
    def completions(self) -> list[Request]:
        return [request for request in self.requests if request.path == "/v1/chat/completions"]

    def script(self, replies: Iterable[Reply]) -> None:
        """Begin anew with other replies."""
        with self._lock:
            self.replies, self._next = list(replies), 0

    def next_reply(self, body: dict[str, Any]) -> tuple[str, ...] | Fault:
        with self._lock:
            reply = self.replies[min(self._next, len(self.replies) - 1)]
            count = body.get("n", 1)
            if count > 1 and isinstance(reply, str):
                return (self._said,) * count
            self._next += 1
        said = reply(body) if callable(reply) else reply
        if isinstance(said, str):
            self._said = said
        return (said,) * count if isinstance(said, str) else said

    def chat(self, *texts: str, finish: str = "stop") -> dict[str, Any]:
        reply: dict[str, Any] = {
            "id": "1",
            "object": "chat.completion",
            "model": self.models[0],
            "choices": [
                {
                    "index": index,
                    "message": {"role": "assistant", "content": text},
                    "finish_reason": finish,
                    "logprobs": {"content": [{"token": "", "logprob": chance} for chance in self.chances]},
                }
                for index, text in enumerate(texts)
            ],
        }
        return reply if self.usage is None else {**reply, "usage": self.usage}


class _HttpServer(ThreadingHTTPServer):
    scripted: ScriptedModelServer
    daemon_threads = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that cut the connection are what the tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _HttpServer

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 — the name it has there
        pass

    def do_GET(self) -> None:
        scripted = self.server.scripted
        self._record({})
        if self.path == "/health":
            self._send(200, '{"status":"ok"}')
        elif self.path != "/v1/models":
            self._send(404, "{}")
        elif scripted.models_fault:
            self._fail(scripted.models_fault)
        else:
            self._send(200, json.dumps({"data": [{"id": name} for name in scripted.models]}))

    def do_POST(self) -> None:
        scripted = self.server.scripted
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._record(body)
        if self.path.startswith("/slots/0") and scripted.slot_folder:
            self._slot(scripted.slot_folder / body["filename"])
        elif self.path != "/v1/chat/completions":
            self._send(404, "{}")
        else:
            scripted.slot = body["messages"][0]["content"]
            reply = scripted.next_reply(body)
            if isinstance(reply, Fault):
                self._fail(reply)
            else:
                self._send(200, json.dumps(scripted.chat(*reply)))

    def _record(self, body: dict[str, Any]) -> None:
        request = Request(self.command, urlsplit(self.path).path, dict(self.headers), body)
        self.server.scripted.requests.append(request)

    def _slot(self, path: Path) -> None:
        scripted = self.server.scripted
        if parse_qs(urlsplit(self.path).query)["action"] == ["save"]:
            path.write_text(scripted.slot)
        else:
            scripted.slot = path.read_text()
        self._send(200, "{}")

    def _send(self, status: int, body: str) -> None:
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _fail(self, fault: Fault) -> None:
        scripted = self.server.scripted
        match fault.kind:
            case "status":
                self._send(fault.status, fault.body)
            case "body":
                self._send(200, fault.body)
            case "empty":
                self._send(200, json.dumps(scripted.chat("")))
            case "cut":
                self._send(200, json.dumps(scripted.chat(fault.body, finish="length")))
            case "filtered":
                self._send(200, json.dumps(scripted.chat(fault.body, finish="content_filter")))
            case "hang":
                scripted.closing.wait()
                self.close_connection = True
            case "drop":
                self.close_connection = True
            case "break":
                self.send_response(200)
                self.send_header("Content-Length", "1000")
                self.end_headers()
                self.wfile.write(b'{"choices"')
                self.close_connection = True
            case "trickle" | "trickle_headers":
                self._trickle(fault.kind)

    def _trickle(self, kind: str) -> None:
        self.close_connection = True
        if kind == "trickle":
            self.send_response(200)
            self.end_headers()
        else:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
        while not self.server.scripted.closing.is_set():
            self.wfile.write(b" ")
            time.sleep(TRICKLE_SECONDS)
