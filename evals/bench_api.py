"""`make bench-cloud`: what the API adds to an answer, and what becomes of many questions, also after a kill.

Model and database are stubbed, in the server's own process, so that nothing but the API and the steps is
measured. Ends with 1 when a question is lost, answered twice, or not answered.
"""

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click
import httpx
from bench_figures import Figure, MeasurementFailed, figures_table, load_average, machine_lines

from text2sql.datasource.catalog import Catalog, Column, Table
from text2sql.execution.port import QueryLimits
from text2sql.generation.port import Completion, Prompt
from text2sql.guardrail.local import LocalGuardrail
from text2sql.jobs.sqlite import SqliteJobStore
from text2sql.messages import ResultColumn, ResultSet, Usage
from text2sql.pipeline import Services
from text2sql.retrieval.local import LocalKnowledgeBase
from text2sql_api.auth import LocalAuthenticator
from text2sql_api.dependencies import Api
from text2sql_api.identity import Person
from text2sql_api.main import create_app
from text2sql_api.metrics import Metrics
from text2sql_api.serving import listen, serve_at
from text2sql_api.settings import ApiSettings
from text2sql_api.workflow.in_process import InProcessWorkflow

if TYPE_CHECKING:
    from collections.abc import Iterator

RATE = 50
SECONDS = 20
ROUNDS = 3
CROWD = 200
KILLED = 40
"""Jobs that the API is killed over."""
MODEL_SECONDS = 0.2
"""How long the model takes for each of them."""
P50, P99 = 0.50, 0.99
LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=CROWD, keepalive_expiry=60)


