"""What `make bench-accuracy` decides by itself; it asks no model and starts no server here."""

import json
from pathlib import Path

import bench_accuracy
import bench_spiderman
import pytest
from bench_accuracy import figures_of, name_of
from bench_spiderman import split
from click.testing import CliRunner

from evaluation_results import result, unjudged, wrong
from text2sql.evaluation.harness import Evaluation, Measured
from text2sql.evaluation.results import Excerpt
from text2sql.settings import Settings

NAMES = [f"database_{n}" for n in range(41)]


def test_each_database_is_in_one_half_whatever_the_order() -> None:
    halves = split(NAMES)
    assert halves == split(reversed(NAMES))
    assert not halves["tune"] & halves["check"]
    assert halves["tune"] | halves["check"] == set(NAMES)
    assert (len(halves["tune"]), len(halves["check"])) == (20, 21)


def test_what_is_kept_holds_no_text_of_the_questions() -> None:
    rows = Excerpt(columns=("secret column",), rows=(("secret cell",),), count=1)
    fields = {"gold": "secret gold", "sql": "secret sql", "gold_result": rows, "error": "secret error"}
    results = (
        result("secret question"),
        wrong("secret two", database="secret", **fields),
        unjudged("secret"),
    )
    settings = Settings(database_password="secret", model_api_key="secret")
    evaluation = Evaluation((), "mysql://secret@secret/{database}", settings, Path("out.jsonl"))
    kept = figures_of(evaluation, Measured(results, (), 3))
    assert "secret" not in json.dumps(kept)
    assert kept["share"] == {"right": 1, "of": 2}
    assert sorted(kept["right"].values(), key=str) == [False, None, True]


def test_absent_questions_are_the_reason_why_nothing_is_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bench_spiderman, "BENCH", tmp_path)
    done = CliRunner().invoke(bench_accuracy.bench_accuracy, standalone_mode=False)
    assert done.return_value == 0
    assert "Not measured: no questions.csv" in done.stderr


def test_files_of_another_model_or_of_fresh_replies_have_other_names() -> None:
    names = {
        name_of("check", "default", "MySQL", model, fresh=fresh)
        for model in ("embedded", "bedrock anthropic.claude-x:0")
        for fresh in (False, True)
    }
    assert names == {
        "check-default-mysql",
        "check-default-mysql-fresh",
        "check-default-mysql-bedrock-anthropic.claude-x-0",
        "check-default-mysql-bedrock-anthropic.claude-x-0-fresh",
    }
