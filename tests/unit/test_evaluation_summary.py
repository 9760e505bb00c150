import pytest

from evaluation_results import result, unjudged, wrong
from text2sql.evaluation.summary import figures, summarise, summary_tables
from text2sql.messages import StepRecord

RESULTS = [
    result("1", seconds=1.0, prompt_tokens=100, cost_usd=0.25, certain=True),
    result("2", seconds=3.0, prompt_tokens=300, cost_usd=0.5, difficulty="hard", drafts=2, repairs=1),
    wrong("3", seconds=9.0, prompt_tokens=200, cost_usd=0.25, difficulty="hard", certain=True),
    wrong("4", outcome="declined", failure="declined", seconds=2.0, cost_usd=0.0, drafts=3, repairs=2),
    wrong("5", outcome="failed", failure="does_not_run", seconds=2.0, cost_usd=0.0),
    unjudged("6"),
]


def test_figures_are_of_the_judged_questions() -> None:
    assert dict(figures(summarise(RESULTS))) == {
        "Questions judged": "5",
        "Right": "2",
        "Execution accuracy (95 % Wilson)": "40.0% (11.8% to 76.9%)",
        "Shown as certain": "2 (40.0%)",
        "Right of those": "50.0% (9.5% to 90.5%)",
        "Statements that run": "3 (60.0%)",
        "Declined, asked back or blocked": "1 (20.0%)",
        "Failed": "1 (20.0%)",
        "Prompt tokens, median": "100",
        "Completion tokens, median": "10",
        "Seconds, median": "2.00",
        "Seconds without the model, median": "0.000",
        "Cost": "$1.0000",
        "Drafts, mean": "1.60",
        "Questions with a repair": "2 (40.0%)",
    }


def test_misses_and_shares_are_counted_by_class_and_difficulty() -> None:
    summary = summarise(RESULTS)
    assert summary.failures == {"wrong_rows": 1, "declined": 1, "does_not_run": 1, "gold_failed": 1}
    shares = {level: (share.right, share.of) for level, share in summary.by_difficulty.items()}
    assert shares == {"easy": (1, 3), "hard": (1, 2)}
    assert "the gold itself failed: not counted" in summary_tables(summary)


def test_steps_that_ask_the_model_are_left_out_of_the_time_without_it() -> None:
    steps = (
        StepRecord(step="RetrieveContext", attempt=1, status="succeeded", seconds=0.25),
        StepRecord(step="GenerateSql", attempt=1, status="succeeded", seconds=4.0),
        StepRecord(step="ExecuteSql", attempt=1, status="succeeded", seconds=0.5),
    )
    assert summarise([result("1", steps=steps)]).seconds_without_model == 0.75


def test_one_cost_that_is_not_known_makes_the_sum_unknown() -> None:
    assert summarise([*RESULTS, result("7")]).cost_usd is None
    assert summarise(RESULTS).cost_usd == pytest.approx(1.0)


def test_nothing_judged_has_no_share() -> None:
    for results in ([], [unjudged()]):
        assert dict(figures(summarise(results)))["Execution accuracy (95 % Wilson)"] == "none"


def test_tables_are_markdown_whose_columns_stand_below_each_other() -> None:
    for table in summary_tables(summarise(RESULTS)).split("\n\n"):
        lines = table.splitlines()
        assert {len(line) for line in lines} == {len(lines[0])}
        assert lines[1].startswith("|--")
