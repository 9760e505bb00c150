"""Bedrock's Converse on the loopback address, answered by the embedded model."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

from text2sql.errors import ModelError, ModelThrottled, ModelTimedOut, ModelUnavailable, Text2SqlError
from text2sql.generation.port import Completion, Prompt, SqlModel, Turn

TURN_SECONDS = 20.0
"""How long a request waits for those before it; then it is told to come back, as Bedrock tells it."""
POLL_SECONDS = 0.05
"""How soon a stop is seen."""
_STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "filtered": "content_filtered"}
_ERRORS: tuple[tuple[type[Text2SqlError], int, str], ...] = (
    (ModelThrottled, 429, "ThrottlingException"),
    (ModelTimedOut, 408, "ModelTimeoutException"),
    (ModelUnavailable, 503, "ServiceUnavailableException"),
    (ModelError, 400, "ValidationException"),
)


@contextmanager
def serve_converse(model: SqlModel, turn: Lock) -> Iterator[str]:
    """Lend the URL of an endpoint that asks the model one request at a time; who holds `turn` goes first."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(model, turn))
    server.daemon_threads = True
    Thread(target=server.serve_forever, args=(POLL_SECONDS,), name="converse", daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def read_request(body: dict[str, Any]) -> Prompt:
    """Return the prompt of a Converse request; cache points say nothing here.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    inference = body.get("inferenceConfig", {})
    return Prompt(
        system=_text(body.get("system", [])),
        turns=tuple(Turn(role=turn["role"], text=_text(turn["content"])) for turn in body["messages"]),
        max_tokens=inference.get("maxTokens", 512),
        temperature=inference.get("temperature", 0.0),
    )


def write_reply(completion: Completion, seconds: float) -> dict[str, Any]:
    """Return Converse's reply; Bedrock counts the tokens that its cache held apart from the others."""
    usage = completion.usage
    return {
        "output": {"message": {"role": "assistant", "content": [{"text": completion.text}]}},
        "stopReason": _STOP_REASONS[completion.finish],
        "usage": {
            "inputTokens": usage.prompt_tokens - usage.cached_tokens,
            "cacheReadInputTokens": usage.cached_tokens,
            "outputTokens": usage.completion_tokens,
            "totalTokens": usage.prompt_tokens + usage.completion_tokens,
        },
        "metrics": {"latencyMs": round(seconds * 1000)},
    }


def _text(blocks: list[dict[str, str]]) -> str:
    return "".join(block.get("text", "") for block in blocks)


@dataclass(frozen=True)
class _Reply:
    status: int
    body: dict[str, Any]
    error: str = ""


def _refuse(status: int, error: str, message: str) -> _Reply:
    return _Reply(status, {"message": message}, error)


def _answer(path: str, body: bytes, model: SqlModel, turn: Lock) -> _Reply:
    """Answer `/model/<id>/converse`; the id is not looked at."""
    if not path.endswith("/converse"):
        return _refuse(404, "UnknownOperationException", "Only Converse is here.")
    try:
        prompt = read_request(json.loads(body))
    except (AttributeError, KeyError, TypeError, ValueError):
        return _refuse(400, "ValidationException", "This is no Converse request.")
    if not turn.acquire(timeout=TURN_SECONDS):
        return _refuse(429, "ThrottlingException", "Too many requests, please wait before trying again.")
    started = time.monotonic()
    try:
        completion = model.complete(prompt)
    except Text2SqlError as error:
        status, name = next((status, name) for kind, status, name in _ERRORS if isinstance(error, kind))
        return _refuse(status, name, f"{error.message} {error.remedy}")
    finally:
        turn.release()
    return _Reply(200, write_reply(completion, time.monotonic() - started))


def _handler(model: SqlModel, turn: Lock) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            """Answer, in one piece."""
            length = int(self.headers.get("Content-Length", 0))
            reply = _answer(self.path, self.rfile.read(length), model, turn)
            body = json.dumps(reply.body).encode()
            self.send_response(reply.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if reply.error:
                self.send_header("x-amzn-ErrorType", reply.error)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep prompts and addresses out of the terminal."""

    return Handler
