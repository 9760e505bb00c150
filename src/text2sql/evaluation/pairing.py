"""Two or more runs of the same questions: what they differ in, and whether that is more than chance."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from text2sql.errors import InvalidEvaluation
from text2sql.evaluation.estimates import Interval, mcnemar, paired_difference, pass_all, pass_at
from text2sql.evaluation.results import Result
from text2sql.evaluation.summary import markdown_table

CHANCE = 0.05
"""A p-value below this counts as a difference."""


@dataclass(frozen=True)
class Pairing:
    """Two runs, question by question; of those that both have and both judged."""

    both: int
    only_a: int
    only_b: int
    neither: int
    left_out: int
    """Questions that one of the two lacks, or could not judge."""

    @property
    def of(self) -> int:
        """How many questions are compared."""
        return self.both + self.only_a + self.only_b + self.neither

    @property
    def difference(self) -> float:
        """The share of B less that of A."""
        return (self.only_b - self.only_a) / self.of

    @property
    def interval(self) -> Interval:
        """The difference's 95 % interval."""
        return paired_difference(self.only_a, self.only_b, self.of)

    @property
    def p(self) -> float:
        """McNemar's exact two-sided p-value."""
        return mcnemar(self.only_a, self.only_b)

    def table(self) -> str:
        """Return the counts and what follows from them."""
        low, high = self.interval
        rows = [
            ("Compared", f"{self.of:,}"),
            ("Left out: in one file only, or not judged", f"{self.left_out:,}"),
            ("Both right", f"{self.both:,}"),
            ("Only A right", f"{self.only_a:,}"),
            ("Only B right", f"{self.only_b:,}"),
            ("Neither right", f"{self.neither:,}"),
            ("A", f"{(self.both + self.only_a) / self.of:.1%}"),
            ("B", f"{(self.both + self.only_b) / self.of:.1%}"),
            ("B less A (95 %, Bonett and Price)", f"{_points(self.difference)} ({_span(low, high)})"),
            ("p (exact McNemar, two-sided)", f"{self.p:.4f}" if self.p >= 1e-4 else "< 0.0001"),  # noqa: PLR2004
        ]
        return markdown_table(("B against A", ""), rows)

    def verdict(self) -> str:
        """Say what may be concluded, and what may not."""
        low, high = self.interval
        if self.p >= CHANCE:
            return (
                "No difference is shown: chance alone could make one like this. "
                f"It does not show that they are equal: these results fit anything from {_span(low, high)}."
            )
        better = "B" if self.only_b > self.only_a else "A"
        return (
            f"{better} is right more often on these questions than chance explains; "
            f"how much more is less sure: B less A is likely from {_span(low, high)}. "
            "Whoever compares many runs finds such a difference now and then where there is none."
        )


def pair(a: Mapping[str, Result], b: Mapping[str, Result]) -> Pairing:
    """Compare two runs by their questions.

    Raises:
        InvalidEvaluation: they have no judged question in common.
    """
    common = _judged_by_all([a, b])
    counts = [(a[key].correct, b[key].correct) for key in common]
    return Pairing(
        both=counts.count((True, True)),
        only_a=counts.count((True, False)),
        only_b=counts.count((False, True)),
        neither=counts.count((False, False)),
        left_out=len(a.keys() | b.keys()) - len(common),
    )


@dataclass(frozen=True)
class Passes:
    """Several runs of the same questions."""

    right: tuple[int, ...]
    """For each question that all runs judged, how many of them are right."""
    runs: int
    left_out: int
    """Questions that one of the runs lacks, or could not judge."""

    def at(self, k: int) -> float:
        """Return the mean over the questions that one of `k` runs is right."""
        return statistics.fmean(pass_at(self.runs, right, k) for right in self.right)

    def all(self, k: int) -> float:
        """Return the mean over the questions that all of `k` runs are right."""
        return statistics.fmean(pass_all(self.runs, right, k) for right in self.right)

    def table(self) -> str:
        """Return both for every k up to the number of runs."""
        rows = [(str(k), f"{self.at(k):.1%}", f"{self.all(k):.1%}") for k in range(1, self.runs + 1)]
        return markdown_table(("k", "pass@k: one of k right", "pass^k: all of k right"), rows)


def passes(runs: Sequence[Mapping[str, Result]]) -> Passes:
    """Count over the runs.

    Raises:
        InvalidEvaluation: they have no judged question in common.
    """
    common = _judged_by_all(runs)
    asked = set[str]().union(*runs)
    right = tuple(sum(run[key].correct is True for run in runs) for key in sorted(common))
    return Passes(right, len(runs), len(asked) - len(common))


def _judged_by_all(runs: Sequence[Mapping[str, Result]]) -> set[str]:
    judged = [{key for key, result in run.items() if result.correct is not None} for run in runs]
    common = set.intersection(*judged)
    if not common:
        raise InvalidEvaluation(
            "The files have no judged question in common.",
            remedy="Name results of the same questions, with the same gold SQL.",
        )
    return common


def _points(difference: float) -> str:
    return f"{100 * difference:+.1f} points"


def _span(low: float, high: float) -> str:
    return f"{100 * low:+.1f} to {100 * high:+.1f} points"
