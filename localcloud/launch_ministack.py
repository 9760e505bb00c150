"""Starts ministack, under the Python of its own virtual environment."""
# ruff: noqa: SLF001 — what is mended here has no public name

import socketserver
import sys
from typing import Any

# Its server for functions sends a reply's headers and body apart; together with delayed acknowledgements
# that takes 80 ms for each call.
socketserver.StreamRequestHandler.disable_nagle_algorithm = True

from ministack.app import main  # noqa: E402 — the setting above must come first
from ministack.services import lambda_svc  # noqa: E402

_reserved, _throttled = lambda_svc._reserved_concurrency, lambda_svc._throttle_response


def _reserved_for_each_version(called: dict[str, Any], config: dict[str, Any]) -> int | None:
    """Return how many calls may run at once; ministack forgets it where a version or an alias is called."""
    reserved: int | None = _reserved(lambda_svc._functions.get(config["FunctionName"], called), config)
    return reserved


def _throttled_by_name(*about: Any, **more: Any) -> dict[str, Any]:
    """Return a refusal under the name that state machines catch, which ministack leaves out."""
    refusal: dict[str, Any] = _throttled(*about, **more)
    refusal["body"]["errorType"] = "Lambda.TooManyRequestsException"
    return refusal


lambda_svc._reserved_concurrency = _reserved_for_each_version
lambda_svc._throttle_response = _throttled_by_name

sys.exit(main())
