"""All rows of an answer: in pages, and as one CSV file."""

from collections.abc import Iterator
from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from text2sql.answer.csv_file import csv_lines
from text2sql.answer.json_reply import read_row
from text2sql.jobs.port import Job
from text2sql.messages import Cell, Reply
from text2sql_api.cursors import read_cursor, write_cursor
from text2sql_api.dependencies import Api, ApiDep, JobDep
from text2sql_api.errors import InvalidCursor, NoRows
from text2sql_api.routes.replies import problems, reply
from text2sql_api.views import RowsPage

CSV_PAGE = 500

router = APIRouter(tags=["rows"])


@router.get("/v1/queries/{id}/rows", response_model=RowsPage, responses=problems(404, 409))
def rows(
    api: ApiDep,
    job: JobDep,
    cursor: Annotated[str | None, Query(max_length=128)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> Response:
    """Return rows of an answer, page by page."""
    answered = _answered(job)
    listing = f"rows {job.id}"
    place = "0" if cursor is None else read_cursor(listing, cursor)
    if not place.isdecimal():
        raise InvalidCursor("The cursor is not one of this list.", remedy="Begin again without a cursor.")
    start = int(place)
    found = api.jobs.get_rows(job.id, start, limit)
    after = start + len(found)
    page = RowsPage(
        columns=answered.columns,
        rows=tuple(map(read_row, found)),
        row_count=job.row_count,
        truncated=answered.truncated,
        next=write_cursor(listing, str(after)) if after < job.row_count else None,
    )
    return reply(page)


@router.get(
    "/v1/queries/{id}/rows.csv",
    response_class=Response,
    responses={200: {"content": {"text/csv": {}}, "description": "RFC 4180, UTF-8"}, **problems(404, 409)},
)
def rows_csv(api: ApiDep, job: JobDep) -> Response:
    """Return all rows as CSV; no cell begins as a formula does."""
    pages = _pages(csv_lines(_answered(job).columns, _all_rows(api, job)))
    headers = {"Content-Disposition": f'attachment; filename="{job.id}.csv"'}
    return StreamingResponse(pages, headers=headers, media_type="text/csv; charset=utf-8")


def _answered(job: Job) -> Reply:
    if job.reply is None:
        raise NoRows("The question has not ended yet.", remedy="Ask again when its status is ended.")
    if job.reply.outcome != "answered":
        raise NoRows("The question ended without rows.", remedy="Its answer says why.")
    return job.reply


def _pages(lines: Iterator[str]) -> Iterator[bytes]:
    """Join lines, for each piece of a reply changes threads; half a character is written as its escape."""
    while page := "".join(islice(lines, CSV_PAGE)):
        yield page.encode("utf-8", "backslashreplace")


def _all_rows(api: Api, job: Job) -> Iterator[tuple[Cell, ...]]:
    for start in range(0, job.row_count, CSV_PAGE):
        yield from map(read_row, api.jobs.get_rows(job.id, start, CSV_PAGE))
