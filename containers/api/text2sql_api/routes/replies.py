"""How routes write their replies as JSON, with every digit, and which problems they may answer with."""

from typing import Any

from fastapi import Response

from text2sql.answer.json_reply import write_json
from text2sql_api.errors import MEDIA_TYPE

_TOLD = {
    400: "The request cannot be read, or the cursor is not one of this list.",
    401: "There is no valid token.",
    403: "The token does not allow this.",
    404: "There is no such thing, or it is somebody else's.",
    408: "The body did not arrive in time.",
    409: "There are no rows, or not yet; or the content goes elsewhere.",
    413: "The body is too large.",
    415: "The body is not of a type that is taken here.",
    422: "A value is not as described.",
    429: "Too many requests, or too many unfinished questions.",
    500: "Something broke.",
    503: "A part of the service does not answer; try again.",
}


def reply(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a message as JSON."""
    return Response(write_json(body), status, headers, "application/json")


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe the problems that a route may answer with, and those that every route may."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}  # `openapi` adds it
    every = (400, 401, 403, 422, 429, 500, 503)
    return {
        status: {"description": _TOLD[status], "content": content} for status in sorted({*every, *statuses})
    }
