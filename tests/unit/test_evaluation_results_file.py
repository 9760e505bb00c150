import json
from pathlib import Path

import pytest

from evaluation_results import result, wrong
from text2sql.errors import InvalidEvaluation, OutputNotWritten
from text2sql.evaluation.results import read_results
from text2sql.evaluation.results_file import ResultsFile, Run, run_path
from text2sql.settings import Settings

RUN = Run.of("digest", 0, "", Settings())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "results.jsonl"
    with ResultsFile(path, RUN) as file:
        file.add(result("One?"))
        file.add(wrong("Two?", sql="SELECT 'ü\n\u2028'"))
    return path


def questions(path: Path) -> list[str]:
    return [each.question for each in read_results(path).values()]


def test_each_result_is_a_line_of_json(path: Path) -> None:
    first, second = map(json.loads, path.read_text("utf-8").split("\n")[:-1])
    promised = """database question gold sql outcome correct error seconds prompt_tokens completion_tokens
    drafts repairs""".split()
    assert first.keys() >= set(promised)
    assert (first["correct"], second["sql"]) == (True, "SELECT 'ü\n\u2028'")


def test_results_are_read_back_as_they_were_written(path: Path) -> None:
    results = list(read_results(path).values())
    assert results == [result("One?"), wrong("Two?", sql="SELECT 'ü\n\u2028'")]


def test_file_is_taken_up_where_it_ended(path: Path) -> None:
    with ResultsFile(path, RUN) as file:
        assert len(file.results) == 2
        file.add(result("Three?"))
    assert questions(path) == ["One?", "Two?", "Three?"]


@pytest.mark.parametrize("broken", ['{"database": "sh', result("Three?").line().rstrip()])
def test_last_line_that_was_broken_off_is_asked_again(path: Path, broken: str) -> None:
    with path.open("a") as file:
        file.write(broken)
    assert questions(path) == ["One?", "Two?"]
    with ResultsFile(path, RUN) as taken_up:
        taken_up.add(result("Four?"))
    assert questions(path) == ["One?", "Two?", "Four?"]


def test_line_that_is_no_result_is_named(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b'{"database": "shop"}\n')
    for read in (lambda: read_results(path), lambda: ResultsFile(path, RUN)):
        with pytest.raises(InvalidEvaluation, match="line 3, is no result") as caught:
            read()
        assert "Remove that line" in caught.value.remedy


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (Run.of("another", 0, "", Settings()), "questions"),
        (Run.of("digest", 1, "", Settings()), "seed"),
        (Run.of("digest", 0, "votes", Settings()), "config"),
        (Run.of("digest", 0, "", Settings(model_name="other", repairs=0)), "model_name, repairs"),
        (RUN.model_copy(update={"version": "0.0.0"}), "version"),
        (RUN.model_copy(update={"settings": {}}), "model_provider"),
    ],
)
def test_results_of_another_run_are_not_mixed_in(path: Path, other: Run, named: str) -> None:
    before = path.read_bytes()
    with pytest.raises(InvalidEvaluation, match=named) as caught:
        ResultsFile(path, other)
    assert "--out" in caught.value.remedy
    assert path.read_bytes() == before


def test_place_and_secrets_of_a_run_do_not_count_and_are_not_kept(path: Path) -> None:
    settings = Settings(
        database_url="mysql://u:hidden@elsewhere/d",
        database_password="hidden",
        model_api_key="hidden",
        model_base_url="http://u:hidden@elsewhere/v1",
    )
    ResultsFile(path, Run.of("digest", 0, "", settings)).__exit__(None, None, None)
    assert "hidden" not in run_path(path).read_text("utf-8")


@pytest.mark.parametrize("content", [None, "no run"])
def test_results_without_their_run_are_not_taken_up(path: Path, content: str | None) -> None:
    run_path(path).unlink()
    if content:
        run_path(path).write_text(content)
    with pytest.raises(InvalidEvaluation, match=r"results\.jsonl\.run\.json does not say of what run"):
        ResultsFile(path, RUN)


def test_second_process_is_kept_out(path: Path) -> None:
    with ResultsFile(path, RUN), pytest.raises(InvalidEvaluation, match="Another process"):
        ResultsFile(path, RUN)
    ResultsFile(path, RUN).__exit__(None, None, None)


def test_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(OutputNotWritten):
        ResultsFile(tmp_path / "nowhere" / "results.jsonl", RUN)


def test_file_that_is_no_results_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidEvaluation, match="cannot be read"):
        read_results(tmp_path / "nowhere.jsonl")
