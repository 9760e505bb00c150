"""`text2sql serve` as a process of its own, for tests."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx


@dataclass
class Server:
    process: "subprocess.Popen[str]"
    http: httpx.Client
    log: Path

    def ask(self, question: str = "Names?", **headers: str) -> str:
        reply = self.http.post("/v1/queries", json={"question": question}, headers=headers)
        assert reply.status_code == 202, reply.text
        job_id: str = reply.json()["id"]
        return job_id

    def wait_for(self, job_id: str, *, seconds: float = 20) -> dict[str, Any]:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            job: dict[str, Any] = self.http.get(f"/v1/queries/{job_id}").json()
            if job["status"] == "ended":
                return job
            time.sleep(0.02)
        raise AssertionError(job)

    def gauge(self, name: str) -> float:
        found = re.search(rf"^{name} (\S+)$", self.http.get("/metrics").text, re.MULTILINE)
        assert found
        return float(found[1])

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def serving(folder: Path, settings: Mapping[str, str]) -> Iterator[Server]:
    """Lend a server whose log is in the folder; it is killed in the end."""
    log = folder / f"log-{time.monotonic_ns()}"
    command = [sys.executable, "-m", "text2sql", "serve", "--port", "0"]
    with log.open("w") as stream:
        process = subprocess.Popen(command, env={**os.environ, **settings}, stderr=stream, text=True)
    try:
        with httpx.Client(base_url=_address(process, log), timeout=30) as http:
            yield Server(process, http, log)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        process.wait()


def until(holds: Callable[[], bool]) -> None:
    """Return when it holds."""
    for _ in range(500):
        if holds():
            return
        time.sleep(0.02)
    raise AssertionError("it does not come to that")


def _address(process: "subprocess.Popen[str]", log: Path) -> str:
    for _ in range(1000):
        if found := re.search(r"Serving at (http://127.0.0.1:\d+),", log.read_text()):
            return found[1]
        assert process.poll() is None, log.read_text()
        time.sleep(0.02)
    raise AssertionError("the server does not begin")
