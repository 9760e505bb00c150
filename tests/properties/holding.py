"""Holds a property against generated cases: the same ones in every test, new ones in a fuzz run."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

T = TypeVar("T")

FUZZING_TESTS = 8
"""How many tests share the seconds of a fuzz run."""


class TookTooLong(Exception):
    """More processor time than the property allows."""


def hold(check: Callable[[T], None], cases: st.SearchStrategy[T], examples: int) -> None:
    """Check so many cases; with FUZZ_SECONDS set, fresh ones until this test's share of them is over."""
    seconds = float(os.environ.get("FUZZ_SECONDS", "0")) / FUZZING_TESTS
    end = time.monotonic() + seconds
    setting = settings(
        max_examples=examples,
        derandomize=not seconds,
        database=None,
        deadline=None,  # a busy machine is no bug; `within` counts processor time
        suppress_health_check=list(HealthCheck),
    )
    checked = setting(given(cases)(check))
    checked()
    while time.monotonic() < end:
        checked()


@contextmanager
def untraced() -> Iterator[None]:
    """Let a clock count the work alone, without what is traced to measure coverage."""
    trace = sys.gettrace()
    sys.settrace(None)
    try:
        yield
    finally:
        sys.settrace(trace)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Interrupt what takes more processor time than this.

    Raises:
        TookTooLong: it did.
    """

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise TookTooLong(f"more than {seconds:g} s")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        with untraced():
            yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
