"""Reads the bodies of requests: whole, in time, and never more of them than may be sent."""

import asyncio

from starlette.datastructures import Headers
from starlette.types import Receive

from text2sql_api.errors import RequestTimedOut, RequestTooLarge


def media_type(headers: Headers) -> str:
    """Return what the body is said to be, without parameters; empty where nothing is said."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_body(receive: Receive, headers: Headers, limit: int, seconds: float) -> bytes:
    """Return a body of at most `limit` bytes.

    Raises:
        RequestTooLarge: it is longer; where it says so itself, nothing of it is read.
        RequestTimedOut: it did not arrive whole in so many seconds.
    """
    try:
        async with asyncio.timeout(seconds):
            return await _collect(receive, headers.get("content-length", ""), limit)
    except TimeoutError:
        raise RequestTimedOut("The body did not arrive in time.") from None


async def _collect(receive: Receive, declared: str, limit: int) -> bytes:
    body = bytearray()
    refusal = RequestTooLarge(f"The body is larger than {limit:,} bytes.")
    if declared.isdigit() and int(declared[:20]) > limit:
        raise refusal
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise RequestTimedOut("The body did not arrive whole.")  # and nobody waits for this
        body += message.get("body", b"")
        if len(body) > limit:
            raise refusal
        if not message.get("more_body", False):
            return bytes(body)
