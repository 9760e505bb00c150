"""One HTTP request with a limit on its whole time and on its reply's size."""

import contextlib
import socket
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any, NamedTuple

import httpx

CONNECT_SECONDS = 10.0


class Exchanged(NamedTuple):
    """What came back."""

    status: int
    body: bytes


class ReplyTooLarge(Exception):
    """The reply's body is larger than the caller takes."""


class Cutoff:
    """Ends a request's connection after `seconds`, however busily the other side writes.

    The time limits of an HTTP client count anew with every byte that arrives.
    """

    def __init__(self, seconds: float) -> None:
        self.passed = False
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> "Cutoff":
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        self._socket = None

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Learn the connection's socket; goes into the request's `trace` extension."""
        if event in {"connection.connect_tcp.complete", "connection.start_tls.complete"}:
            self._socket = info["return_value"].get_extra_info("socket")
            if self.passed:
                self._shut()

    def _cut(self) -> None:
        self.passed = True
        self._shut()

    def _shut(self) -> None:
        connection = self._socket
        if connection is not None:
            with contextlib.suppress(OSError):
                # The plain socket's method: that of a TLS socket takes its state from under the reader.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)


def exchange(client: httpx.Client, request: httpx.Request, *, seconds: float, limit: int) -> Exchanged:
    """Send the request on a connection of its own and read the whole reply.

    Raises:
        TimeoutError: there is no whole reply after `seconds`.
        ReplyTooLarge: the body has more than `limit` bytes.
        httpx.HTTPError: no connection, or a broken one.
    """
    body = bytearray()
    with Cutoff(seconds) as cutoff:
        timeout = httpx.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS))
        request.extensions = {**request.extensions, "timeout": timeout.as_dict(), "trace": cutoff.trace}
        request.headers["Connection"] = "close"
        try:
            with contextlib.closing(client.send(request, stream=True)) as response:
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > limit:
                        raise ReplyTooLarge
        except (httpx.ReadTimeout, httpx.WriteTimeout, httpx.PoolTimeout) as error:
            raise TimeoutError from error
        except httpx.HTTPError as error:
            if cutoff.passed:
                raise TimeoutError from error
            raise
        if cutoff.passed:
            raise TimeoutError
    return Exchanged(response.status_code, bytes(body))
