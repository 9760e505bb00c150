"""The page of figures holds what was measured, and nothing else."""

from pathlib import Path

from accuracy_tables import table, times_table

ACCURACY = Path(__file__).parents[2] / "docs" / "accuracy.md"


def test_page_shows_the_table_that_the_kept_results_make() -> None:
    rows = table().splitlines()
    assert rows[2].startswith("| `default` |")
    assert "\n".join(rows) in ACCURACY.read_text("utf-8"), "put in what evals/accuracy_tables.py prints"


def test_page_shows_the_times_of_replies_that_were_asked_for_anew() -> None:
    rows = times_table().splitlines()
    assert len(rows) > 2
    assert "\n".join(rows) in ACCURACY.read_text("utf-8"), "put in what evals/accuracy_tables.py prints"
