"""Makes the app: the routes, the gate before them, and how errors are told."""

from functools import cache, partial
from typing import cast

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from text2sql import __version__
from text2sql.errors import Text2SqlError
from text2sql_api.auth import Authenticator
from text2sql_api.dependencies import Api
from text2sql_api.errors import InvalidFields, MethodNotAllowed, NotFound, RequestError, broken, problem
from text2sql_api.gate import Gate
from text2sql_api.limits import RequestLimiter
from text2sql_api.openapi import describe, render_page
from text2sql_api.routes import datasources, documents, events, health, me, queries, rows

TITLE = "text2sql"
DESCRIPTION = "Ask a database a question in your own words."
MAX_FIELDS = 5
"""How many wrong values a problem tells of."""
PLACE_CHARACTERS = 100


def create_app(api: Api, authenticator: Authenticator) -> ASGIApp:
    """Return the API as an ASGI app, behind its gate."""
    app = create_routes()
    app.state.api = api
    api.metrics.watch("text2sql_event_streams", "Event streams that are open", lambda: api.streams.count)
    settings = api.settings
    return Gate(
        app, authenticator, RequestLimiter(settings.requests_per_minute), api.metrics, settings.body_bytes
    )


def create_routes() -> FastAPI:
    """Return the app without its gate: for `create_app`, and for its description."""
    app = FastAPI(
        title=TITLE,
        version=__version__,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    for router in (
        queries.router,
        events.router,
        rows.router,
        datasources.router,
        documents.router,
        me.router,
        health.health_router(),
    ):
        app.include_router(router)
    described = cache(partial(describe, app))

    @app.get("/openapi.json", include_in_schema=False)
    def openapi() -> Response:
        return JSONResponse(described())

    @app.get("/docs", include_in_schema=False)
    def docs() -> Response:
        return HTMLResponse(render_page(described()))

    app.add_exception_handler(Text2SqlError, _tell)
    app.add_exception_handler(RequestValidationError, _tell_fields)
    app.add_exception_handler(HTTPException, _tell_http)
    app.add_exception_handler(Exception, _tell_broken)
    return app


def _tell(request: Request, error: Exception) -> Response:
    return problem(cast("Text2SqlError", error), request.state.request_id)


def _tell_fields(request: Request, error: Exception) -> Response:
    """Tell which values are wrong, and never what they are."""
    wrong = cast("RequestValidationError", error).errors()
    if any(each["type"] == "json_invalid" for each in wrong):
        return problem(RequestError("The body is no JSON."), request.state.request_id)
    fields = tuple(
        ("/".join(map(str, each["loc"]))[:PLACE_CHARACTERS], each["msg"]) for each in wrong[:MAX_FIELDS]
    )
    return problem(InvalidFields(fields), request.state.request_id)


def _tell_http(request: Request, raised: Exception) -> Response:
    error = cast("HTTPException", raised)
    told: dict[int, RequestError] = {
        404: NotFound("There is no such path.", remedy="See /docs."),
        405: MethodNotAllowed("The path has other methods.", remedy="See /docs.", headers=error.headers),
    }
    return problem(
        told.get(error.status_code, RequestError("The request cannot be read.")), request.state.request_id
    )


def _tell_broken(request: Request, _: Exception) -> Response:
    return problem(broken(), request.state.request_id)
