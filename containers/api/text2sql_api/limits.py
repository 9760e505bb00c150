"""How much one user may ask of the API at once: requests by a token bucket, event streams by their number."""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from text2sql_api.errors import RateLimited

STREAMS = 10
"""Event streams that a user may have open."""
MAX_BUCKETS = 10_000


class RequestLimiter:
    """A bucket for each user that fills evenly; a minute's requests may also come at once."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._size = float(per_minute)
        self._per_second = per_minute / 60
        self._clock = clock
        self._lock = Lock()
        self._buckets: dict[str, tuple[float, float]] = {}
        """By user: what is left, and when that was."""

    def take(self, subject: str) -> None:
        """Count one request.

        Raises:
            RateLimited: the bucket is empty.
        """
        with self._lock:
            now = self._clock()
            left, at = self._buckets.pop(subject, (self._size, now))
            left = min(self._size, left + (now - at) * self._per_second)
            allowed = left >= 1
            self._buckets[subject] = (left - 1 if allowed else left, now)
            if len(self._buckets) > MAX_BUCKETS:  # whoever has been quiet longest has a full one anyway
                del self._buckets[next(iter(self._buckets))]
        if not allowed:
            wait = math.ceil((1 - left) / self._per_second)
            raise RateLimited(
                "You have made too many requests.",
                remedy=f"Wait {wait} s.",
                headers={"Retry-After": str(wait)},
            )


class StreamLimiter:
    """Counts the event streams that are open."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()

    @property
    def count(self) -> int:
        """How many there are."""
        return self._open.total()

    def refuse_another(self, subject: str) -> None:
        """Make sure that the user may open another stream.

        Raises:
            RateLimited: there are too many already.
        """
        if self._open[subject] >= STREAMS:
            raise RateLimited(f"You have {STREAMS} event streams open.", remedy="Close one.")

    @contextmanager
    def stream(self, subject: str) -> Iterator[None]:
        """Count one stream for as long as the block lasts; on the event loop only."""
        self._open[subject] += 1
        try:
            yield
        finally:
            self._open[subject] -= 1
            if not self._open[subject]:
                del self._open[subject]