class StubModel:
    """The model port: one statement, after some seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def complete(self, prompt: Prompt) -> Completion:
        """Return the statement."""
        del prompt
        time.sleep(self._seconds)
        return Completion(text="```sql\nSELECT name FROM customers\n```", finish="stop", usage=Usage())


class StubDatabase:
    """The database port: one table, and three rows of it, at once."""

    def schema_version(self) -> str:
        """Return the only version."""
        return "1"

    def read_catalog(self) -> Catalog:
        """Return the table."""
        table = Table(name="customers", columns=(Column(name="name", type="TEXT"),))
        return Catalog(name="shop", dialect="sqlite", server="stub", tables=(table,))

    def check_account(self) -> None:
        """Find nothing wrong."""

    def query(self, sql: str, limits: QueryLimits, cancelled: threading.Event | None = None) -> ResultSet:
        """Return the rows, whatever is asked."""
        del sql, limits, cancelled
        columns = (ResultColumn(name="name", type="text"),)
        return ResultSet(columns=columns, rows=(("Ada",), ("Grace",), ("Linus",)), truncated=False)


def serve(folder: Path, model_seconds: float) -> None:
    """Serve the API on the stubs, and print the port."""
    database = StubDatabase()
    catalog = database.read_catalog()
    services = Services(
        guardrail=LocalGuardrail(4000),
        knowledge_base=LocalKnowledgeBase(()),
        model=StubModel(model_seconds),
        database=database,
        catalog=lambda: catalog,
        today=date(2026, 1, 1),
    )
    settings = ApiSettings(user_jobs=1000, requests_per_minute=1_000_000)
    store, metrics = SqliteJobStore(folder / "jobs.sqlite"), Metrics()
    workflow = InProcessWorkflow(store, {"shop": services}, metrics, folder / "jobs.lock", settings.workers)
    workflow.open()
    api = Api(settings, store, workflow, {"shop": services}, metrics)
    with listen("127.0.0.1", 0) as listener:
        print(listener.getsockname()[1], flush=True)
        serve_at(create_app(api, LocalAuthenticator(Person(subject="local"))), listener)
    workflow.close()


@contextmanager
def serving(folder: str, model_seconds: float = 0.0) -> "Iterator[str]":
    """Lend the address of a server process on the stubs, which is killed in the end."""
    command = (sys.executable, __file__, "--serve", folder, "--model-seconds", str(model_seconds))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 — our own script
        assert process.stdout  # noqa: S101 — it is piped
        port = process.stdout.readline().strip()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def temporary_folder() -> "tempfile.TemporaryDirectory[str]":
    """Return a folder that is gone after its block."""
    return tempfile.TemporaryDirectory(prefix="text2sql-bench-")


def measure_overhead(address: str) -> list[Figure]:
    """Ask at a steady rate and wait for each answer; what it takes is the API and the steps alone.

    Raises:
        MeasurementFailed: a question was not answered.
    """
    runs: dict[float, list[float]] = {P50: [], P99: []}
    _at_rate(address, seconds=2)  # the first requests fill caches
    for _ in range(ROUNDS):
        times = sorted(_at_rate(address, SECONDS))
        for share, found in runs.items():
            found.append(times[int(share * (len(times) - 1))] * 1000)
    name = f"Question to answer at {RATE} requests/s, model and database stubbed"
    return [
        Figure(f"{name}, p50", "ms", tuple(runs[P50]), bar=10),
        Figure(f"{name}, p99", "ms", tuple(runs[P99]), bar=50),
    ]


def _at_rate(address: str, seconds: float) -> list[float]:
    began = time.perf_counter()
    with httpx.Client(base_url=address, timeout=30, limits=LIMITS) as http, ThreadPoolExecutor(32) as pool:

        def ask(number: int) -> float:
            time.sleep(max(0.0, began + number / RATE - time.perf_counter()))
            started = time.perf_counter()
            reply = http.post("/v1/queries:run", json={"question": f"Names q{number}?"})
            taken = time.perf_counter() - started
            if reply.status_code != httpx.codes.OK or reply.json()["answer"]["outcome"] != "answered":
                raise MeasurementFailed(f"a question was answered with {reply.status_code}")
            return taken

        return list(pool.map(ask, range(int(seconds * RATE))))


def measure_crowd(address: str) -> list[Figure]:
    """Submit many jobs at once, each twice with its key, and wait for all of them.

    Raises:
        MeasurementFailed: one was lost, begun twice, or not answered.
    """
    runs = []
    for number in range(ROUNDS):
        with (
            httpx.Client(base_url=address, timeout=60, limits=LIMITS) as http,
            ThreadPoolExecutor(CROWD) as pool,
        ):
            started = time.perf_counter()
            asked = list(pool.map(_submit(http, number), range(2 * CROWD)))
            jobs = [_wait(http, job_id) for job_id in dict.fromkeys(asked)]
            runs.append(time.perf_counter() - started)
        if len(jobs) != CROWD:
            raise MeasurementFailed(f"{len(jobs)} jobs came of {CROWD} questions")
        generated = [sum(_is_draft(step) for step in job["steps"]) for job in jobs]
        if generated != [1] * CROWD or {job["answer"]["outcome"] for job in jobs} != {"answered"}:
            raise MeasurementFailed("a job was begun twice, or not answered")
    return [Figure(f"{CROWD} jobs submitted at once, each twice, all answered once", "s", tuple(runs))]


def measure_kill() -> list[Figure]:
    """Submit jobs, kill the API's process when the first has ended, and wait for all at the next one.

    Raises:
        MeasurementFailed: one was lost, or not answered, or the kill came too late to matter.
    """
    runs = []
    for number in range(ROUNDS):
        with temporary_folder() as folder:
            with (
                serving(folder, MODEL_SECONDS) as address,
                httpx.Client(base_url=address, timeout=60) as http,
            ):
                asked = list(map(_submit(http, number), range(KILLED)))
                _wait(http, asked[0])
            started = time.perf_counter()
            with serving(folder) as address, httpx.Client(base_url=address, timeout=60) as http:
                jobs = [_wait(http, job_id) for job_id in asked]
            runs.append(time.perf_counter() - started)
        if {job["answer"]["outcome"] for job in jobs} != {"answered"}:
            raise MeasurementFailed("a job was not answered after the kill")
        if not any(sum(_begins(step) for step in job["steps"]) > 1 for job in jobs):
            raise MeasurementFailed("no job was broken off by the kill")
    return [
        Figure(
            f"{KILLED} jobs, the API killed mid-way: from its next start to all answered", "s", tuple(runs)
        )
    ]


def _submit(http: httpx.Client, number: int) -> Callable[[int], str]:
    def submit(place: int) -> str:
        key = {"Idempotency-Key": f"{number}-{place % CROWD}"}
        body = {"question": f"Names {place % CROWD}?"}
        job_id: str = http.post("/v1/queries", json=body, headers=key).json()["id"]
        return job_id

    return submit


def _wait(http: httpx.Client, job_id: str) -> dict:
    while True:
        job: dict = http.get(f"/v1/queries/{job_id}").json()
        if job["status"] == "ended":
            return job
        time.sleep(0.01)


def _is_draft(step: dict) -> bool:
    return step["step"] == "GenerateSql" and step["status"] == "succeeded"


def _begins(step: dict) -> bool:
    return step["step"] == "CheckQuestion" and step["status"] == "started"


@click.command()
@click.option("--serve", "folder", type=click.Path(path_type=Path), hidden=True)
@click.option("--model-seconds", type=float, default=0.0, hidden=True)
def bench(folder: Path | None, model_seconds: float) -> int:
    """Measure, and print the machine and a table of figures."""
    if folder:
        serve(folder, model_seconds)
        return 0
    for line in machine_lines():
        click.echo(f"- {line}")
    try:
        with temporary_folder() as place, serving(place) as address:
            figures = [*measure_overhead(address), *measure_crowd(address)]
        figures += measure_kill()
    except MeasurementFailed as failure:
        click.echo(f"Not measured: {failure}", err=True)
        return 1
    click.echo(f"- Load average at the end: {load_average()}\n")
    click.echo(figures_table(figures))
    return 0


if __name__ == "__main__":
    sys.exit(bench(standalone_mode=False))
