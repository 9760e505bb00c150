"""A question's progress as server-sent events: each step, then the outcome, then the end."""

import re
import time
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from text2sql.answer.json_reply import write_json
from text2sql.jobs.port import Job
from text2sql_api.dependencies import Api, ApiDep, JobDep, PersonDep
from text2sql_api.routes.queries import LOOK_SECONDS
from text2sql_api.routes.replies import problems
from text2sql_api.views import query_summary

HEARTBEAT_SECONDS = 15.0
"""Proxies close a connection on which nothing is said."""
_LINE_END = re.compile(r"\n *")
MAX_EVENT_ID = 1_000_000

router = APIRouter(tags=["queries"])


@router.get(
    "/v1/queries/{id}/events",
    response_class=Response,
    responses={
        200: {"content": {"text/event-stream": {}}, "description": "Events `step` and, last, `outcome`"},
        204: {"description": "There is nothing after the last event"},
        **problems(404),
    },
)
async def events(
    api: ApiDep,
    person: PersonDep,
    job: JobDep,
    last: Annotated[int, Header(alias="Last-Event-ID", ge=0, le=MAX_EVENT_ID)] = 0,
) -> Response:
    """Follow a question; with Last-Event-ID from where a broken stream ended."""
    if job.status == "ended" and last > len(job.steps):
        return Response(status_code=204)  # a browser stops asking
    api.streams.refuse_another(person.subject)
    return StreamingResponse(_stream(api, person.subject, job, last), media_type="text/event-stream")


async def _stream(api: Api, subject: str, job: Job, told: int) -> AsyncIterator[str]:
    """Yield what comes after the event `told`; who goes away ends it at the next heartbeat or before."""
    said_at = time.monotonic()
    with api.streams.stream(subject), api.workflow.watch(job.id) as changes:
        while True:
            current = await run_in_threadpool(api.jobs.find, job.id)
            if current is None:  # it has expired
                return
            for number, record in enumerate(current.steps[told:], told + 1):
                yield _event(number, "step", record)
                told, said_at = number, time.monotonic()
            if current.status == "ended":
                yield _event(len(current.steps) + 1, "outcome", query_summary(current))
                return
            if time.monotonic() - said_at >= HEARTBEAT_SECONDS:
                yield ": still here\n\n"
                said_at = time.monotonic()
            await changes.wait(LOOK_SECONDS)


def _event(number: int, name: str, data: object) -> str:
    return f"id: {number}\nevent: {name}\ndata: {_LINE_END.sub('', write_json(data))}\n\n"
