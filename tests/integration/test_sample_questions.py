"""The whole pipeline with the embedded model on ten questions about the sample shop."""

import io
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from text2sql.answer.terminal import render_reply
from text2sql.generation.model_file import is_installed
from text2sql.messages import Cell, Reply
from text2sql.pipeline import Services, answer
from text2sql.services import embedded_server, open_services
from text2sql.settings import Settings

EXAMPLES = Path(__file__).parents[2] / "examples" / "shop"
SHOP = Path(__file__).parents[2] / ".cache" / "shop.sqlite"
QUESTIONS = (
    "top-products-last-year",
    "customer-count",
    "stores-and-cities",
    "dearest-product",
    "staff-per-store",
    "main-return-reason",
    "orders-in-vienna",
    "best-customers",
    "revenue-by-month-2025",
    "top-sellers-2025",
)
FLOOR = 7


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    installed = Settings().cache_dir.expanduser()
    if not is_installed(installed):
        pytest.skip("the embedded model's file is not here; `text2sql model pull` brings it")
    if not SHOP.is_file():
        pytest.skip("the sample shop is not built; `make test` builds it")
    cache = tmp_path_factory.mktemp("cache")
    (cache / "models").symlink_to(installed / "models")
    settings = Settings(
        database_url=f"sqlite:///{SHOP}",
        knowledge_dir=EXAMPLES,
        cache_dir=cache,
        model_provider="embedded",
    )
    yield open_services(settings)
    embedded_server(settings).stop()


def _gold() -> dict[str, dict[str, Any]]:
    listed = yaml.safe_load((EXAMPLES / "questions.yaml").read_text("utf-8"))["questions"]
    return {question["id"]: question for question in listed}


def _comparable(rows: list[tuple[Cell, ...]], *, ordered: bool) -> list[list[str]]:
    """Columns in any order, numbers to 4 decimals, rows as a multiset unless the gold orders them."""
    cells = [
        sorted(f"{value:.4f}" if isinstance(value, int | float) else str(value) for value in row)
        for row in rows
    ]
    return cells if ordered else sorted(cells)


def _is_right(reply: Reply, gold: dict[str, Any]) -> bool:
    if reply.outcome != "answered":
        return False
    with closing(sqlite3.connect(SHOP)) as connection:
        expected = connection.execute(gold["sql"]).fetchall()
    ordered = gold["ordered"]
    return _comparable(list(reply.rows), ordered=ordered) == _comparable(expected, ordered=ordered)


HEADLINE = "top-products-last-year"


@pytest.fixture(scope="module")
def replies(services: Services) -> dict[str, Reply]:
    gold = _gold()
    return {name: answer(gold[name]["question"], services) for name in QUESTIONS}


def test_embedded_model_answers_at_least_seven_of_ten_sample_questions(replies: dict[str, Reply]) -> None:
    gold = _gold()
    wrong = {
        name: reply.sql or reply.sentence
        for name, reply in replies.items()
        if not _is_right(reply, gold[name])
    }
    assert len(QUESTIONS) - len(wrong) >= FLOOR, wrong


def test_headline_question_is_answered_right(replies: dict[str, Reply]) -> None:
    assert _is_right(replies[HEADLINE], _gold()[HEADLINE]), replies[HEADLINE].sql


def test_readme_shows_what_the_command_prints(replies: dict[str, Reply]) -> None:
    readme = (EXAMPLES.parents[1] / "README.md").read_text("utf-8")
    shown = re.search(r"```console\n\$ make ask Q=\"([^\"]+)\"\n(.*?)```", readme, re.DOTALL)
    assert shown
    assert shown[1] == _gold()[HEADLINE]["question"]
    printed = io.StringIO()
    render_reply(replies[HEADLINE], Console(file=printed, width=80))
    assert _without_times(shown[2]) == _without_times(printed.getvalue())


def _without_times(printed: str) -> str:
    return re.sub(r"\d[\d.]* s · model .*", "", printed).strip()
