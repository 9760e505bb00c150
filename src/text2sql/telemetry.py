"""Records what each step took, and tells whoever listens."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal

from text2sql.errors import Text2SqlError
from text2sql.messages import StepName, StepRecord, Usage

DRAFT_STEPS = frozenset({"GenerateSql", "ValidateSql", "ExecuteSql"})
"""The steps that a draft goes through; a draft that fails in one may go back to the model."""

OnStep = Callable[[StepRecord], None]
"""Called when a step starts and again when it ends, in the thread that runs it."""


class StepLog:
    """The finished steps of one run, in order."""

    def __init__(self, on_step: OnStep | None = None) -> None:
        self._on_step = on_step
        self._started = time.perf_counter()
        self._calls: list[Usage] = []
        self.records: list[StepRecord] = []

    @property
    def usage(self) -> Usage:
        """What all model calls took."""
        return total_usage(self._calls)

    @property
    def seconds(self) -> float:
        """Seconds since the run began."""
        return time.perf_counter() - self._started

    @contextmanager
    def step(self, name: StepName, attempt: int = 1) -> Iterator[None]:
        """Time the block; it counts as failed when an error leaves it."""
        self._tell(StepRecord(step=name, attempt=attempt, status="started"))
        before, started = len(self._calls), time.perf_counter()
        try:
            yield
        except BaseException as error:
            code = error.code if isinstance(error, Text2SqlError) else "INTERNAL_ERROR"
            self._end(name, attempt, started, before, code)
            raise
        self._end(name, attempt, started, before, None)

    def add_usage(self, usage: Usage) -> None:
        """Count a model call to the step that is running."""
        self._calls.append(usage)

    def _end(self, name: StepName, attempt: int, started: float, before: int, code: str | None) -> None:
        calls = self._calls[before:]
        record = StepRecord(
            step=name,
            attempt=attempt,
            status="failed" if code else "succeeded",
            seconds=round(time.perf_counter() - started, 6),
            usage=total_usage(calls) if calls else None,
            code=code,
        )
        self.records.append(record)
        self._tell(record)

    def _tell(self, record: StepRecord) -> None:
        if self._on_step:
            self._on_step(record)


def count_repairs(records: Iterable[StepRecord]) -> int:
    """Return how many drafts failed and went back to the model."""
    drafted = [record for record in records if record.step in DRAFT_STEPS]
    last = max((record.attempt for record in drafted), default=1)
    return len({record.attempt for record in drafted if record.status == "failed" and record.attempt < last})


def total_usage(calls: Sequence[Usage]) -> Usage:
    """Add calls up; one call of unknown cost makes the cost unknown."""
    costs = [call.cost_usd for call in calls if call.cost_usd is not None]
    return Usage(
        model=next((call.model for call in reversed(calls) if call.model), ""),
        prompt_tokens=sum(call.prompt_tokens for call in calls),
        cached_tokens=sum(call.cached_tokens for call in calls),
        completion_tokens=sum(call.completion_tokens for call in calls),
        cost_usd=sum(costs, Decimal(0)) if costs and len(costs) == len(calls) else None,
    )
