import pytest

from evaluation_results import result, unjudged, wrong
from text2sql.errors import InvalidEvaluation
from text2sql.evaluation.pairing import Pairing, pair, passes
from text2sql.evaluation.results import Result


def run_of(marks: str, **fields: str) -> dict[str, Result]:
    """Return results by their marks: + right, - wrong, ? not judged, a space for none."""
    kinds = {"+": result, "-": wrong, "?": unjudged}
    results = [kinds[mark](f"Question {place}?") for place, mark in enumerate(marks) if mark != " "]
    return {each.asked.key: each.model_copy(update=fields) for each in results}


def test_questions_are_paired_and_what_one_lacks_is_left_out() -> None:
    compared = pair(run_of("+++--??+ "), run_of("++--+?+ +"))
    assert compared == Pairing(both=2, only_a=1, only_b=1, neither=1, left_out=4)
    assert compared.of == 5


def test_same_question_with_another_gold_is_another_question() -> None:
    changed = {each.asked.key: each for each in [result(gold="SELECT 2")]}
    with pytest.raises(InvalidEvaluation, match="no judged question in common"):
        pair({each.asked.key: each for each in [result()]}, changed)


def test_small_difference_is_not_called_progress() -> None:
    compared = Pairing(both=60, only_a=3, only_b=5, neither=32, left_out=0)
    assert compared.difference == pytest.approx(0.02)
    assert compared.p == pytest.approx(0.7266, abs=1e-4)
    assert compared.verdict().startswith("No difference is shown")
    assert "does not show that they are equal" in compared.verdict()


@pytest.mark.parametrize(("only_a", "only_b", "better"), [(2, 14, "B"), (14, 2, "A")])
def test_difference_beyond_chance_names_the_better_one(only_a: int, only_b: int, better: str) -> None:
    verdict = Pairing(both=50, only_a=only_a, only_b=only_b, neither=34, left_out=0).verdict()
    assert verdict.startswith(f"{better} is right more often on these questions")
    assert "less sure" in verdict


def test_table_shows_counts_difference_interval_and_p() -> None:
    table = Pairing(both=60, only_a=3, only_b=5, neither=32, left_out=7).table()
    cells = {line.split("|")[1].strip(): line.split("|")[2].strip() for line in table.splitlines()}
    assert cells["Compared"] == "100"
    assert cells["Left out: in one file only, or not judged"] == "7"
    assert (cells["A"], cells["B"]) == ("63.0%", "65.0%")
    assert cells["B less A (95 %, Bonett and Price)"] == "+2.0 points (-4.1 to +8.0 points)"
    assert cells["p (exact McNemar, two-sided)"] == "0.7266"


def test_passes_are_means_over_the_questions_that_all_runs_judged() -> None:
    counted = passes([run_of("++-?"), run_of("+--+"), run_of("+-- ")])
    assert (sorted(counted.right), counted.runs, counted.left_out) == ([0, 1, 3], 3, 1)
    assert counted.at(1) == pytest.approx(4 / 9)
    assert counted.all(1) == pytest.approx(4 / 9)
    assert counted.at(2) == pytest.approx((1 + 2 / 3 + 0) / 3)
    assert counted.all(2) == pytest.approx((1 + 0 + 0) / 3)
    assert counted.table().count("\n") == 4
