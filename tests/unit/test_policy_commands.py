"""The access policy from the command line to the answer, with a scripted model."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from scripted_model import SetModel
from small_shop import write_small_shop
from text2sql import services
from text2sql.cli.main import run
from text2sql.datasource.policy.access import Caller
from text2sql.pipeline import answer
from text2sql.settings import Settings

QUESTION = "What are the customers called?"
NAMES = "```sql\nSELECT name FROM customers ORDER BY name\n```"
POLICY = """
attributes: {segment: text}
groups:
  sales:
    tables:
      customers: {deny: [customer_id], rows: "segment = {caller.segment}"}
"""
AS_SALES = ("--group", "sales", "--attribute", "segment=Corporate")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = write_small_shop(tmp_path / "shop.db")
    monkeypatch.setenv("TEXT2SQL_DATABASE_URL", f"sqlite:///{path}")
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY, "utf-8")
    monkeypatch.setenv("TEXT2SQL_POLICY_FILE", str(policy))
    return path


def test_answer_holds_the_rows_of_the_caller_alone(
    set_model: SetModel, capsys: pytest.CaptureFixture[str]
) -> None:
    model = set_model(NAMES)
    assert run(["ask", "--json", *AS_SALES, QUESTION]) == 0
    reply = json.loads(capsys.readouterr().out)
    assert reply["rows"] == [["Ada"]]
    assert "customers is limited to what you may see." in reply["checks"][0]["detail"]
    told = model.prompts[0].system
    assert "customers" in told
    assert not any(name in told for name in ("orders", "customer_id", "Corporate", "Ada"))


def test_denied_column_is_declined_as_one_that_is_not_there(
    set_model: SetModel, capsys: pytest.CaptureFixture[str]
) -> None:
    model = set_model(*["```sql\nSELECT customer_id FROM customers\n```"] * 3)
    assert run(["ask", *AS_SALES, QUESTION]) == 4
    assert "no column customer_id" in capsys.readouterr().out
    assert "order_id" not in model.prompts[1].turns[-1].text


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ((), 7, "shows you nothing"),
        (("--group", "nobody"), 7, "shows you nothing"),
        (("--group", "sales"), 7, "decides by your segment"),
        (("--group", "sales", "--attribute", "team=x"), 2, "declares no attribute team"),
        (("--policy", "nowhere.yaml", "--group", "sales"), 2, "nowhere.yaml cannot be read"),
    ],
)
def test_caller_who_cannot_be_decided_on_gets_no_answer(
    set_model: SetModel, options: tuple[str, ...], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    model = set_model(NAMES)
    assert run(["ask", *options, QUESTION]) == code
    assert said in "".join(capsys.readouterr()).replace("\n", " ")
    assert model.prompts == []


def test_attribute_of_another_type_is_refused(
    set_model: SetModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    set_model(NAMES)
    (tmp_path / "policy.yaml").write_text("attributes: {level: integer}\ngroups: {}", "utf-8")
    assert run(["ask", "--attribute", "level=secret", QUESTION]) == 2
    err = capsys.readouterr().err
    assert "The attribute level is not usable" in err
    assert "secret" not in err


def test_group_without_a_policy_is_refused(
    set_model: SetModel, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_model(NAMES)
    monkeypatch.delenv("TEXT2SQL_POLICY_FILE")
    assert run(["ask", "--group", "sales", QUESTION]) == 2
    assert "There is no access policy" in capsys.readouterr().err


def test_schema_is_shown_as_the_caller_sees_it(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert shop.exists()
    assert run(["datasource", "show", *AS_SALES]) == 0
    assert capsys.readouterr().out == "CREATE TABLE customers (\n  name TEXT,\n  segment TEXT,\n);\n"


def test_policy_that_the_database_has_left_behind_fails_closed(set_model: SetModel, shop: Path) -> None:
    set_model(NAMES)
    opened = services.open_services(Settings())
    caller = Caller(groups=("sales",), attributes={"segment": "Corporate"})
    with closing(sqlite3.connect(shop)) as connection:
        connection.execute("ALTER TABLE customers RENAME TO clients")
    reply = answer(QUESTION, opened, caller=caller)
    assert reply.error is not None
    assert reply.error.code == "INVALID_POLICY"
    assert "policy.yaml, line 6: the database has no table customers" in reply.error.message
