"""The executor's figures on a server: a large result, the end of a cancelled query, the look at the plan.

Run as a script it is the fresh process whose memory is measured.
"""

import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from bench_figures import Figure, MeasurementFailed

from text2sql.errors import QueryCancelled
from text2sql.execution.mysql import MysqlDatabase
from text2sql.execution.port import QueryLimits
from text2sql.execution.url import MysqlUrl

if TYPE_CHECKING:
    from servers import Server

SCHEMA = "bench_executor"
READER = "executor_reader"
ROWS = 5_000_000
LARGE = (
    "SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d + 100000 * g.d AS n "
    "FROM digits a, digits b, digits c, digits e, digits f, digits g, digits h WHERE h.d < 5"
)
ENDLESS = f"SELECT COUNT(*) FROM ({LARGE}) AS x, ({LARGE}) AS y WHERE x.n + y.n < 0"  # noqa: S608 — ours
SIMPLE = "SELECT d FROM digits WHERE d = 1"
LIMITS = QueryLimits(seconds=300, join_rows=10**15)
GONE_SECONDS = 1.0
MEMORY_MB = 150.0
RUNS = 3
SIMPLE_RUNS = 50


def measure_executor(server: "Server") -> list[Figure]:
    """Measure on one server, as a user who may only read.

    Raises:
        MeasurementFailed: a result was not whole, or not cut where it should be.
    """
    url = create_digits(server)
    cut = read_in_fresh_process(url, "query")
    streamed = read_in_fresh_process(url, "stream")
    gate = measure_gate(url)
    gone = tuple(seconds_until_gone(server, url, ENDLESS) for _ in range(RUNS))
    streaming = tuple(seconds_until_gone(server, url, LARGE, through_stream=True) for _ in range(RUNS))
    name = server.product
    return [
        Figure(f"1,000 of {ROWS:,} rows, {name}", "s", (cut["seconds"],)),
        Figure(f"Memory of that, {name}", "MB", (cut["megabytes"],), bar=MEMORY_MB),
        Figure(f"{ROWS:,} rows one by one, {name}", "s", (streamed["seconds"],)),
        Figure(f"Memory of that, all {ROWS:,}, {name}", "MB", (streamed["megabytes"],), bar=MEMORY_MB),
        Figure(f"Cancelled query is gone, {name}", "s", gone, bar=GONE_SECONDS),
        Figure(f"Cancelled query is gone while rows come, {name}", "s", streaming, bar=GONE_SECONDS),
        Figure(f"Reading the plan first adds, {name}", "ms", (gate,)),
    ]


def create_digits(server: "Server") -> MysqlUrl:
    """Create the table that the large results are made of, and who may read it."""
    server.execute(
        f"CREATE DATABASE IF NOT EXISTS {SCHEMA}",
        f"CREATE TABLE IF NOT EXISTS {SCHEMA}.digits (d INT NOT NULL PRIMARY KEY)",
        f"REPLACE INTO {SCHEMA}.digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)",  # noqa: S608 — ours
        f"CREATE USER IF NOT EXISTS {READER}@localhost IDENTIFIED BY ''",
        f"GRANT SELECT ON {SCHEMA}.* TO {READER}@localhost",
    )
    return MysqlUrl(host=server.host, port=server.port, user=READER, database=SCHEMA)


def read_in_fresh_process(url: MysqlUrl, way: str) -> dict[str, float]:
    """Read the large result in a process of its own, by `query` or `stream`; return rows, seconds, MB."""
    command = (sys.executable, __file__, url.host, str(url.port), way)
    # A test run may measure its coverage, and that of its children, which is another measurement.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run(  # noqa: S603 — our own script
        command, check=False, capture_output=True, text=True, env=environment
    )
    if done.returncode:
        raise MeasurementFailed(f"reading by {way} ended with {done.returncode}")
    figures: dict[str, float] = json.loads(done.stdout)
    if figures["rows"] != (ROWS if way == "stream" else LIMITS.rows):
        raise MeasurementFailed(f"reading by {way} gave {figures['rows']:,} rows")
    return figures


def measure_gate(url: MysqlUrl) -> float:
    """Return by how many milliseconds the look at the plan makes a small query longer, in the median."""
    database = MysqlDatabase(url)
    without = LIMITS.model_copy(update={"in_background": True})
    gated, plain = [], []
    for _ in range(SIMPLE_RUNS):  # by turns, so that a busy machine is busy for both
        gated.append(_seconds(lambda: database.query(SIMPLE, LIMITS)))
        plain.append(_seconds(lambda: database.query(SIMPLE, without)))
    return (sorted(gated)[SIMPLE_RUNS // 2] - sorted(plain)[SIMPLE_RUNS // 2]) * 1000


def seconds_until_gone(server: "Server", url: MysqlUrl, sql: str, *, through_stream: bool = False) -> float:
    """Cancel a query that runs, and return how long the server still lists it."""
    cancelled = threading.Event()
    database = MysqlDatabase(url)

    def read() -> None:
        try:
            if through_stream:
                with database.stream(sql, LIMITS, cancelled) as stream:
                    for _ in stream.rows:
                        pass
            else:
                database.query(sql, LIMITS, cancelled)
        except QueryCancelled:
            pass

    reader = threading.Thread(target=read)
    reader.start()
    _wait(lambda: _is_listed(server))
    time.sleep(0.2)  # so that it is in the middle
    if not _is_listed(server):
        raise MeasurementFailed("the query ended before it was cancelled")
    cancelled.set()
    seconds = _seconds(lambda: _wait(lambda: not _is_listed(server)))
    reader.join()
    return seconds


def _is_listed(server: "Server") -> bool:
    return any(row[1] == READER for row in server.execute("SHOW PROCESSLIST"))


def _wait(until: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not until():
        if time.monotonic() > end:
            raise MeasurementFailed("waited for half a minute in vain")
        time.sleep(0.01)


def _seconds(work: Callable[[], object]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


def _peak_megabytes() -> float:
    """Return the most memory that this process ever held."""
    try:
        status = Path("/proc/self/status").read_text("ascii")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # bytes on macOS
    # Not ru_maxrss, which here counts what the parent held when it started us.
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6


def _read(host: str, port: str, way: str) -> None:
    url = MysqlUrl(host=host, port=int(port), user=READER, database=SCHEMA)
    database = MysqlDatabase(url)
    started = time.monotonic()
    if way == "stream":
        with database.stream(LARGE, LIMITS) as stream:
            rows = sum(1 for _ in stream.rows)
    else:
        rows = len(database.query(LARGE, LIMITS).rows)
    seconds = time.monotonic() - started
    print(json.dumps({"rows": rows, "seconds": seconds, "megabytes": _peak_megabytes()}))


if __name__ == "__main__":
    _read(*sys.argv[1:])
