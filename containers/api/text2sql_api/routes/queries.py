"""Asking, looking, cancelling and judging."""

import time
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from text2sql.answer.json_reply import read_row
from text2sql.jobs.port import Job, Verdict
from text2sql_api.cursors import read_cursor, write_cursor
from text2sql_api.dependencies import Api, ApiDep, JobDep, PersonDep
from text2sql_api.errors import InvalidCursor
from text2sql_api.identity import Person
from text2sql_api.routes.replies import problems, reply
from text2sql_api.submission import submit
from text2sql_api.views import Ask, AskShort, History, Judgement, QueryView, query_summary, query_view

PREVIEW_ROWS = 100
LOOK_SECONDS = 1.0
"""How often a waiting request looks for itself, beside being told."""

KeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,64}$",
        description="A second request with the same key is the first one's job.",
    ),
]

router = APIRouter(tags=["queries"])


@router.post("/v1/queries", status_code=202, response_model=QueryView, responses=problems(404, 408, 413, 415))
def ask(request: Request, api: ApiDep, person: PersonDep, body: Ask, key: KeyHeader = None) -> Response:
    """Ask a question; it is answered in the background."""
    job = submit(api, person, body, key, request.state.request_id)
    return reply(view(api, job), 202, {"Location": f"/v1/queries/{job.id}"})


@router.post(
    "/v1/queries:run",
    response_model=QueryView,
    responses={202: {"model": QueryView, "description": "Not ended yet"}, **problems(404, 408, 413, 415)},
)
async def run(request: Request, api: ApiDep, person: PersonDep, body: Ask, key: KeyHeader = None) -> Response:
    """Ask a question and wait for its answer; with 202 it has not ended yet and goes on.

    A client that goes away does not want the answer: its question is cancelled.
    """
    return await ask_and_wait(request, api, person, body, key)


@router.post(
    "/api/query",
    response_model=QueryView,
    responses={202: {"model": QueryView, "description": "Not ended yet"}, **problems(404, 408, 413, 415)},
)
async def query(request: Request, api: ApiDep, person: PersonDep, body: AskShort) -> Response:
    """Ask a question as simply as can be, and wait for its answer as with /v1/queries:run."""
    asked = Ask(question=body.query, datasource=body.datasource, session=body.session)
    return await ask_and_wait(request, api, person, asked, None)


@router.get("/v1/queries", response_model=History, responses=problems())
def history(
    api: ApiDep,
    person: PersonDep,
    cursor: Annotated[str | None, Query(max_length=128)] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Response:
    """List your questions, the newest first."""
    listing = f"history {person.subject}"
    before = None
    if cursor is not None:
        before = api.jobs.find(read_cursor(listing, cursor))
        if before is None or before.submission.owner != person.subject:
            raise InvalidCursor("The list has gone on since.", remedy="Begin again without a cursor.")
    jobs = api.jobs.history(person.subject, limit + 1, before)
    more = write_cursor(listing, jobs[limit - 1].id) if len(jobs) > limit else None
    return reply(History(queries=tuple(map(query_summary, jobs[:limit])), next=more))


@router.get("/v1/queries/{id}", response_model=QueryView, responses=problems(404))
def look(api: ApiDep, job: JobDep) -> Response:
    """Tell how far a question is, and how it ended."""
    return reply(view(api, job))


@router.delete(
    "/v1/queries/{id}",
    response_model=QueryView,
    responses={202: {"model": QueryView, "description": "It ends soon"}, **problems(404)},
)
def cancel(api: ApiDep, job: JobDep) -> Response:
    """Cancel a question: its query is stopped in the database. One that has ended stays as it is."""
    if job.status != "ended":
        api.jobs.request_cancel(job.id)
        api.workflow.cancel(job)
        job = api.jobs.find(job.id) or job
    return reply(view(api, job), 200 if job.status == "ended" else 202)


@router.post("/v1/queries/{id}/feedback", status_code=204, responses=problems(404, 408, 413, 415))
def judge(api: ApiDep, job: JobDep, body: Judgement) -> Response:
    """Say whether an answer is right; the last word counts."""
    api.jobs.judge(job.id, Verdict(right=body.right, comment=body.comment))
    return Response(status_code=204)


async def ask_and_wait(request: Request, api: Api, person: Person, body: Ask, key: str | None) -> Response:
    """Ask, and reply when it has ended or `run_seconds` are over."""
    job = await run_in_threadpool(submit, api, person, body, key, request.state.request_id, waits=True)
    job = await _wait(request, api, job)
    shown = await run_in_threadpool(view, api, job)
    return reply(shown, 200 if job.status == "ended" else 202, {"Location": f"/v1/queries/{job.id}"})


async def _wait(request: Request, api: Api, job: Job) -> Job:
    left = api.settings.run_seconds
    end = time.monotonic() + left
    with api.workflow.watch(job.id) as changes:
        while True:
            found = await run_in_threadpool(api.jobs.find, job.id)
            job = job if found is None else found
            if job.status == "ended" or left <= 0:
                return job
            if await request.is_disconnected():
                await run_in_threadpool(api.jobs.request_cancel, job.id)
                await run_in_threadpool(api.workflow.cancel, job)
                return job
            await changes.wait(min(LOOK_SECONDS, left))
            left = end - time.monotonic()


def view(api: Api, job: Job) -> QueryView:
    """Return the job as it is shown, with the first rows."""
    rows = api.jobs.get_rows(job.id, 0, PREVIEW_ROWS) if job.row_count else ()
    return query_view(job, tuple(map(read_row, rows)))
