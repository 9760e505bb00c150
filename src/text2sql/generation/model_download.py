"""Fetches the embedded model's file from its publisher over HTTP, going on where an earlier try ended."""

import re
from pathlib import Path

import httpx

from text2sql.generation.model_file import ModelFile, OnProgress, Progress

CONNECT_SECONDS = 5.0
READ_SECONDS = 20.0
TRIES = 5
"""How often in a row a connection may break without bringing a byte."""


class SourceFailed(Exception):
    """A source does not give the file; the text says why, in a few words."""


def download(part: Path, file: ModelFile, on_progress: OnProgress) -> None:
    """Complete `part`, which may hold the file's beginning; its digest is for the caller to check.

    Raises:
        SourceFailed: the server cannot be reached, or has another file.
        OSError: the disk.
    """
    limits = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
    try:
        with httpx.Client(timeout=limits, follow_redirects=True) as client:
            _download(client, part, file, on_progress)
    except httpx.ConnectError as error:
        raise SourceFailed("no connection") from error
    except httpx.TimeoutException as error:
        raise SourceFailed("no answer in time") from error
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise SourceFailed("the transfer broke off") from error


def _download(client: httpx.Client, part: Path, file: ModelFile, on_progress: OnProgress) -> None:
    fruitless = 0
    while (arrived := _size(part)) != file.size:
        try:
            _transfer(client, part, file, on_progress)
        except (httpx.ReadError, httpx.RemoteProtocolError, httpx.ReadTimeout):
            fruitless = fruitless + 1 if _size(part) <= arrived else 0
            if fruitless >= TRIES:
                raise


def _transfer(client: httpx.Client, part: Path, file: ModelFile, on_progress: OnProgress) -> None:
    """Do one request and add what it brings to `part`."""
    arrived = _size(part)
    if arrived > file.size:
        part.unlink()
        arrived = 0
    headers = {"Accept-Encoding": "identity"}
    if arrived:
        headers["Range"] = f"bytes={arrived}-"
    with client.stream("GET", file.url, headers=headers) as response:
        _check(response, arrived, file)
        done = arrived if response.status_code == httpx.codes.PARTIAL_CONTENT else 0
        with part.open("ab" if done else "wb") as written:
            for chunk in response.iter_raw():
                done += len(chunk)
                if done > file.size:
                    raise SourceFailed("it has a longer file")
                written.write(chunk)
                on_progress(Progress(doing="downloading", done=done, total=file.size, source="Hugging Face"))
    if done < file.size:
        raise httpx.RemoteProtocolError("the body ended early")


def _check(response: httpx.Response, arrived: int, file: ModelFile) -> None:
    """Refuse another file before a gigabyte of it has come."""
    if response.status_code == httpx.codes.PARTIAL_CONTENT:
        found = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
        if not found or (int(found[1]), int(found[2])) != (arrived, file.size):
            raise SourceFailed("it has another file")
    elif response.status_code != httpx.codes.OK:
        raise SourceFailed(f"HTTP {response.status_code}")
    elif response.headers.get("Content-Length", str(file.size)) != str(file.size):
        raise SourceFailed("it has another file")
    for answer in (*response.history, response):
        # Hugging Face names a large file's SHA-256 here.
        linked = answer.headers.get("X-Linked-Etag", "").strip('"')
        if linked and linked != file.sha256:
            raise SourceFailed("it has another file")


def _size(part: Path) -> int:
    return part.stat().st_size if part.is_file() else 0
