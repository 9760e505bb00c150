"""Prints the table of docs/accuracy.md from what `make bench-accuracy` keeps in evals/results.

A test holds the page to it, so that no figure there is older than its file.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from accuracy_configs import CONFIGS

from text2sql.evaluation.estimates import mcnemar, paired_difference, wilson

RESULTS = Path(__file__).resolve().parent / "results"
HEADER = (
    "| `--config` | right | points more than `default` | statements that run | certain | right of those"
    " | seconds | drafts | prompt tokens |"
)


def table(half: str = "check", server: str = "mysql") -> str:
    """Return a row for each configuration that was measured; intervals are at 95 %, seconds medians."""
    measured = {
        config: json.loads(path.read_text("utf-8"))
        for config in CONFIGS
        if (path := RESULTS / f"accuracy-{half}-{config}-{server}.json").exists()
    }
    rule = "|---" + "|--:" * (HEADER.count("|") - 2) + "|"
    rows = [_row(config, figures, measured["default"]) for config, figures in measured.items()]
    return "\n".join([HEADER, rule, *rows])


def times_table(half: str = "check", server: str = "mysql") -> str:
    """Return a row for each configuration whose replies were all asked for anew; seconds are medians."""
    rows = ["| `--fresh --config` | questions | right | drafts | seconds |", "|---|--:|--:|--:|--:|"]
    for config in CONFIGS:
        path = RESULTS / f"accuracy-{half}-{config}-{server}-fresh.json"
        if path.exists():
            figures = json.loads(path.read_text("utf-8"))
            share = figures["share"]
            cells = (share["of"], share["right"], f"{figures['drafts']:.1f}", f"{figures['seconds']:.1f}")
            rows.append(f"| `{config}` | {' | '.join(map(str, cells))} |")
    return "\n".join(rows)


def _row(config: str, figures: Mapping[str, Any], default: Mapping[str, Any]) -> str:
    share, certain, ran = figures["share"], figures["certain"], figures["ran"]
    cells = (
        f"`{config}`",
        _share(share["right"], share["of"]),
        "" if figures is default else _difference(default["right"], figures["right"]),
        f"{ran} of {share['of']}",
        f"{certain['of']}",
        _share(certain["right"], certain["of"]) if certain["of"] else "",
        f"{figures['seconds']:.1f}",
        f"{figures['drafts']:.1f}",
        f"{figures['prompt_tokens']:,.0f}",
    )
    return f"| {' | '.join(cells)} |"


def _share(right: int, of: int) -> str:
    low, high = wilson(right, of)
    return f"{right} of {of}: {right / of:.1%} ({low * 100:.1f} to {high * 100:.1f})"


def _difference(default: Mapping[str, bool | None], other: Mapping[str, bool | None]) -> str:
    """Return the paired difference over the questions that both were judged on."""
    pairs = [
        (before, after)
        for key, before in default.items()
        if before is not None and (after := other.get(key)) is not None
    ]
    lost, won = pairs.count((True, False)), pairs.count((False, True))
    low, high = paired_difference(lost, won, len(pairs))
    return (
        f"{(won - lost) / len(pairs) * 100:+.1f} ({low * 100:+.1f} to {high * 100:+.1f}),"
        f" p = {mcnemar(lost, won):.2g}"
    )


@click.command()
@click.option("--half", default="check")
@click.option("--server", default="mysql")
def accuracy_tables(half: str, server: str) -> None:
    """Print it."""
    click.echo(table(half, server))
    click.echo()
    click.echo(times_table(half, server))


if __name__ == "__main__":
    accuracy_tables()
