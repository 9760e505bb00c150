"""Where the local cloud keeps its logs, its data, and what runs now."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from local_cloud import REPOSITORY

FOLDER = REPOSITORY / ".cache" / "local-cloud"
_STATE = FOLDER / "state.json"


@dataclass(frozen=True)
class PlatformState:
    """The local cloud that runs."""

    pid: int
    url: str
    """Where its API answers."""


@contextmanager
def hold() -> Iterator[bool]:
    """Tell whether nobody runs a local cloud here, and keep others away as long as the block lasts."""
    descriptor = os.open(FOLDER / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


@contextmanager
def write_state(state: PlatformState) -> Iterator[None]:
    """Tell others what runs, as long as the block lasts."""
    _STATE.write_text(json.dumps(asdict(state)), "utf-8")
    try:
        yield
    finally:
        _STATE.unlink(missing_ok=True)


def read_state() -> PlatformState | None:
    """Return what runs; None where nothing does."""
    if not FOLDER.is_dir():
        return None
    with hold() as free:
        if free or not _STATE.exists():
            return None
    return PlatformState(**json.loads(_STATE.read_text("utf-8")))
