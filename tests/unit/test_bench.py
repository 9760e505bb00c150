import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

EVALS = Path(__file__).resolve().parents[2] / "evals"


@pytest.fixture(scope="module")
def bench_figures() -> ModuleType:
    """The module, imported as the script `evals/bench.py` does."""
    sys.path.insert(0, str(EVALS))
    try:
        return importlib.import_module("bench_figures")
    finally:
        sys.path.remove(str(EVALS))


def test_median_of_an_even_number_of_runs_lies_between_the_middle_two(bench_figures: ModuleType) -> None:
    assert bench_figures.Figure("f", "s", (4.0, 1.0, 2.0, 90.0)).median == 3.0


@pytest.mark.parametrize(("bar", "met"), [(3.1, True), (3.0, False), (2.9, False), (None, None)])
def test_bar_is_met_only_by_a_median_below_it(
    bench_figures: ModuleType, bar: float | None, met: bool | None
) -> None:
    assert bench_figures.Figure("f", "s", (1.0, 3.0, 9.0), bar=bar).met is met


def test_table_shows_unit_spread_and_verdict_of_each_figure(bench_figures: ModuleType) -> None:
    figures = [
        bench_figures.Figure("Overhead", "ms", (4.26, 1.0, 15.04), bar=15),
        bench_figures.Figure("Answer", "s", (31.0, 24.0, 29.555), bar=25),
        bench_figures.Figure("Memory", "MB", (1234.5,)),
    ]
    assert bench_figures.figures_table(figures).splitlines()[2:] == [
        "| Overhead | < 15 ms | 4.3 ms | 1.0 to 15.0 ms | 3 | yes |",
        "| Answer | < 25 s | 29.55 s | 24.00 to 31.00 s | 3 | **no** |",
        "| Memory |  | 1,234 MB | 1,234 to 1,234 MB | 1 |  |",
    ]


def test_machine_is_told_without_its_name(bench_figures: ModuleType) -> None:
    told = "\n".join(bench_figures.machine_lines())
    assert "Processor: " in told
    assert "Load average: " in told
    assert bench_figures.platform.node() not in told.split()
