"""A question's progress as server-sent events: each step, then the outcome, then the end."""

import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from text2sql.answer.json_reply import write_json
from text2sql.jobs.port import Job
from text2sql_api.dependencies import Api, ApiDep, JobDep, PersonDep
from text2sql_api.errors import RequestError
from text2sql_api.identity import Person
from text2sql_api.routes.queries import LOOK_SECONDS
from text2sql_api.routes.replies import problems
from text2sql_api.views import query_summary

HEARTBEAT_SECONDS = 15.0
"""Proxies close a connection on which nothing is said."""

router = APIRouter(tags=["queries"])


@router.get(
    "/v1/queries/{id}/events",
    response_class=Response,
    responses={
        200: {"content": {"text/event-stream": {}}, "description": "Events `step` and, last, `outcome`"},
        **problems(404),
    },
)
async def events(
    api: ApiDep,
    person: PersonDep,
    job: JobDep,
    last: Annotated[str | None, Header(alias="Last-Event-ID", max_length=20)] = None,
) -> Response:
    """Follow a question; with Last-Event-ID from where a broken stream ended."""
    if last is not None and not (last.isascii() and last.isdecimal()):
        raise RequestError("Last-Event-ID is no event's id.", remedy="Send the id of the last event you got.")
    # The stream is counted before the reply begins, so that one too many is still refused.
    counted = api.streams.stream(person.subject)
    counted.__enter__()
