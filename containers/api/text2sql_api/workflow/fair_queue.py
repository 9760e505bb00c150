"""Jobs that wait for a worker; each user's turn comes, however many jobs another has."""

from collections import OrderedDict, deque
from threading import Condition


class FairQueue:
    """First in, first out for each owner; one owner after the other."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._waiting: OrderedDict[str, deque[str]] = OrderedDict()
        self._closed = False

    def __len__(self) -> int:
        with self._changed:
            return sum(map(len, self._waiting.values()))

    def put(self, owner: str, job_id: str) -> None:
        """Let a job wait."""
        with self._changed:
            self._waiting.setdefault(owner, deque()).append(job_id)
            self._changed.notify()

    def take(self) -> str | None:
        """Wait for a job and return it; None when the queue is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting)
            if self._closed:
                return None
            owner, jobs = self._waiting.popitem(last=False)
            job_id = jobs.popleft()
            if jobs:
                self._waiting[owner] = jobs  # behind the others
            return job_id

    def close(self) -> None:
        """Let nobody wait any longer; jobs that are left stay in the store."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
