"""Reproducible chance: the few random draws the generators use, the same on every Python.

Python promises a stable sequence only for ``random()``; every draw here is made from it with
integer arithmetic, so that no version or platform gives other rows.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Generic, TypeVar

T = TypeVar("T")


class Weighted(Generic[T]):
    """Options with whole-number weights, ready to be drawn from."""

    def __init__(self, pairs: Iterable[tuple[T, int]]) -> None:
        kept = [(option, weight) for option, weight in pairs if weight > 0]
        self.options: list[T] = [option for option, _ in kept]
        self.cumulative: list[int] = list(accumulate(weight for _, weight in kept))


class Chance:
    """One stream of draws; each generator owns one, so that a change in one leaves the others."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed).random  # noqa: S311 - invented data, no secret

    def below(self, limit: int) -> int:
        """Return a whole number from 0 to limit - 1."""
        return int(self._random() * limit)

    def between(self, low: int, high: int) -> int:
        """Return a whole number from low to high, both included."""
        return low + int(self._random() * (high - low + 1))

    def happens(self, percent: float) -> bool:
        """Return True in that many of a hundred cases."""
        return self._random() * 100 < percent

    def pick(self, options: Sequence[T]) -> T:
        """Return one option, all equally likely."""
        return options[int(self._random() * len(options))]

    def weighted(self, table: Weighted[T]) -> T:
        """Return one option by weight."""
        return table.options[bisect_right(table.cumulative, self.below(table.cumulative[-1]))]

    def shuffled(self, options: Sequence[T]) -> list[T]:
        """Return the options in a random order."""
        rest = list(options)
        for last in range(len(rest) - 1, 0, -1):
            other = self.below(last + 1)
            rest[last], rest[other] = rest[other], rest[last]
        return rest
