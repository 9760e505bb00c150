"""Judging questions with a scripted model on SQLite, and how a run ends."""

import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from evaluation_results import result
from scripted_model import ScriptedModel, ScriptedReply, SetModel
from small_shop import write_small_shop
from text2sql.errors import (
    InvalidEvaluation,
    InvalidSettings,
    ModelError,
    ModelNotInstalled,
    ModelTimedOut,
    ModelUnavailable,
)
from text2sql.evaluation import harness, judging
from text2sql.evaluation.asking import ask_all
from text2sql.evaluation.harness import Evaluation, Standing, run_evaluation
from text2sql.evaluation.judging import LeftOpen, judge
from text2sql.evaluation.questions import GoldQuestion
from text2sql.evaluation.results import Excerpt, Result
from text2sql.services import open_services
from text2sql.settings import Settings

GOLD = "SELECT name, segment FROM customers"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # No setting names a scripted model; this provider is not looked for before the first question.
    monkeypatch.setenv("TEXT2SQL_MODEL_PROVIDER", "bedrock")
    return write_small_shop(tmp_path / "shop.db")


def fenced(sql: str) -> str:
    return f"```sql\n{sql}\n```"


def judged(shop: Path, gold: str, *replies: ScriptedReply) -> Result:
    settings = Settings(database_url=f"sqlite:///{shop}", row_limit=judging.ROWS)
    services = replace(open_services(settings), model=ScriptedModel(replies))
    outcome = judge(GoldQuestion("shop", "Who are they?", gold), services, Event(), "small")
    assert isinstance(outcome, Result)
    return outcome


# ── one question ─────────────────────────────────────────────────────────────────────────────────


def test_same_rows_are_right_whatever_the_statement(shop: Path, set_model: SetModel) -> None:
    set_model()
    told = judged(shop, GOLD, fenced("SELECT c.segment AS s, c.name FROM customers AS c ORDER BY 2 DESC"))
    assert (told.correct, told.outcome, told.failure, told.error) == (True, "answered", None, None)
    assert told.sql is not None
    assert "FROM customers AS c" in told.sql
    assert (told.prompt_tokens, told.completion_tokens, told.drafts, told.repairs) == (100, 10, 1, 0)
    assert (told.difficulty, told.config, told.gold_result) == ("medium", "small", None)
    assert told.seconds > 0
    assert told.steps


@pytest.mark.parametrize(
    ("gold", "own", "failure"),
    [
        (GOLD, "SELECT name FROM customers", "wrong_columns"),
        (GOLD, "SELECT name, segment FROM customers WHERE name = 'X'", "empty_or_not"),
        (GOLD, "SELECT name, segment FROM customers WHERE segment IS NOT NULL", "wrong_rows"),
        (
            "SELECT name FROM customers ORDER BY name",
            "SELECT name FROM customers ORDER BY name DESC",
            "wrong_order",
        ),
    ],
)
def test_wrong_rows_are_classed_and_shown(
    gold: str, own: str, failure: str, shop: Path, set_model: SetModel
) -> None:
    set_model()
    told = judged(shop, gold, fenced(own))
    assert (told.correct, told.failure) == (False, failure)
    assert told.gold_result is not None
    assert told.gold_result.rows[0][0] == "Ada"
    assert told.own_result is not None


def test_excerpt_shows_every_digit_and_null(shop: Path, set_model: SetModel) -> None:
    set_model()
    told = judged(shop, "SELECT 1.23456, NULL, 'a' FROM customers", fenced("SELECT 1 FROM customers"))
    assert told.gold_result is not None
    assert told.gold_result.rows[0] == ("1.23456", "NULL", "a")
    assert told.own_result == Excerpt(columns=("1",), rows=(("1",),) * 3, count=3)


