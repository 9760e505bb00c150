"""Forty of the shared questions, asked of the embedded model on a real server: it must not get worse."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from bench_guard_cases import CasesAbsent
from bench_spiderman import load_for_reader, questions_of, start_server

from text2sql.evaluation.harness import Evaluation, run_evaluation
from text2sql.evaluation.questions import GoldQuestion, sample
from text2sql.evaluation.summary import summarise
from text2sql.generation.model_file import is_installed
from text2sql.services import embedded_server
from text2sql.settings import Settings

QUESTIONS = 40
DATABASES = 8
"""Few: a model that has just read a schema need not read it again."""
SEED = 40
FLOOR = 19
"""The lower end of the interval (95 %) around the 25 of 40 that were right on 2026-11-22."""


@pytest.fixture(scope="module")
def questions() -> tuple[GoldQuestion, ...]:
    try:
        listed = questions_of("check")
    except CasesAbsent as reason:
        pytest.skip(str(reason))
    databases = dict.fromkeys(each.database for each in sorted(listed, key=lambda each: each.key))
    few = list(databases)[:DATABASES]
    return sample([each for each in listed if each.database in few], QUESTIONS, SEED)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    installed = Settings().cache_dir.expanduser()
    if not is_installed(installed):
        pytest.skip("the embedded model's file is not here; `text2sql model pull` brings it")
    cache = tmp_path_factory.mktemp("cache")
    (cache / "models").symlink_to(installed / "models")
    made = Settings(cache_dir=cache, model_provider="embedded", votes=1)  # a vote takes three times as long
    yield made
    embedded_server(made).stop()


def test_share_of_right_answers_is_above_the_floor(
    questions: tuple[GoldQuestion, ...], settings: Settings, tmp_path: Path
) -> None:
    with start_server("slice") as server:
        url = load_for_reader(server, {each.database for each in questions}, lambda _: None)
        measured = run_evaluation(Evaluation(questions, url, settings, tmp_path / "out.jsonl"))
    assert not measured.left_open
    share = summarise(measured.results).share
    assert share.of == QUESTIONS
    assert share.right >= FLOOR, [each.question for each in measured.results if not each.correct]
