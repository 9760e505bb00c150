"""A measured figure, and the text in which figures and the machine are printed; nothing is measured here."""

import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from text2sql import __version__
from text2sql.generation.cpu_cores import usable_cores
from text2sql.settings import Settings

_DECIMALS = {"ms": 1, "s": 2, "MB": 0}


class MeasurementFailed(Exception):
    """What should be measured did not work; the message says what and how."""


def model_of(settings: Settings) -> str:
    """Return which model the settings name."""
    return f"{settings.model_provider} {settings.model_name}".strip()


@dataclass(frozen=True)
class Figure:
    """What was measured, run by run."""

    name: str
    unit: Literal["ms", "s", "MB"]
    runs: tuple[float, ...]
    bar: float | None = None
    """The median must be below it; None where nothing is promised."""

    @property
    def median(self) -> float:
        """The middle run."""
        return statistics.median(self.runs)

    @property
    def met(self) -> bool | None:
        """Whether the bar is met; None where there is none."""
        return None if self.bar is None else self.median < self.bar


def figures_table(figures: Sequence[Figure]) -> str:
    """Return a Markdown table with a row for each figure."""
    rows = ["| Figure | Bar | Median | Min to max | Runs | Met |", "|---|--:|--:|--:|--:|---|"]
    for figure in figures:
        bar = "" if figure.bar is None else f"< {figure.bar:g} {figure.unit}"
        spread = f"{_number(figure, min(figure.runs))} to {_number(figure, max(figure.runs))} {figure.unit}"
        met = {True: "yes", False: "**no**", None: ""}[figure.met]
        median = f"{_number(figure, figure.median)} {figure.unit}"
        rows.append(f"| {figure.name} | {bar} | {median} | {spread} | {len(figure.runs)} | {met} |")
    return "\n".join(rows)


def machine_lines() -> list[str]:
    """Say on what, with what and when the figures are measured."""
    return [
        f"Processor: {_processor()}, {platform.machine()}, {usable_cores()} cores usable",
        f"Memory: {_memory()}",
        f"System: {_system()}",
        f"Python: {platform.python_implementation()} {platform.python_version()}",
        f"text2sql: {__version__}",
        f"Date: {datetime.now(UTC).date()}",
        f"Load average: {load_average()}",
    ]


def load_average() -> str:
    """Return how many processes wanted to run in the last 1, 5 and 15 minutes."""
    return " ".join(f"{load:.2f}" for load in os.getloadavg())


def _number(figure: Figure, value: float) -> str:
    return f"{value:,.{_DECIMALS[figure.unit]}f}"


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or "unknown"


def _memory() -> str:
    try:
        size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return "unknown"
    return f"{size / 1e9:.1f} GB"


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return f"{platform.system()} {platform.release()}"
