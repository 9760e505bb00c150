"""What the results of an evaluation come to, counted, and as tables in Markdown."""

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import get_args

from text2sql.evaluation.estimates import Interval, wilson
from text2sql.evaluation.gold_form import Difficulty
from text2sql.evaluation.results import FailureClass, Result
from text2sql.messages import StepName

FAILURES: dict[FailureClass, str] = {
    "does_not_run": "does not run",
    "wrong_columns": "wrong number of columns",
    "empty_or_not": "rows where none belong, or none",
    "wrong_rows": "wrong rows",
    "wrong_order": "right rows in the wrong order",
    "declined": "declined, asked back or blocked",
    "timeout": "too slow, the model or the query",
    "model_error": "the model refused",
    "other": "something else broke",
    "gold_failed": "the gold itself failed: not counted",
}
"""The classes in words for people."""

_ASK_THE_MODEL: tuple[StepName, ...] = ("RewriteQuestion", "GenerateSql")


@dataclass(frozen=True)
class Share:
    """How many are right of those that were judged."""

    right: int
    of: int

    @property
    def interval(self) -> Interval:
        """The Wilson interval (95 %)."""
        return wilson(self.right, self.of)

    @classmethod
    def of_results(cls, results: Iterable[Result]) -> "Share":
        """Count those that are judged."""
        judged = [result.correct for result in results if result.correct is not None]
        return cls(sum(judged), len(judged))

    def __str__(self) -> str:
        if not self.of:
            return "none"
        low, high = self.interval
        return f"{self.right / self.of:.1%} ({low:.1%} to {high:.1%})"


@dataclass(frozen=True)
class Summary:
    """The figures of some results; medians and sums are of the judged ones."""

    share: Share
    certain: Share
    """Of the answers that were shown as certain."""
    by_difficulty: dict[Difficulty, Share]
    failures: dict[FailureClass, int]
    ran: int
    """How many ended with rows, or with the certainty that there are none."""
    declined: int
    failed: int
    prompt_tokens: float
    completion_tokens: float
    seconds: float
    seconds_without_model: float
    """Of all steps but those that ask the model."""
    cost_usd: float | None
    """None where the price of any is not known."""
    drafts: float
    """The mean."""
    repaired: int
    """How many needed a repair."""


def summarise(results: Sequence[Result]) -> Summary:
    """Count the results."""
    judged = [result for result in results if result.correct is not None]
    costs = [result.cost_usd for result in judged]
    known = [cost for cost in costs if cost is not None]
    levels = {
        level: Share.of_results(result for result in judged if result.difficulty == level)
        for level in get_args(Difficulty)
    }
    classes = Counter(result.failure for result in results)
    outcomes = Counter(result.outcome for result in judged)
    return Summary(
        share=Share.of_results(judged),
        certain=Share.of_results(result for result in judged if result.certain),
        by_difficulty={level: share for level, share in levels.items() if share.of},
        failures={name: classes[name] for name in FAILURES if classes[name]},
        ran=outcomes["answered"],
        declined=outcomes["declined"] + outcomes["clarification_needed"] + outcomes["blocked"],
        failed=outcomes["failed"],
        prompt_tokens=_median(result.prompt_tokens for result in judged),
        completion_tokens=_median(result.completion_tokens for result in judged),
        seconds=_median(result.seconds for result in judged),
        seconds_without_model=_median(map(_seconds_without_model, judged)),
        cost_usd=sum(known) if known and len(known) == len(costs) else None,
        drafts=statistics.fmean(result.drafts for result in judged) if judged else 0.0,
        repaired=sum(result.repairs > 0 for result in judged),
    )


def figures(summary: Summary) -> list[tuple[str, str]]:
    """Return each figure's name and text, in the order in which they are shown."""
    share = summary.share
    cost = "not known" if summary.cost_usd is None else f"${summary.cost_usd:,.4f}"
    return [
        ("Questions judged", f"{share.of:,}"),
        ("Right", f"{share.right:,}"),
        ("Execution accuracy (95 % Wilson)", str(share)),
        ("Shown as certain", _part(summary.certain.of, share.of)),
        ("Right of those", str(summary.certain)),
        ("Statements that run", _part(summary.ran, share.of)),
        ("Declined, asked back or blocked", _part(summary.declined, share.of)),
        ("Failed", _part(summary.failed, share.of)),
        ("Prompt tokens, median", f"{summary.prompt_tokens:,.0f}"),
        ("Completion tokens, median", f"{summary.completion_tokens:,.0f}"),
        ("Seconds, median", f"{summary.seconds:,.2f}"),
        ("Seconds without the model, median", f"{summary.seconds_without_model:,.3f}"),
        ("Cost", cost),
        ("Drafts, mean", f"{summary.drafts:.2f}"),
        ("Questions with a repair", _part(summary.repaired, share.of)),
    ]


def summary_tables(summary: Summary) -> str:
    """Return the figures, the share by difficulty, and the misses by class."""
    tables = [markdown_table(("Figure", "Value"), figures(summary))]
    levels = [(level, f"{share.of:,}", str(share)) for level, share in summary.by_difficulty.items()]
    if levels:
        tables.append(markdown_table(("Difficulty", "Questions", "Execution accuracy (95 % Wilson)"), levels))
    misses = [(FAILURES[name], f"{count:,}") for name, count in summary.failures.items()]
    if misses:
        tables.append(markdown_table(("Not right because", "Questions"), misses))
    return "\n\n".join(tables)


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table that also reads well as text: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        first, *others = zip(cells, widths, strict=True)
        return (
            f"| {first[0]:<{first[1]}} | " + " | ".join(f"{text:>{width}}" for text, width in others) + " |"
        )

    rule = "|".join(["-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])])
    return "\n".join([line(header), f"|{rule}|", *map(line, rows)])


def _median(values: Iterable[float]) -> float:
    listed = list(values)
    return statistics.median(listed) if listed else 0.0


def _seconds_without_model(result: Result) -> float:
    return sum(record.seconds for record in result.steps if record.step not in _ASK_THE_MODEL)


def _part(count: int, of: int) -> str:
    return f"{count:,} ({count / of:.1%})" if of else "0"
