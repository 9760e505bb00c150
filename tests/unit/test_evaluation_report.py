import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from evaluation_results import result, unjudged, wrong
from text2sql.errors import OutputNotWritten
from text2sql.evaluation.report import render_report, write_report
from text2sql.evaluation.results import Excerpt
from text2sql.messages import StepRecord

HOSTILE = "<script>alert('1')</script>\"&"
MISS = wrong(
    f"Who? {HOSTILE}",
    database=HOSTILE,
    gold=f"SELECT '{HOSTILE}'",
    sql=f"SELECT 2 /* {HOSTILE} */",
    error=f"NO_VALID_SQL: {HOSTILE}",
    gold_result=Excerpt(columns=(HOSTILE,), rows=((HOSTILE,), ("Ada",)), count=1234),
    own_result=Excerpt(columns=("n",), rows=(), count=0),
    steps=(
        StepRecord(step="GenerateSql", attempt=1, status="failed", seconds=1.5, code="REPLY_UNUSABLE"),
        StepRecord(step="GenerateSql", attempt=2, status="succeeded", seconds=0.25),
    ),
)


class Page(HTMLParser):
    """Which elements and what text a page has; it must be nested as it should."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(page)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes += attrs
        if tag != "meta":
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_nothing_of_a_result_becomes_markup() -> None:
    page = Page(render_report([MISS], HOSTILE))
    assert "script" not in page.names
    assert page.text.count(HOSTILE) == 9


def test_page_needs_nothing_from_elsewhere() -> None:
    text = render_report([MISS], "Report")
    page = Page(text)
    assert {name for name, _ in page.attributes} <= set(
        "class content href http-equiv id lang name charset".split()
    )
    assert [value for name, value in page.attributes if name == "href"] == ["#wrong_rows"]
    assert "url(" not in text
    assert "@import" not in text
    assert "prefers-color-scheme: dark" in text


def test_miss_is_shown_with_both_statements_their_rows_and_the_steps() -> None:
    text = Page(render_report([MISS], "Report")).text
    assert text.index("SELECT '") < text.index("SELECT 2")
    assert "2 of 1,234 rows" in text
    assert "no rows" in text
    assert "GenerateSql (REPLY_UNUSABLE) 1.50 s → GenerateSql 2 0.25 s" in text


def test_misses_are_grouped_by_class_and_right_answers_left_out() -> None:
    results = [
        result("Right?"),
        wrong("Slow?", failure="timeout", outcome="failed", sql=None),
        unjudged("Unknown?"),
        MISS,
    ]
    text = render_report(results, "Report")
    assert "Right?" not in text
    assert re.findall(r'<h2 id="(\w+)">', text) == ["wrong_rows", "timeout", "gold_failed"]
    assert "(no statement)" in text


def test_page_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    write_report(tmp_path / "r.html", [MISS], "Report")
    assert (tmp_path / "r.html").read_text("utf-8").startswith("<!doctype html>")
    with pytest.raises(OutputNotWritten):
        write_report(tmp_path, [MISS], "Report")
