"""Whether the service lives, is ready, and what it counts."""

import time
from collections.abc import Callable
from threading import Lock

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from text2sql.errors import Text2SqlError
from text2sql_api.dependencies import Api, ApiDep
from text2sql_api.routes.replies import problems, reply
from text2sql_api.views import Readiness

KEEP_SECONDS = 2.0
"""Everybody may ask, so the database is not asked each time."""


def health_router() -> APIRouter:
    """Return the routes, which remember how ready the service was."""
    router = APIRouter(tags=["health"])
    look = _Remembered(_readiness)

    @router.get("/healthz")
    def healthz() -> Response:
        """Tell that the process lives."""
        return reply({"status": "ok"})

    @router.get(
        "/readyz",
        response_model=Readiness,
        responses={503: {"model": Readiness, "description": "A part does not answer"}},
    )
    def readyz(api: ApiDep) -> Response:
        """Tell which parts answer: the database, the workflow, and the model."""
        found = look(api)
        ready = all(state == "ok" for state in (found.database, found.workflow, found.model))
        return reply(found, 200 if ready else 503)

    @router.get(
        "/metrics",
        response_class=Response,
        responses={
            200: {"content": {"text/plain": {}}, "description": "Prometheus' text form"},
            **problems(),
        },
    )
    def metrics(api: ApiDep) -> Response:
        """Return the counters; for admins, and machine clients with the scope `metrics`."""
        return Response(api.metrics.render(), media_type=CONTENT_TYPE_LATEST)

    return router


class _Remembered:
    """Looks at most once in `KEEP_SECONDS`."""

    def __init__(self, look: Callable[[Api], Readiness]) -> None:
        self._look = look
        self._lock = Lock()
        self._found: Readiness | None = None
        self._at = 0.0

    def __call__(self, api: Api) -> Readiness:
        with self._lock:
            if self._found is None or time.monotonic() - self._at > KEEP_SECONDS:
                self._found, self._at = self._look(api), time.monotonic()
            return self._found


def _readiness(api: Api) -> Readiness:
    def ask_databases() -> None:
        for services in api.datasources.values():
            services.database.schema_version()

    return Readiness(
        database=_state(ask_databases),
        workflow="ok" if api.workflow.is_ready() else "STOPPED",
        model=_state(api.check_model),
    )


def _state(check: Callable[[], None]) -> str:
    """Return `ok` or the error's code."""
    try:
        check()
    except Text2SqlError as error:
        return error.code
    return "ok"
