"""What the routes work with, and how they get at it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Protocol

from fastapi import Depends, Path, Request

from text2sql.documents.library import DocumentLibrary
from text2sql.jobs.port import Job, JobStore, ResultStore
from text2sql.pipeline import Services
from text2sql_api.errors import NotFound
from text2sql_api.identity import Person
from text2sql_api.limits import StreamLimiter
from text2sql_api.metrics import Metrics
from text2sql_api.settings import ApiSettings
from text2sql_api.workflow.port import Workflow


class Jobs(JobStore, ResultStore, Protocol):
    """Where jobs and their rows are read."""


@dataclass(frozen=True)
class Api:
    """What the routes work with; `main` makes one, tests make their own."""

    settings: ApiSettings
    jobs: Jobs
    workflow: Workflow
    datasources: Mapping[str, Services]
    metrics: Metrics
    check_model: Callable[[], None] = lambda: None
    """Raises ModelError where the model cannot be asked."""
    libraries: Mapping[str, DocumentLibrary] = field(default_factory=dict)
    """The documents, by the datasource's name; none where nobody named knowledge."""
    streams: StreamLimiter = field(default_factory=StreamLimiter)


async def get_api(request: Request) -> Api:
    """Return what the app was made with."""
    api: Api = request.app.state.api
    return api


async def get_person(request: Request) -> Person:
    """Return who was let in."""
    person: Person = request.state.person
    return person


ApiDep = Annotated[Api, Depends(get_api)]
PersonDep = Annotated[Person, Depends(get_person)]


def get_job(api: ApiDep, person: PersonDep, query_id: Annotated[str, Path(alias="id")]) -> Job:
    """Return the job that the path names, to its owner and to admins.

    Raises:
        NotFound: there is none, or it is somebody else's: nobody can tell which.
    """
    return find_job(api, person, query_id)


def find_job(api: Api, person: Person, job_id: str) -> Job:
    """Return a job as `get_job` does."""
    job = api.jobs.find(job_id)
    if job is None or not (person.is_admin or job.submission.owner == person.subject):
        raise NotFound("There is no such question.", remedy="GET /v1/queries lists yours.")
    return job


JobDep = Annotated[Job, Depends(get_job)]
