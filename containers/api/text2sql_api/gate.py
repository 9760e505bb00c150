"""What every request passes first: a request id, who it is, how often they come, and how large the body is.

Nothing behind it runs for a caller who is not known, not even for a path that does not exist.
"""

import logging
import re
import time
import uuid
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from text2sql.errors import Text2SqlError
from text2sql_api import logs
from text2sql_api.auth import Authenticator
from text2sql_api.bodies import media_type, read_body
from text2sql_api.errors import Forbidden, UnsupportedMediaType, broken, problem
from text2sql_api.limits import RequestLimiter
from text2sql_api.metrics import Metrics

PUBLIC = frozenset({"/healthz", "/readyz", "/docs", "/openapi.json"})
"""Paths that need no token; they tell nothing of anybody's data."""
METRICS = "/metrics"
BODY_SECONDS = 10.0
"""How long a body may take to arrive."""
CONTENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""The page at /docs has its style in it; nothing here needs more."""
CONTENT = re.compile(r"/v1/datasources/[^/]+/documents/[^/]+/content")
"""What is put there is a document, which its route reads once it knows that this person may put it there."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_TRACE = re.compile(r"(?=.{1,256}$)[A-Za-z]+=[\w:.-]+(;[A-Za-z]+=[\w:.-]+)*", re.ASCII)
"""As load balancers and gateways write X-Amzn-Trace-Id; anything else is not taken over."""

_log = logging.getLogger(__name__)


class Gate:
    """ASGI middleware around the whole app."""

    def __init__(
        self,
        app: ASGIApp,
        authenticator: Authenticator,
        limiter: RequestLimiter,
        metrics: Metrics,
        body_bytes: int,
    ) -> None:
        self._app = app
        self._authenticator = authenticator
        self._limiter = limiter
        self._metrics = metrics
        self._body_bytes = body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through to the app, or answer it with a problem."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._pass(_Exchange(scope, receive, send))

    async def _pass(self, exchange: "_Exchange") -> None:
        scope = exchange.scope
        logs.request_id.set(exchange.request_id)
        logs.trace.set(exchange.trace)
        scope.setdefault("state", {})["request_id"] = exchange.request_id
        try:
            if scope["path"] not in PUBLIC:
                await self._admit(scope)
            is_content = scope["method"] == "PUT" and CONTENT.fullmatch(scope["path"])
            receive = exchange.receive if is_content else await self._read_body(exchange)
            await self._app(scope, receive, exchange.send)
        except Text2SqlError as error:
            await problem(error, exchange.request_id)(scope, exchange.receive, exchange.send)
        except Exception:  # noqa: BLE001  # the last net: whatever breaks, the client gets a reply
            _log.exception("a request broke")
            if not exchange.status:
                await problem(broken(), exchange.request_id)(scope, exchange.receive, exchange.send)
        finally:
            self._note(exchange)

    async def _admit(self, scope: Scope) -> None:
        person = await run_in_threadpool(self._authenticator.authenticate, Headers(scope=scope))
        self._limiter.take(person.subject)
        allowed = (person.may_measure or person.is_admin) if scope["path"] == METRICS else person.may_ask
        if not allowed:
            raise Forbidden(
                "Your token does not allow this.", remedy="Ask for a token with the scope for it."
            )
        scope["state"]["person"] = person

    async def _read_body(self, exchange: "_Exchange") -> Receive:
        """Read the body, which is small, and return what hands it to the app."""
        headers = Headers(scope=exchange.scope)
        body = await read_body(exchange.receive, headers, self._body_bytes, BODY_SECONDS)
        if body and media_type(headers) != "application/json":
            raise UnsupportedMediaType(
                "The body must be JSON.", remedy="Send Content-Type: application/json."
            )
        pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return pending.pop() if pending else await exchange.receive()

        return replay

    def _note(self, exchange: "_Exchange") -> None:
        route = getattr(exchange.scope.get("route"), "path", "")
        method = exchange.scope["method"] if exchange.scope["method"] in METHODS else "other"
        seconds = time.perf_counter() - exchange.began
        self._metrics.count_request(route or "other", method, exchange.status, seconds)
        fields = {"route": route, "method": method, "status": exchange.status, "seconds": round(seconds, 4)}
        _log.info("request answered", extra={"fields": fields})


@dataclass
class _Exchange:
    """One request and what is answered to it."""

    scope: Scope
    receive: Receive
    raw_send: Send
    status: int = 0
    """0 until a reply began."""
    began: float = field(default_factory=time.perf_counter)
    request_id: str = ""
    trace: str = ""

    def __post_init__(self) -> None:
        headers = Headers(scope=self.scope)
        given = headers.get("x-request-id", "")
        self.request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        trace = headers.get("x-amzn-trace-id", "")
        self.trace = trace if _TRACE.fullmatch(trace) else ""

    async def send(self, message: Message) -> None:
        """Send, with the headers that every reply has."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-Id"] = self.request_id
            headers["X-Content-Type-Options"] = "nosniff"
            headers["Cache-Control"] = "no-store"
            headers["Content-Security-Policy"] = CONTENT_POLICY
        await self.raw_send(message)
