"""`text2sql check`, in process: one statement for a person, JSON lines for a program."""

import io
import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from small_shop import write_small_shop
from text2sql.cli.check import REJECTED
from text2sql.cli.main import run

CONTEXTS = {"c1": {"shop.customers": {"name": "varchar", "city": "varchar"}}, "c2": {"other.t": {"a": "int"}}}


@pytest.fixture
def contexts(tmp_path: Path) -> Path:
    path = tmp_path / "contexts.json"
    path.write_text(json.dumps(CONTEXTS))
    return path


def check_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], lines: list[str], *options: str
) -> list[dict[str, Any]]:
    class Input:
        buffer = io.BytesIO("\n".join(lines).encode("utf-8", "surrogatepass"))

    monkeypatch.setattr(sys, "stdin", Input())
    assert run(["check", "--dialect", "mysql", *options]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def case(sql: str, **fields: object) -> str:
    return json.dumps({"id": sql, "sql": sql, **fields})


def test_each_line_is_answered_in_order(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], contexts: Path
) -> None:
    lines = [
        case("SELECT name FROM customers", ctx="c1", db="shop"),
        case("SELECT name FROM SHOP.customers", ctx="c1", db="shop"),
        case("SELECT name FROM customers"),
        case("SELECT a FROM other.t", ctx="c2", db="shop"),
        case("SELECT a FROM t", ctx="c2", db="shop"),
        case("DROP TABLE customers", ctx="c1", db="shop", tier="whatever else the line holds"),
    ]
    answers = check_lines(monkeypatch, capsys, lines, "--contexts", str(contexts))
    assert [answer["id"] for answer in answers] == [json.loads(line)["id"] for line in lines]
    assert [(answer["verdict"], answer["code"]) for answer in answers] == [
        ("accepted", None),
        ("accepted", None),
        ("rejected", "UNKNOWN_TABLE"),
        ("accepted", None),
        ("rejected", "UNKNOWN_TABLE"),
        ("rejected", "NOT_A_SELECT"),
    ]
    assert set(answers[0]) == {"id", "verdict", "code", "reason", "sql"}
    assert answers[0]["sql"].split() == "SELECT name FROM customers LIMIT 1001".split()
    assert answers[3]["sql"].split() == "SELECT a FROM other.t LIMIT 1001".split()
    assert answers[5]["sql"] is None
    assert "DROP" in answers[5]["reason"]


@pytest.mark.parametrize(
    ("line", "kept_id"),
    [
        ("nothing", None),
        ("[1, 2]", None),
        ('{"id": 7}', 7),
        ('{"id": 7, "sql": 5}', 7),
        ('{"id": 7, "sql": "SELECT 1", "ctx": "none"}', 7),
        (r'{"id": 7, "sql": "SELECT \ud800"}', 7),
        ("[" * 100_000, None),
    ],
    ids=["prose", "list", "no statement", "number", "no context", "half a character", "100,000 levels"],
)
def test_line_that_is_no_statement_is_rejected_and_the_next_is_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str, kept_id: object
) -> None:
    answers = check_lines(monkeypatch, capsys, [line, "", case("SELECT 1")])
    assert [answer["verdict"] for answer in answers] == ["rejected", "accepted"]
    assert (answers[0]["code"], answers[0]["id"]) == ("INVALID_LINE", kept_id)


def test_statement_of_10_mb_is_refused_in_milliseconds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    line = case("SELECT " + "(" * 10_000_000)
    started = time.monotonic()
    (answer,) = check_lines(monkeypatch, capsys, [line])
    assert answer["code"] == "STATEMENT_TOO_LARGE"
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("content", ["no json", '{"c": 5}', '{"c": {"t": {"a": 1}}}', "[" * 100_000])
def test_contexts_that_are_none_are_refused_with_a_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    path = tmp_path / "contexts.json"
    path.write_text(content)
    assert run(["check", "--dialect", "mysql", "--contexts", str(path)]) == 2
    assert "schema.table" in capsys.readouterr().err


def test_missing_contexts_file_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--dialect", "mysql", "--contexts", str(tmp_path / "none.json")]) == 2
    assert "none.json" in capsys.readouterr().err


def test_one_statement_is_shown_as_it_would_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"sqlite:///{write_small_shop(tmp_path / 'shop.db')}"
    assert run(["check", "--database", url, "select NAME from Customers -- all"]) == 0
    printed = capsys.readouterr()
    assert printed.out.split() == "SELECT NAME FROM customers AS Customers LIMIT 1001".split()
    assert "accepted" in printed.err
    assert "At most 1,000 rows" in printed.err


def test_refused_statement_has_its_reason_and_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{write_small_shop(tmp_path / 'shop.db')}"
    assert run(["check", "--database", url, "DELETE FROM customers"]) == REJECTED
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "[NOT_A_SELECT]" in printed.err


def test_neither_statement_nor_dialect_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check"]) == 2
    assert "--dialect" in capsys.readouterr().err


def test_statement_is_checked_as_a_caller_with_a_policy_may_run_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{write_small_shop(tmp_path / 'shop.db')}"
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        "attributes: {segment: text}\n"
        "groups: {sales: {tables: {customers: {deny: [name], rows: 'segment = {caller.segment}'}}}}\n"
    )
    caller = ["--policy", str(policy), "--group", "sales", "--attribute", "segment=it's"]
    assert run(["check", "--database", url, *caller, "SELECT * FROM customers"]) == 0
    assert "segment =" in capsys.readouterr().out
    assert run(["check", "--database", url, *caller, "SELECT name FROM customers"]) == REJECTED
    assert "[UNKNOWN_COLUMN]" in capsys.readouterr().err
    assert run(["check", "--database", url, "--policy", str(policy), "SELECT 1"]) == 7
    assert "[ACCESS_DENIED]" in capsys.readouterr().err
