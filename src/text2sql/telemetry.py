"""Records what each step took, and tells whoever listens."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal

from text2sql.errors import Text2SqlError
from text2sql.messages import StepName, StepRecord, Usage

OnStep = Callable[[StepRecord], None]
"""Called when a step starts and again when it ends, in the thread that runs it."""


class StepLog:
    """The finished steps of one run, in order."""

    def __init__(self, on_step: OnStep | None = None) -> None:
        self._on_step = on_step
        self._started = time.perf_counter()
        self.records: list[StepRecord] = []
        self.usage = Usage()

    @property
    def seconds(self) -> float:
        """Seconds since the run began."""
        return time.perf_counter() - self._started

    @contextmanager
    def step(self, name: StepName, attempt: int = 1) -> Iterator[None]:
        """Time the block; it counts as failed when an error leaves it."""
        self._tell(StepRecord(step=name, attempt=attempt, status="started"))
        before, started = self.usage, time.perf_counter()
        try:
            yield
        except BaseException as error:
            code = error.code if isinstance(error, Text2SqlError) else "INTERNAL_ERROR"
            self._end(name, attempt, started, before, code)
            raise
        self._end(name, attempt, started, before, None)

    def add_usage(self, usage: Usage) -> None:
        """Count a model call to the step that is running."""
        costs = [cost for cost in (self.usage.cost_usd, usage.cost_usd) if cost is not None]
        self.usage = Usage(
            model=usage.model or self.usage.model,
            prompt_tokens=self.usage.prompt_tokens + usage.prompt_tokens,
            cached_tokens=self.usage.cached_tokens + usage.cached_tokens,
            completion_tokens=self.usage.completion_tokens + usage.completion_tokens,
            cost_usd=sum(costs, Decimal(0)) if costs else None,
        )

    def _end(self, name: StepName, attempt: int, started: float, before: Usage, code: str | None) -> None:
        record = StepRecord(
            step=name,
            attempt=attempt,
            status="failed" if code else "succeeded",
            seconds=round(time.perf_counter() - started, 6),
            usage=None if self.usage is before else _difference(self.usage, before),
            code=code,
        )
        self.records.append(record)
        self._tell(record)

    def _tell(self, record: StepRecord) -> None:
        if self._on_step:
            self._on_step(record)


def _difference(after: Usage, before: Usage) -> Usage:
    cost = after.cost_usd
    return Usage(
        model=after.model,
        prompt_tokens=after.prompt_tokens - before.prompt_tokens,
        cached_tokens=after.cached_tokens - before.cached_tokens,
        completion_tokens=after.completion_tokens - before.completion_tokens,
        cost_usd=None if cost is None else cost - (before.cost_usd or Decimal(0)),
    )