def test_last_draft_is_kept_where_none_ran(shop: Path, set_model: SetModel) -> None:
    set_model()
    drafts = [fenced(f"SELECT name FROM customers WHERE {word}(" + "'\ud800')") for word in ("a", "b", "c")]
    told = judged(shop, GOLD, *drafts)
    assert (told.outcome, told.failure, told.correct) == ("failed", "does_not_run", False)
    assert told.sql == "SELECT name FROM customers WHERE c('?')"
    assert (told.drafts, told.repairs) == (3 + 2 + 2, 2)
    assert told.error is not None
    assert told.error.startswith("NO_VALID_SQL: ")
    assert Result.model_validate_json(told.line()).sql == told.sql


@pytest.mark.parametrize(
    ("reply", "outcome", "failure"),
    [
        ("DECLINE: there are no prices", "declined", "declined"),
        ("CLARIFY: Which year? | 2024 | 2025", "clarification_needed", "declined"),
        (ModelTimedOut("slow"), "failed", "timeout"),
        (ModelError("too long"), "failed", "model_error"),
        (ZeroDivisionError(), "failed", "other"),
    ],
)
def test_answer_without_rows_is_not_right(
    reply: ScriptedReply, outcome: str, failure: str, shop: Path, set_model: SetModel
) -> None:
    set_model()
    told = judged(shop, GOLD, reply)
    assert (told.correct, told.outcome, told.failure, told.sql) == (False, outcome, failure, None)


def test_gold_that_does_not_run_is_not_asked_and_not_counted(shop: Path, set_model: SetModel) -> None:
    set_model()
    told = judged(shop, "SELECT nothing FROM nowhere")
    assert (told.outcome, told.correct, told.failure, told.sql) == ("gold_failed", None, "gold_failed", None)
    assert told.gold_error
    assert judged(shop, "DELETE FROM customers").gold_error


