"""`text2sql eval` and what stands below it, in process, with a scripted model."""

import io
import json
import sys
from pathlib import Path

import pytest

from evaluation_results import result, wrong
from scripted_model import SetModel
from small_shop import write_small_shop
from text2sql.cli.main import run
from text2sql.errors import ModelUnavailable

ROWS = "\n".join(f"shop,Question {letter}?,SELECT name FROM customers" for letter in "abcd")
NAMES = "```sql\nSELECT name FROM customers\n```"
OTHER = "```sql\nSELECT segment FROM customers\n```"


class FakeTerminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # No setting names a scripted model; this provider is not looked for before the first question.
    monkeypatch.setenv("TEXT2SQL_MODEL_PROVIDER", "bedrock")
    (tmp_path / "questions.csv").write_text(f"database,question,sql\n{ROWS}\n")
    return write_small_shop(tmp_path / "shop.db")


def arguments(shop: Path, *more: str) -> list[str]:
    folder = shop.parent
    return [
        *("eval", "--questions", str(folder / "questions.csv"), "--out", str(folder / "out.jsonl")),
        *("--database-url", f"sqlite:///{folder}/{{database}}.db", *more),
    ]


def write_results(path: Path, marks: str) -> Path:
    kinds = {"+": result, "-": wrong}
    path.write_text("".join(kinds[mark](f"Question {place}?").line() for place, mark in enumerate(marks)))
    return path


def test_questions_are_asked_judged_and_summed_up(
    shop: Path, set_model: SetModel, capsys: pytest.CaptureFixture[str]
) -> None:
    set_model(NAMES, OTHER, NAMES, "DECLINE: no such thing")
    assert run(arguments(shop, "--config", "first", "--report", str(shop.parent / "r.html"))) == 0
    out, err = capsys.readouterr()
    assert "50.0% (15.0% to 85.0%)" in out
    assert "wrong rows" in out
    assert "4 of 4 questions, 2 right" in err
    lines = [json.loads(line) for line in (shop.parent / "out.jsonl").read_text().splitlines()]
    assert [line["correct"] for line in lines] == [True, False, True, False]
    assert lines[3]["sql"] is None
    assert {line["config"] for line in lines} == {"first"}
    assert "questions.csv first" in (shop.parent / "r.html").read_text("utf-8")


def test_sample_is_as_large_as_asked(shop: Path, set_model: SetModel) -> None:
    model = set_model(NAMES, NAMES)
    assert run(arguments(shop, "--limit", "2", "--seed", "7")) == 0
    assert len(model.prompts) == 2


def test_stop_leaves_what_was_judged_and_says_how_to_go_on(
    shop: Path, set_model: SetModel, capsys: pytest.CaptureFixture[str]
) -> None:
    set_model(NAMES, NAMES, KeyboardInterrupt())
    assert run(arguments(shop)) == 130
    assert "the same command goes on from there" in capsys.readouterr().err
    model = set_model(NAMES, NAMES)
    assert run(arguments(shop)) == 0
    assert len(model.prompts) == 2
    assert len((shop.parent / "out.jsonl").read_text().splitlines()) == 4


def test_other_configuration_is_not_mixed_into_a_file(
    shop: Path, set_model: SetModel, capsys: pytest.CaptureFixture[str]
) -> None:
    set_model(*[NAMES] * 4)
    assert run(arguments(shop)) == 0
    assert run(arguments(shop, "--config", "other")) == 2
    assert "what differs: config. [INVALID_EVALUATION]\nGive another --out" in capsys.readouterr().err


def test_open_questions_are_told_with_the_reason(
    shop: Path, set_model: SetModel, capsys: pytest.CaptureFixture[str]
) -> None:
    set_model(NAMES, ModelUnavailable("Nobody answers.", remedy="Start it."), NAMES, NAMES)
    assert run(arguments(shop)) == ModelUnavailable.exit_code
    out, err = capsys.readouterr()
    assert "Questions judged" in out
    assert "1 of 4 questions are open: Nobody answers. [MODEL_UNAVAILABLE]\nStart it.\n" in err


def test_bar_is_shown_on_a_terminal(shop: Path, set_model: SetModel, monkeypatch: pytest.MonkeyPatch) -> None:
    set_model(*[NAMES] * 4)
    terminal = FakeTerminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", terminal)
    assert run(arguments(shop)) == 0
    assert "right" in terminal.getvalue()
    assert "questions, " not in terminal.getvalue()


@pytest.mark.parametrize("missing", ["--questions", "--out", "--database-url"])
def test_missing_option_is_an_error_of_use(missing: str, shop: Path) -> None:
    words = arguments(shop)
    place = words.index(missing)
    assert run(words[:place] + words[place + 2 :]) == 2


def test_options_of_a_run_do_not_stand_before_another_command(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*arguments(shop), "compare", "a", "b"]) == 2
    assert "stand before no other command" in capsys.readouterr().err


def test_two_results_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = write_results(tmp_path / "a", "++--"), write_results(tmp_path / "b", "+++-+")
    assert run(["eval", "compare", str(a), str(b)]) == 0
    out = capsys.readouterr().out
    assert "+25.0 points" in out
    assert "No difference is shown" in out


def test_results_of_other_questions_are_not_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = write_results(tmp_path / "a", "+"), tmp_path / "b"
    b.write_text(result("Another?").line())
    assert run(["eval", "compare", str(a), str(b)]) == 2
    assert "[INVALID_EVALUATION]" in capsys.readouterr().err


def test_passes_of_several_results_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [str(write_results(tmp_path / marks, marks)) for marks in ("++-", "+--")]
    assert run(["eval", "passes", *paths]) == 0
    out = capsys.readouterr().out
    assert "3 questions, 2 runs; 0 left out." in out
    assert "66.7%" in out
    assert "33.3%" in out
