"""Lets coroutines wait for what threads do to a job."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock


class Listener:
    """One who waits; `Changes` of the port."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()

    async def wait(self, seconds: float) -> None:
        """Return at the next change, or at once where there was one since the last call."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        self._changed.clear()

    def tell(self) -> None:
        """Wake the one who waits; from any thread."""
        with suppress(RuntimeError):  # its event loop has ended
            self._loop.call_soon_threadsafe(self._changed.set)


class Board:
    """Who listens to which job."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._listeners: dict[str, set[Listener]] = {}

    @contextmanager
    def watch(self, job_id: str) -> Iterator[Listener]:
        """Listen for as long as the block lasts."""
        listener = Listener()
        with self._lock:
            self._listeners.setdefault(job_id, set()).add(listener)
        try:
            yield listener
        finally:
            with self._lock:
                self._listeners[job_id].discard(listener)
                if not self._listeners[job_id]:
                    del self._listeners[job_id]

    def tell(self, job_id: str) -> None:
        """Wake all who listen to the job."""
        with self._lock:
            listeners = tuple(self._listeners.get(job_id, ()))
        for listener in listeners:
            listener.tell()