def test_gold_with_too_many_rows_is_not_compared(
    shop: Path, set_model: SetModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_model()
    monkeypatch.setattr(judging, "GOLD_LIMITS", judging.GOLD_LIMITS.model_copy(update={"rows": 2}))
    assert judged(shop, GOLD).gold_error == "The gold has more than 2 rows."


# ── a run ────────────────────────────────────────────────────────────────────────────────────────

QUESTIONS = tuple(
    GoldQuestion("shop", f"Question {letter}?", "SELECT name FROM customers") for letter in "abcdefgh"
)
NAMES = fenced("SELECT name FROM customers")


def evaluation(shop: Path, questions: Sequence[GoldQuestion] = QUESTIONS, **changes: object) -> Evaluation:
    url = f"sqlite:///{shop.parent}/{{database}}.db"
    made = Evaluation(tuple(questions), url, Settings(), shop.parent / "out.jsonl")
    return replace(made, **changes)  # type: ignore[arg-type]  # each test names what it changes


def test_run_asks_only_what_the_file_lacks(shop: Path, set_model: SetModel) -> None:
    model = set_model(*[NAMES] * 5)
    first = run_evaluation(evaluation(shop, limit=5))
    assert (len(first.results), len(model.prompts), first.sample) == (5, 5, 5)
    model = set_model(*[NAMES] * 3)
    standings: list[Standing] = []
    whole = run_evaluation(evaluation(shop), standings.append)
    assert (len(whole.results), len(model.prompts)) == (8, 3)
    assert [standing.done for standing in standings] == [5, 6, 7, 8]
    assert standings[-1] == Standing(8, 8, 8)
    set_model()
    assert run_evaluation(evaluation(shop, limit=2)).sample == 2


def test_answer_beyond_the_products_row_limit_is_compared_whole(shop: Path, set_model: SetModel) -> None:
    with closing(sqlite3.connect(shop)) as connection, connection:
        connection.executemany("INSERT INTO orders (order_id) VALUES (?)", [(n,) for n in range(10, 2010)])
    asked = [GoldQuestion("shop", "Which orders?", "SELECT order_id FROM orders")]
    set_model(fenced("SELECT order_id FROM orders ORDER BY 1 DESC"))
    assert run_evaluation(evaluation(shop, asked)).results[0].correct


def test_questions_may_be_asked_at_the_same_time(shop: Path, set_model: SetModel) -> None:
    set_model(*[NAMES] * 8)
    measured = run_evaluation(evaluation(shop, jobs=4))
    assert sum(each.correct is True for each in measured.results) == 8


def test_each_question_goes_to_its_own_database(shop: Path, set_model: SetModel) -> None:
    with closing(sqlite3.connect(shop.parent / "a b?.db")) as connection:
        connection.executescript("CREATE TABLE pets (name TEXT); INSERT INTO pets VALUES ('Rex');")
    asked = [QUESTIONS[0], GoldQuestion("a b?", "Which pets?", "SELECT name FROM pets")]
    set_model(fenced("SELECT name FROM pets"), NAMES)
    measured = run_evaluation(evaluation(shop, asked))
    assert [each.correct for each in measured.results] == [True, True]


def test_outage_leaves_the_question_open_and_the_next_run_asks_it(shop: Path, set_model: SetModel) -> None:
    set_model(NAMES, ModelUnavailable("gone", remedy="Start it."), *[NAMES] * 6)
    measured = run_evaluation(evaluation(shop))
    assert (len(measured.results), [each.why.code for each in measured.left_open]) == (
        7,
        ["MODEL_UNAVAILABLE"],
    )
    set_model(NAMES)
    assert len(run_evaluation(evaluation(shop)).results) == 8


def test_outage_that_lasts_ends_the_run(shop: Path, set_model: SetModel) -> None:
    set_model(*[ModelUnavailable("gone")] * 8)
    measured = run_evaluation(evaluation(shop))
    assert (len(measured.left_open), len(measured.results)) == (harness.OPEN_IN_A_ROW, 0)


def test_database_that_is_missing_says_nothing_of_the_answer(shop: Path, set_model: SetModel) -> None:
    set_model()
    measured = run_evaluation(evaluation(shop, [GoldQuestion("nowhere", "Q?", "SELECT 1")]))
    assert [each.why.code for each in measured.left_open] == ["DATABASE_NOT_FOUND"]


def test_url_without_a_place_for_the_database_serves_one(shop: Path, set_model: SetModel) -> None:
    set_model(NAMES)
    url = f"sqlite:///{shop}"
    assert run_evaluation(evaluation(shop, QUESTIONS[:1], database_url=url)).results
    two = [QUESTIONS[0], GoldQuestion("other", "Q?", "SELECT 1")]
    with pytest.raises(InvalidEvaluation, match="several databases"):
        run_evaluation(evaluation(shop, two, database_url=url))
    with pytest.raises(InvalidSettings):
        run_evaluation(evaluation(shop, database_url="postgres://{database}"))


def test_model_that_is_not_there_is_said_before_anything_is_asked(shop: Path) -> None:
    with pytest.raises(ModelNotInstalled):
        run_evaluation(evaluation(shop, settings=Settings(model_provider="embedded")))


# ── many at once ─────────────────────────────────────────────────────────────────────────────────


def test_error_of_a_thread_is_raised_where_results_are_read() -> None:
    def judge_one(question: GoldQuestion, _cancelled: Event) -> Result:
        if question is QUESTIONS[1]:
            raise LookupError
        return result(question.question)

    with pytest.raises(LookupError):
        list(ask_all(QUESTIONS, judge_one, 1))


def test_stop_cancels_what_is_asked_and_begins_nothing_more() -> None:
    begun: list[GoldQuestion] = []

    def judge_one(question: GoldQuestion, cancelled: Event) -> Result | LeftOpen:
        begun.append(question)
        if question is not QUESTIONS[0]:
            assert cancelled.wait(10)
        return result(question.question)

    before = set(threading.enumerate())
    outcomes = ask_all(QUESTIONS, judge_one, 2)
    next(outcomes)
    outcomes.close()
    assert len(begun) <= 3
    assert set(threading.enumerate()) <= before
