import io
import re
from decimal import Decimal
from typing import Any

import pytest
from rich.console import Console

from text2sql.answer.terminal import render_reply
from text2sql.messages import Chart, Check, Failure, Reply, ResultColumn, StepRecord, Usage

HOSTILE = "[red]x[/red] [link=https://example.invalid]y[/link] \x1b[31mz\x1b[0m :smile:\r\nnext \u202eb"
COLUMNS = (ResultColumn(name="name", type="text"), ResultColumn(name="revenue", type="number"))


def answered(rows: Any = (("Ann", Decimal("1234.50")), ("Bob", None)), **changes: Any) -> Reply:
    given: dict[str, Any] = {
        "outcome": "answered",
        "question": "q",
        "sql": "SELECT name\n  FROM t",
        "columns": COLUMNS,
        "rows": tuple(rows),
        "sentence": "Two names.",
        "chart": Chart(type="bar", x="name", y=("revenue",), reason="r"),
        "checks": (
            Check(name="complete", passed=True, detail="All."),
            Check(name="repairs", passed=False, detail="One."),
        ),
        "steps": (
            StepRecord(step="GenerateSql", attempt=1, status="started"),
            StepRecord(step="GenerateSql", attempt=1, status="failed", seconds=1.5),
            StepRecord(step="GenerateSql", attempt=2, status="succeeded", seconds=1.0),
            StepRecord(step="ExecuteSql", attempt=2, status="succeeded", seconds=9.0),
        ),
        "usage": Usage(prompt_tokens=1200, completion_tokens=34, cost_usd=Decimal("0.00123")),
        "seconds": 3.44,
        **changes,
    }
    return Reply(**given)


def show(reply: Reply, width: int = 80, max_rows: int = 20, encoding: str = "utf-8", **options: Any) -> str:
    buffer = io.BytesIO()
    stream = io.TextIOWrapper(buffer, encoding=encoding, newline="")
    options.setdefault("_environ", {})
    render_reply(reply, Console(file=stream, width=width, **options), max_rows)
    stream.flush()
    return buffer.getvalue().decode(encoding)


def test_follow_up_begins_with_the_whole_question_that_it_was_read_as() -> None:
    text = show(answered(read_as="Which names\nin Berlin?"))
    assert text.splitlines()[:2] == ["Read as: Which names in Berlin?", "Two names."]
    assert "Read as" not in show(answered())


def test_answer_in_a_pipe_is_plain_text_in_order() -> None:
    text = show(answered())
    assert "\x1b" not in text
    assert text.splitlines() == [
        "Two names.",
        "",
        "name   revenue",
        "──────────────",
        "Ann   1,234.50",
        "Bob       null",
        "",
        "revenue",
        "Ann  " + "█" * 65 + "  1,234.50"[:10],
        "Bob  null",
        "",
        "SQL",
        "SELECT name",
        "  FROM t",
        "",
        "Why trust it",
        "✓ complete — All.",
        "✗ repairs — One.",
        "",
        "3.4 s · model 2.5 s · 1,234 tokens · $0.0012 · 1 repair",
    ]


def test_terminal_gets_styles() -> None:
    text = show(answered(), force_terminal=True, color_system="standard")
    assert "\x1b[1mTwo names.\x1b[0m" in text
    assert "\x1b[2mnull\x1b[0m" in text
    assert re.search(r"\x1b\[[\d;]+mSELECT", text)


def test_no_color_leaves_no_color() -> None:
    text = show(answered(), force_terminal=True, color_system="standard", _environ={"NO_COLOR": "1"})
    codes = {int(code) for codes in re.findall(r"\x1b\[([\d;]+)m", text) for code in codes.split(";")}
    assert codes <= {0, 1, 2, 3, 4}


def test_dumb_terminal_gets_no_color() -> None:
    text = show(answered(), force_terminal=True, color_system="auto", _environ={"TERM": "dumb"})
    assert "\x1b[3" not in text


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize("outcome", ["answered", "clarification_needed", "failed"])
def test_hostile_text_is_shown_and_not_obeyed(outcome: Any, *, terminal: bool) -> None:
    reply = answered(
        [(HOSTILE, 1), ("b", 2)],
        outcome=outcome,
        sql=f"SELECT '{HOSTILE}'",
        sentence=HOSTILE,
        columns=(ResultColumn(name="[b]n[/b]\x1b[7m", type="text"), COLUMNS[1]),
        checks=(Check(name=HOSTILE, passed=True, detail=HOSTILE),),
        choices=(HOSTILE,),
        read_as=HOSTILE,
        error=Failure(code="X", message=HOSTILE, remedy=HOSTILE) if outcome == "failed" else None,
    )
    text = show(reply, width=200, force_terminal=terminal, color_system="standard" if terminal else None)
    plain = re.sub(r"\x1b\[[\d;]*m", "", text)
    assert "[red]x[/red] [link=https://example.invalid]y[/link]" in plain
    assert ":smile:" in plain
    assert "\x1b]8" not in text
    assert "\x1b[31mz" not in text
    assert "\u202e" not in text
    assert "\r" not in text
    if not terminal:
        assert "\x1b" not in text


