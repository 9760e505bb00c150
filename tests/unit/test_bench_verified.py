"""What the measurement of verified queries counts."""

from pathlib import Path

import bench_spiderman
import pytest
from bench_verified import _measure, bench_verified
from click.testing import CliRunner

from text2sql.evaluation.questions import GoldQuestion
from text2sql.retrieval.verified import WordSimilarity


def test_example_is_right_when_the_statement_has_the_same_form() -> None:
    asked = [
        GoldQuestion("shop", "How many orders are there?", "SELECT COUNT(*) FROM orders"),
        GoldQuestion("shop", "How many orders do we have?", "SELECT COUNT(*) FROM orders"),
        GoldQuestion("shop", "Which city is the largest?", "SELECT city FROM cities LIMIT 1"),
        GoldQuestion("shop", "Name the town with most people", "SELECT city FROM cities LIMIT 1"),
    ]
    found = _measure([asked], WordSimilarity())
    assert (found.questions, found.nearest, found.among) == (4, 2, 2)


def test_absent_questions_are_the_reason_why_nothing_is_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bench_spiderman, "BENCH", tmp_path)
    done = CliRunner().invoke(bench_verified, standalone_mode=False)
    assert done.return_value == 0
    assert "Not measured: no questions.csv" in done.stderr
