"""What a request can be refused for, and how every error becomes a problem of RFC 9457."""

import json
from collections.abc import Mapping
from typing import ClassVar

from starlette.responses import Response

from text2sql.errors import (
    AccessDenied,
    InvalidDocument,
    InvalidQuestion,
    JobStoreUnavailable,
    Text2SqlError,
    TooManyJobs,
)

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:text2sql:problem:"
"""Before the error's code; docs/errors.md explains the codes."""


class RequestError(Text2SqlError):
    """A request that is not done as it stands."""

    status: ClassVar[int] = 400
    title: ClassVar[str] = "The request cannot be read"
    code = "INVALID_REQUEST"

    def __init__(self, message: str, *, remedy: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.headers = dict(headers or {})


class InvalidFields(RequestError):
    """The body or a parameter is not as the API's description says."""

    status = 422
    title = "A value is not as described"
    code = "INVALID_FIELDS"

    def __init__(self, fields: tuple[tuple[str, str], ...]) -> None:
        super().__init__("A value is not as described.", remedy="See /docs.")
        self.fields = fields
        """Where each wrong value stands, and what is wrong with it."""


class InvalidCursor(RequestError):
    """The cursor is none that this list gave out."""

    title = "The cursor is not one of this list"
    code = "INVALID_CURSOR"


class Unauthenticated(RequestError):
    """There is no token, or none that is taken."""

    status = 401
    title = "Nobody is signed in"
    code = "UNAUTHENTICATED"


class Forbidden(RequestError):
    """The token is good, but not for this."""

    status = 403
    title = "This is not allowed"
    code = "FORBIDDEN"


class NotFound(RequestError):
    """There is no such thing, or it is somebody else's."""

    status = 404
    title = "There is no such thing"
    code = "NOT_FOUND"


class MethodNotAllowed(RequestError):
    """The path exists, but not with this method."""

    status = 405
    title = "The method is not one of this path"
    code = "METHOD_NOT_ALLOWED"


class RequestTimedOut(RequestError):
    """The body did not arrive in time."""

    status = 408
    title = "The request took too long to arrive"
    code = "REQUEST_TIMED_OUT"


class NoRows(RequestError):
    """The question has not ended, or ended without rows."""

    status = 409
    title = "There are no rows"
    code = "NO_ROWS"


class UploadElsewhere(RequestError):
    """The API itself does not take the contents of documents."""

    status = 409
    title = "The content goes elsewhere"
    code = "UPLOAD_ELSEWHERE"


class RequestTooLarge(RequestError):
    """The body is larger than `body_bytes`, or than a document may be."""

    status = 413
    title = "The request is too large"
    code = "REQUEST_TOO_LARGE"


class UnsupportedMediaType(RequestError):
    """The body is not said to be of a type that is taken there."""

    status = 415
    title = "The body is of another type"
    code = "UNSUPPORTED_MEDIA_TYPE"


class IdempotencyKeyReused(RequestError):
    """The key came before with another question."""

    status = 422
    title = "The idempotency key belongs to another question"
    code = "IDEMPOTENCY_KEY_REUSED"


class RateLimited(RequestError):
    """The user has made too many requests, or has too many event streams open."""

    status = 429
    title = "Too many requests"
    code = "RATE_LIMITED"
    retryable = True


class IdentityUnavailable(RequestError):
    """The issuer's keys could not be had, so no token can be checked."""

    status = 503
    title = "Tokens cannot be checked"
    code = "IDENTITY_UNAVAILABLE"
    retryable = True


_OURS: Mapping[type[Text2SqlError], tuple[int, str]] = {
    InvalidQuestion: (422, "The question cannot be asked"),
    InvalidDocument: (422, "The document cannot be kept"),
    AccessDenied: (403, "The access policy shows nothing"),
    TooManyJobs: (429, "Too many unfinished questions"),
    JobStoreUnavailable: (503, "Jobs cannot be kept"),
}
RETRY_SECONDS = 5


def broken() -> Text2SqlError:
    """Return what is told of an error that nobody expects; its own text goes to nobody."""
    return Text2SqlError("Something broke inside text2sql.", remedy="Report the request id.")


def problem(error: Text2SqlError, request_id: str = "") -> Response:
    """Return the problem that tells of an error; nothing in it but our own words."""
    if isinstance(error, RequestError):
        status, title, headers = error.status, error.title, error.headers
    else:
        otherwise = (503, "Try again later") if error.retryable else (500, "Something broke")
        status, title = _OURS.get(type(error), otherwise)
        headers = {}
    if error.retryable:
        headers = {"Retry-After": str(RETRY_SECONDS), **headers}
    body: dict[str, object] = {
        "type": f"{TYPE}{error.code}",
        "title": title,
        "status": status,
        "detail": " ".join(filter(None, (error.message, error.remedy))),
        "code": error.code,
        "retryable": error.retryable,
        "request_id": request_id,
    }
    if isinstance(error, InvalidFields):
        body["errors"] = [{"pointer": place, "detail": wrong} for place, wrong in error.fields]
    return Response(json.dumps(body), status, headers, MEDIA_TYPE)
