import json
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from text2sql.answer.json_reply import read_row, reply_json, row_json
from text2sql.messages import Cell, Chart, Failure, Reply, ResultColumn, StepRecord, Usage

KEYS = (
    *("outcome", "question", "read_as", "sql", "columns", "rows", "truncated", "sentence", "certain"),
    *("choices", "chart", "checks", "error", "steps", "usage", "seconds"),
)


def text_of(*cells: Any) -> str:
    columns = tuple(ResultColumn(name=f"c{number}", type="unknown") for number in range(len(cells)))
    reply = Reply(outcome="answered", question="q", sentence="s", columns=columns, rows=(cells,))
    return reply_json(reply)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(outcome="blocked", question="q", sentence="s"),
        Reply(
            outcome="failed",
            question="q",
            sentence="s",
            sql="SELECT 1",
            chart=Chart(type="none", reason="r"),
            error=Failure(code="C", message="m"),
            steps=(StepRecord(step="GenerateSql", attempt=1, status="failed", usage=Usage()),),
            choices=("a", "b"),
        ),
    ],
)
def test_keys_are_those_of_the_reply_and_it_reads_back(reply: Reply) -> None:
    text = reply_json(reply)
    shown = tuple(name for name, field in Reply.model_fields.items() if not field.exclude)
    assert tuple(json.loads(text)) == KEYS == shown
    assert Reply.model_validate_json(text) == reply


@pytest.mark.parametrize(
    ("cell", "literal"),
    [
        (Decimal("1234.50"), "1234.50"),
        (Decimal("12345678901234567890.123456789"), "12345678901234567890.123456789"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1E-200"), "1E-200"),
        (Decimal("NaN"), "null"),
        (Decimal("-0.10"), "-0.10"),
        (9007199254740993, "9007199254740993"),
        (0.1, "0.1"),
        (float("inf"), "null"),
        (True, "true"),
        (None, "null"),
        (b"\x00\xff", '"00ff"'),
        (date(2024, 5, 1), '"2024-05-01"'),
        (datetime(2024, 5, 1, 1, 2, 3), '"2024-05-01T01:02:03"'),  # noqa: DTZ001 — databases give naive times
        (time(1, 2), '"01:02:00"'),
        (timedelta(hours=30), '"30:00:00"'),
        ("Größe 東京 🏕️", '"Größe 東京 🏕️"'),
        ("\x1b[31m\x9b\u202e\ud800", '"\\u001b[31m\\u009b\\u202e\\ud800"'),
        ('"\\\n', '"\\"\\\\\\n"'),
    ],
)
def test_cell_is_written_as(cell: Any, literal: str) -> None:
    text = text_of(cell)
    assert f"\n    [{literal}]\n" in text
    text.encode()
    json.loads(text)


def test_decimal_keeps_its_digits_for_a_reader_that_asks() -> None:
    read = json.loads(text_of(Decimal("0.10"), 2), parse_float=Decimal)
    assert str(read["rows"][0][0]) == "0.10"


def test_a_row_is_a_line() -> None:
    columns = (ResultColumn(name="a", type="number"),)
    reply = Reply(outcome="answered", question="q", sentence="s", columns=columns, rows=((1,), (2,)))
    assert '  "rows": [\n    [1],\n    [2]\n  ],' in reply_json(reply)


@pytest.mark.parametrize(
    "row",
    [
        (1, 2.5, "a\n\u2028b\ud800", None, True),
        (Decimal("1234.50"), Decimal("12345678901234567890.123456789"), 1e300, 5e-324, 0.1),
        (9007199254740993, -(10**60), "-1", "", float("1e22")),
    ],
)
def test_row_is_read_back_and_written_the_same_again(row: tuple[Cell, ...]) -> None:
    text = row_json(row)
    assert "\n" not in text
    assert row_json(read_row(text)) == text
    assert [str(cell) for cell in read_row(text)] == [str(cell) for cell in row]
