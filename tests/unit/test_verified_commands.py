"""Verified queries from the knowledge folder to the answer, and the commands that look after them."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from job_store_contract import MANY, answered, job
from scripted_model import SetModel
from small_shop import write_small_shop
from text2sql import services
from text2sql.cli.main import run
from text2sql.jobs.port import Verdict
from text2sql.jobs.sqlite import SqliteJobStore
from text2sql.messages import StepRecord
from text2sql.settings import Settings

QUESTION = "What are the customers called?"
NAMES = "SELECT name FROM customers ORDER BY name"
BY_MODEL = "```sql\nSELECT name FROM customers\n```"
APPROVED = {"approved_by": "Ada", "approved_on": "2026-03-01"}
POLICY = """
attributes: {segment: text}
groups:
  all: {tables: {customers: {}}}
  sales: {tables: {customers: {rows: "segment = {caller.segment}"}}}
"""
AS_SALES = ("--group", "sales", "--attribute", "segment=Consumer")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = write_small_shop(tmp_path / "shop.db")
    monkeypatch.setenv("TEXT2SQL_DATABASE_URL", f"sqlite:///{path}")
    monkeypatch.setenv("TEXT2SQL_KNOWLEDGE_DIR", str(tmp_path))
    return path


def verify(shop: Path, **statements: str) -> None:
    """Approve the statements; their names are the questions, with _ for a space."""
    queries = [
        {"question": question.replace("_", " "), "sql": sql, **APPROVED}
        for question, sql in statements.items()
    ]
    (shop.parent / "verified.yaml").write_text(yaml.safe_dump({"queries": queries}), "utf-8")


def add_policy(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (shop.parent / "policy.yaml").write_text(POLICY, "utf-8")
    monkeypatch.setenv("TEXT2SQL_POLICY_FILE", str(shop.parent / "policy.yaml"))


def ask(capsys: pytest.CaptureFixture[str], question: str, *options: str) -> dict[str, Any]:
    assert run(["ask", "--json", *options, question]) == 0
    reply: dict[str, Any] = json.loads(capsys.readouterr().out)
    return reply


def checks(reply: dict[str, Any]) -> dict[str, str]:
    return {check["name"]: check["detail"] for check in reply["checks"]}


# ── answers ──────────────────────────────────────────────────────────────────────────────────────


def test_question_that_was_verified_is_answered_without_the_model(
    shop: Path, set_model: SetModel, capsys: pytest.CaptureFixture[str]
) -> None:
    verify(shop, What_are_the_customers_called=NAMES)
    model = set_model()
    reply = ask(capsys, "please: what are the CUSTOMERS called?")
    assert model.prompts == []
    assert reply["rows"] == [["Ada"], ["Grace"], ["Linus"]]
    assert reply["certain"]
    assert checks(reply)["verified query"] == "Ada approved it for this question on 2026-03-01."
    assert reply["usage"]["prompt_tokens"] == 0


def test_similar_question_goes_to_the_model_with_the_query_as_an_example(
    shop: Path, set_model: SetModel, capsys: pytest.CaptureFixture[str]
) -> None:
    verify(shop, What_are_the_top_2_customers_called="SELECT name FROM customers LIMIT 2")
    model = set_model(BY_MODEL)
    reply = ask(capsys, "What are the top 3 customers called?")
    example, statement, asked = model.prompts[0].turns
    assert example.text == "What are the top 2 customers called"
    assert statement.text == "```sql\nSELECT name FROM customers LIMIT 2\n```"
    assert asked.text.endswith("What are the top 3 customers called?\n")
    assert "verified query" not in checks(reply)


def test_query_that_fails_gives_way_to_the_model(
    shop: Path, set_model: SetModel, capsys: pytest.CaptureFixture[str]
) -> None:
    # The validator knows no aggregate in WHERE; the database refuses it.
    verify(shop, What_are_the_customers_called="SELECT name FROM customers WHERE COUNT(*) > 1")
    model = set_model(BY_MODEL)
    reply = ask(capsys, QUESTION)
    assert len(model.prompts) == 1
    assert len(reply["rows"]) == 3
    assert "verified query" not in checks(reply)
    steps = [StepRecord.model_validate(step) for step in reply["steps"]]
    assert [step.code for step in steps if step.step == "ExecuteSql"] == ["QUERY_FAILED", None]


def test_query_that_no_longer_fits_is_as_if_it_were_not_there(
    shop: Path, set_model: SetModel, capsys: pytest.CaptureFixture[str]
) -> None:
    verify(shop, What_are_the_customers_called="SELECT full_name FROM customers")
    model = set_model(BY_MODEL)
    ask(capsys, QUESTION)
    assert "full_name" not in model.prompts[0].model_dump_json()


def test_query_answers_a_caller_who_sees_its_tables_in_full(
    shop: Path, set_model: SetModel, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    verify(shop, What_are_the_customers_called=NAMES)
    add_policy(shop, monkeypatch)
    model = set_model()
    assert len(ask(capsys, QUESTION, "--group", "all")["rows"]) == 3
    assert model.prompts == []


@pytest.mark.parametrize("question", [QUESTION, "What are the customers named?"])
def test_query_of_rows_that_a_caller_may_not_see_reaches_neither_model_nor_answer(
    question: str,
    shop: Path,
    set_model: SetModel,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    verify(shop, What_are_the_customers_called="SELECT name FROM customers WHERE name <> 'Ada'")
    add_policy(shop, monkeypatch)
    model = set_model(BY_MODEL)
    reply = ask(capsys, question, *AS_SALES)
    assert reply["rows"] == [["Grace"]]
    assert "Ada" not in model.prompts[0].model_dump_json()
    assert "Ada" not in json.dumps(reply)


# ── the commands ─────────────────────────────────────────────────────────────────────────────────


def test_list_shows_who_approved_what(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    verify(shop, Who_buys=NAMES)
    assert run(["verified", "list"]) == 0
    assert capsys.readouterr().out == "2026-03-01 Ada: Who buys\n"
    assert run(["verified", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "question": "Who buys",
        "sql": NAMES,
        **APPROVED,
        "note": "",
    }


def test_check_passes_where_every_query_runs(
    shop: Path, set_model: SetModel, capsys: pytest.CaptureFixture[str]
) -> None:
    verify(shop, Who_buys=NAMES, Who_bought_last_year=NAMES)
    set_model()
    assert run(["verified", "check"]) == 0
    out, err = capsys.readouterr()
    assert "holds         Who buys\n              3 rows\n" in out
    assert "only an example" in out
    assert err == "2 of 2 verified queries hold.\n"


def test_check_fails_with_the_reason_when_the_schema_has_changed(
    shop: Path, set_model: SetModel, capsys: pytest.CaptureFixture[str]
) -> None:
    verify(shop, Who_buys=NAMES, Which_segments="SELECT segment FROM customers")
    set_model()
    assert run(["verified", "check"]) == 0
    with closing(sqlite3.connect(shop)) as connection:
        connection.execute("ALTER TABLE customers DROP COLUMN segment")
    capsys.readouterr()
    assert run(["verified", "check", "--json"]) == 1
    holds, fails = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert holds == {"question": "Who buys", "standing": "holds", "detail": "3 rows", "sql": NAMES}
    assert fails["standing"] == "does_not_run"
    assert "no column segment" in fails["detail"]
    assert "[UNKNOWN_COLUMN]" in fails["detail"]


def test_check_sees_all_whatever_the_policy_says(
    shop: Path, set_model: SetModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify(shop, How_many_orders="SELECT COUNT(*) FROM orders")
    add_policy(shop, monkeypatch)
    set_model("```sql\nSELECT COUNT(*) FROM orders\n```")
    assert run(["verified", "check", "--model"]) == 0


def test_check_with_the_model_hides_the_query_that_is_asked_for(
    shop: Path, set_model: SetModel, capsys: pytest.CaptureFixture[str]
) -> None:
    verify(shop, What_are_the_customers_called=NAMES, How_many_orders="SELECT COUNT(*) FROM orders")
    model = set_model("```sql\nSELECT name FROM customers ORDER BY 1\n```", "```sql\nSELECT 4\n```")
    assert run(["verified", "check", "--model"]) == 1
    out, err = capsys.readouterr()
    assert NAMES not in model.prompts[0].model_dump_json()
    assert "The model comes to the same rows." in out
    assert "differs       How many orders\n" in out
    assert "wrong_rows. It wrote: SELECT 4" in out
    assert err == "1 of 2 verified queries hold.\n"


def test_check_with_a_model_that_is_out_does_not_pass(
    shop: Path, set_model: SetModel, capsys: pytest.CaptureFixture[str]
) -> None:
    from text2sql.errors import ModelUnavailable

    verify(shop, Who_buys=NAMES)
    set_model(ModelUnavailable("Nobody listens."))
    assert run(["verified", "check", "--model"]) == 1
    assert (
        "open          Who buys\n              Nobody listens. [MODEL_UNAVAILABLE]" in capsys.readouterr().out
    )


def test_proposed_query_that_runs_is_printed_as_an_entry(
    shop: Path, set_model: SetModel, capsys: pytest.CaptureFixture[str]
) -> None:
    set_model()
    assert run(["verified", "propose", "Who buys?", NAMES, "--by", "Eve"]) == 0
    out, err = capsys.readouterr()
    assert err == "3 rows\n"
    (shop.parent / "verified.yaml").write_text(yaml.safe_dump({"queries": yaml.safe_load(out)}), "utf-8")
    assert ask(capsys, "Who buys?")["rows"][0] == ["Ada"]


def test_answers_that_were_called_right_are_proposed_once_and_need_an_approval(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    verify(shop, Who_buys=NAMES)
    store = SqliteJobStore(services.cache_folder(Settings()) / "jobs.sqlite")
    asked = ["Who sells?", "who buys", "Who left?", "and who sells?", "Who is elsewhere?"]
    for number, question in enumerate(asked):
        kept = job(number, question=question)
        if "elsewhere" in question:
            kept = kept.model_copy(
                update={"submission": kept.submission.model_copy(update={"datasource": "other"})}
            )
        store.submit(kept, MANY)
        reply = answered(question)
        store.end(kept.id, reply.model_copy(update={"read_as": "Who SELLS?"}) if number == 3 else reply)
        store.judge(kept.id, Verdict(right="left" not in question))
    store.close()
    assert run(["verified", "proposed"]) == 0
    printed = yaml.safe_load(capsys.readouterr().out)
    assert printed == [{"question": "Who SELLS?", "sql": "select 1"}]
    (shop.parent / "verified.yaml").write_text(yaml.safe_dump({"queries": printed}), "utf-8")
    assert run(["verified", "list"]) == 2
    assert "queries.0.approved_by" in capsys.readouterr().err


def test_proposed_query_that_does_not_run_is_told(
    set_model: SetModel, capsys: pytest.CaptureFixture[str]
) -> None:
    set_model()
    assert run(["verified", "propose", "Who buys?", "SELECT x FROM customers", "--by", "Eve"]) == 1
    assert "There is no column x." in capsys.readouterr().err
    assert run(["verified", "propose", " ", NAMES, "--by", "Eve"]) == 2
