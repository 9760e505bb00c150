"""Starts `make up` as another process, and asks it as its first user does, over HTTP."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

from people import USERS, header_file
from platform_folder import FOLDER, PlatformState, read_state

START_SECONDS = 120.0
STOP_SECONDS = 30.0
ANSWER_SECONDS = 180.0
SYNC_SECONDS = 10.0
"""A document must be used by questions within this time after its upload."""
LONGEST_PAUSE = 1.0
"""Between two looks; a user may send 600 requests a minute."""


class LocalCloudFailed(Exception):
    """The local cloud does not do what it should; the text says what."""


@contextmanager
def running_platform() -> Iterator[PlatformState]:
    """Start the local cloud, lend it, and stop it as Ctrl-C does.

    Raises:
        LocalCloudFailed: it runs already, does not start, or does not stop cleanly.
    """
    if read_state():
        raise LocalCloudFailed("it runs already; `make down` stops it")
    command = [sys.executable, Path(__file__).with_name("up.py")]
    with subprocess.Popen(command, start_new_session=True) as up:
        try:
            yield _wait_until_up(up)
        finally:
            code = _stop(up)
    if code or read_state():
        raise LocalCloudFailed(f"it did not stop cleanly: exit code {code}")


class LocalClient:
    """The first user, signed in; a context manager."""

    def __init__(self, state: PlatformState) -> None:
        name, _, value = header_file(FOLDER, USERS[0]).read_text("utf-8").strip().partition(": ")
        self._http = httpx.Client(base_url=state.url, headers={name: value}, timeout=30, trust_env=False)

    def __enter__(self) -> "LocalClient":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def ask(self, question: str) -> dict[str, Any]:
        """Return the question's job once it has ended; may be called by several threads.

        Raises:
            LocalCloudFailed: it is not accepted, or does not end.
        """
        accepted = self._http.post("/v1/queries", json={"question": question})
        if accepted.status_code != httpx.codes.ACCEPTED:
            raise LocalCloudFailed(f"it answers {accepted.status_code} {accepted.text}")
        end, pause = time.monotonic() + ANSWER_SECONDS, 0.1
        while time.monotonic() < end:
            job: dict[str, Any] = self._http.get(accepted.headers["Location"]).raise_for_status().json()
            if job["status"] == "ended":
                return job
            time.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE)
        raise LocalCloudFailed("the question does not end")

    def upload(self, name: str, content: str) -> float:
        """Put a document into the datasource; return after how many seconds it was indexed.

        Raises:
            LocalCloudFailed: it is not accepted, not indexed in time, or cannot be used.
        """
        began = time.monotonic()
        opened = self._http.post(self._documents, json={"name": name, "size": len(content.encode())})
        if opened.status_code != httpx.codes.CREATED:
            raise LocalCloudFailed(f"the upload is answered {opened.status_code} {opened.text}")
        form = opened.json()
        sent = httpx.post(form["url"], data=form["fields"], files={"file": content}, trust_env=False)
        if not sent.is_success:
            raise LocalCloudFailed(f"S3 answers the upload {sent.status_code} {sent.text}")
        while time.monotonic() - began < SYNC_SECONDS:
            listed = self._http.get(self._documents).raise_for_status().json()["documents"]
            (state,) = [document for document in listed if document["name"] == name]
            if state["state"] == "failed":
                raise LocalCloudFailed(f"{name} cannot be used: {state['problem']}")
            if state["state"] == "indexed":
                return time.monotonic() - began
            time.sleep(0.2)
        raise LocalCloudFailed(f"{name} was not indexed within {SYNC_SECONDS} s")

    def delete(self, name: str) -> None:
        """Delete a document, and wait until a sync has forgotten it.

        Raises:
            LocalCloudFailed: it is not forgotten in time.
        """
        before = self._syncs()
        self._http.delete(f"{self._documents}/{name}").raise_for_status()
        end = time.monotonic() + SYNC_SECONDS
        while self._syncs() == before:
            if time.monotonic() > end:
                raise LocalCloudFailed(f"no sync forgot {name} within {SYNC_SECONDS} s")
            time.sleep(0.2)

    def _syncs(self) -> int:
        """Return how many documents all syncs so far have removed."""
        syncs = self._http.get(f"{self._documents}/syncs").raise_for_status().json()["syncs"]
        return sum(sync["removed"] for sync in syncs)

    @cached_property
    def _documents(self) -> str:
        (datasource,) = self._http.get("/v1/datasources").raise_for_status().json()["datasources"]
        return f"/v1/datasources/{datasource['id']}/documents"


def _stop(up: "subprocess.Popen[bytes]") -> int:
    up.terminate()
    try:
        return up.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        up.kill()
        return up.wait()


def _wait_until_up(up: "subprocess.Popen[bytes]") -> PlatformState:
    end = time.monotonic() + START_SECONDS
    while (state := read_state()) is None:
        if up.poll() is not None or time.monotonic() > end:
            raise LocalCloudFailed("it did not start")
        time.sleep(0.1)
    return state