def test_long_result_is_cut_and_says_how_much_is_left() -> None:
    rows = [(f"n{number}", number) for number in range(33)]
    assert "… and 13 more rows\n" in show(answered(rows))
    assert "… and 1 more row, and the database has more\n" in show(answered(rows[:21], truncated=True))
    assert "… and the database has more rows\n" in show(answered(rows[:3], truncated=True))
    assert "n20" not in show(answered(rows))


@pytest.mark.parametrize("width", [40, 60, 100])
def test_table_fits_the_width_with_whole_numbers(width: int) -> None:
    rows = [("東京" * 40, Decimal("123456789.12")), ("x" * 3000, Decimal("-1.5"))]
    lines = show(answered(rows, sql=None, checks=(), chart=None), width=width).splitlines()
    assert any("123,456,789.12" in line for line in lines)
    assert any("…" in line for line in lines)
    assert all(len(line) + line.count("東") + line.count("京") <= width for line in lines[:6])


def test_too_many_columns_become_records() -> None:
    columns = tuple(ResultColumn(name=f"number_{number}", type="number") for number in range(9))
    rows = [tuple(range(10**8, 10**8 + 9))] * 2
    text = show(answered(rows, columns=columns, chart=None), width=40)
    assert "number_8  100,000,008" in text
    assert "-" * 20 in text


def test_identifiers_and_years_are_not_grouped() -> None:
    columns = (ResultColumn(name="order_id", type="number"), ResultColumn(name="year", type="number"))
    text = show(answered([(12345, 2024), (12346, 2023)], columns=columns, chart=None))
    assert "12345  2024" in text


def test_bars_show_size_sign_and_gaps() -> None:
    rows = [("a", 10), ("b", -5), ("c", None), ("d", Decimal("0.001")), ("e", 0), ("f", float("nan"))]
    lines = show(answered(rows), width=34).splitlines()
    bars = {line.split()[0]: line.split()[1:] for line in lines[lines.index("revenue") + 1 :][:6]}
    assert bars["a"] == ["█" * 17, "10"]
    assert bars["b"] == ["░" * 8, "-5"]
    assert bars["c"] == ["null"]
    assert bars["d"][0] == "▌"
    assert bars["e"] == ["0"]
    assert bars["f"] == ["not", "a", "number"]


@pytest.mark.parametrize(
    ("rows", "chart", "width"),
    [
        ([("a", 1)], Chart(type="bar", x="name", y=("revenue",), reason="r"), 80),
        ([("a", 1)] * 31, Chart(type="bar", x="name", y=("revenue",), reason="r"), 80),
        ([("a", 0)] * 3, Chart(type="bar", x="name", y=("revenue",), reason="r"), 80),
        ([("a", 1)] * 3, Chart(type="scatter", x="name", y=("revenue",), reason="r"), 80),
        ([("a", 1)] * 3, Chart(type="bar", x="gone", y=("revenue",), reason="r"), 80),
        ([("a", 10**9)] * 3, Chart(type="bar", x="name", y=("revenue",), reason="r"), 21),
        ([("a", 1)] * 3, None, 80),
    ],
)
def test_bars_are_left_out_where_they_say_nothing(rows: Any, chart: Any, width: int) -> None:
    assert "█" not in show(answered(rows, chart=chart), width=width)


def test_long_labels_of_bars_are_cut() -> None:
    assert "n" * 9 + "…  █" in show(answered([("n" * 50, 1), ("b", 1)]), width=32)


def test_encoding_without_symbols_gets_letters() -> None:
    text = show(answered([("Ann …", 1), ("Größe 東", 2)]), encoding="ascii")
    assert "+ complete - All." in text
    assert "x repairs - One." in text
    assert "###" in text
    assert "Gr??e ?" in text
    show(answered([("Größe 東", 2)] * 2), encoding="latin-1")


def test_answer_without_rows_shows_no_table() -> None:
    text = show(answered([], chart=None, checks=(), sql=None, steps=(), usage=Usage()))
    assert text.splitlines() == ["Two names.", "", "3.4 s · model 0.0 s · 0 tokens · 0 repairs"]


def test_choices_are_numbered() -> None:
    reply = Reply(
        outcome="clarification_needed", question="q", sentence="Which date?", choices=("order", "ship")
    )
    assert show(reply).splitlines() == ["Which date?", "  1. order", "  2. ship"]


def test_failure_shows_code_and_remedy() -> None:
    error = Failure(code="DATABASE_UNAVAILABLE", message="It is away.", remedy="Start it.")
    reply = Reply(outcome="failed", question="q", sentence="It is away.", error=error)
    assert show(reply).splitlines() == ["It is away.", "", "Error DATABASE_UNAVAILABLE", "Start it."]
    other = reply.model_copy(update={"sentence": "No answer."})
    assert show(other).splitlines() == [
        "No answer.",
        "",
        "Error DATABASE_UNAVAILABLE",
        "It is away.",
        "Start it.",
    ]
