"""The local cloud's part of `make bench-cloud`: how soon it answers, and many questions at once.

All is as with `make up`: the embedded model, the sample shop, the state machine and the functions. Ends
with 1 where a question does not end, or a bar is missed.
"""

import os
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench_figures import Figure, figures_table, load_average, machine_lines

from local_client import LocalClient, LocalCloudFailed, running_platform
from platform_folder import FOLDER
from smoke import check_job
from text2sql.generation.model_file import model_path
from text2sql.services import cache_folder
from text2sql.settings import Settings
from up import QUESTION

FIRST_SECONDS, START_AGAIN_SECONDS = 40.0, 10.0
CROWD = (
    QUESTION,
    "How many customers are there?",
    "How many stores are there?",
    "How many products are in each category?",
    "How many reviews are there?",
    "Which country has the most customers?",
    "How many orders came in last month?",
    "What is the average list price?",
)


def main() -> int:
    """Measure, and print a table of figures; return the exit code."""
    for line in machine_lines():
        print(f"- {line}")
    model = model_path(cache_folder(Settings()))
    with tempfile.TemporaryDirectory(prefix="text2sql-bench-") as folder:
        models = Path(folder) / "models"
        models.mkdir()
        (models / model.name).symlink_to(model)
        os.environ["TEXT2SQL_CACHE_DIR"] = folder  # nothing has been read ahead there
        shutil.rmtree(FOLDER, ignore_errors=True)
        try:
            figures = [*_measure_starts(), *_measure_crowd()]
        except LocalCloudFailed as fault:
            print(f"Not measured: {fault}", file=sys.stderr)
            return 1
    print(f"- Load average at the end: {load_average()}\n")
    print(figures_table(figures))
    return 0 if all(figure.met is not False for figure in figures) else 1


def _measure_starts() -> list[Figure]:
    """Start on a machine that holds nothing but the model's file, and again."""
    found = []
    for _ in range(2):
        started = time.perf_counter()
        with running_platform() as state, LocalClient(state) as client:
            up = time.perf_counter() - started
            check_job(client.ask(QUESTION))
            found.append((up, time.perf_counter() - started))
    (first_up, first), (again_up, again) = found
    return [
        Figure("Local cloud, first start", "s", (first_up,)),
        Figure("Local cloud, first start to first answer", "s", (first,), bar=FIRST_SECONDS),
        Figure("Local cloud, second start", "s", (again_up,), bar=START_AGAIN_SECONDS),
        Figure("Local cloud, second start to first answer", "s", (again,)),
    ]


def _measure_crowd() -> list[Figure]:
    with running_platform() as state, LocalClient(state) as client, ThreadPoolExecutor(len(CROWD)) as pool:
        started = time.perf_counter()
        jobs = list(pool.map(client.ask, CROWD))
        seconds = time.perf_counter() - started
    answered = sum(job["answer"]["outcome"] == "answered" for job in jobs)
    failed = [job["answer"]["error"]["code"] for job in jobs if job["answer"]["outcome"] == "failed"]
    if failed:
        raise LocalCloudFailed(f"of {len(CROWD)} questions at once, some failed: {', '.join(failed)}")
    return [
        Figure(f"Local cloud, {len(CROWD)} jobs at once, all ended, {answered} answered", "s", (seconds,))
    ]


if __name__ == "__main__":
    sys.exit(main())
