from datetime import date

import pytest

from text2sql.retrieval.time_words import explain_time_words

TODAY = date(2026, 6, 30)


@pytest.mark.parametrize(
    ("words", "today", "first", "end"),
    [
        ("last year", TODAY, "2025-01-01", "2026-01-01"),
        ("this year", TODAY, "2026-01-01", "2027-01-01"),
        ("last month", TODAY, "2026-05-01", "2026-06-01"),
        ("last month", date(2026, 1, 31), "2025-12-01", "2026-01-01"),
        ("the current quarter", TODAY, "2026-04-01", "2026-07-01"),
        ("previous quarter", date(2026, 2, 1), "2025-10-01", "2026-01-01"),
        ("this week", TODAY, "2026-06-29", "2026-07-06"),
        ("last week", TODAY, "2026-06-22", "2026-06-29"),
        ("past 30 days", TODAY, "2026-06-01", "2026-07-01"),
        ("last 2 years", TODAY, "2024-07-01", "2026-07-01"),
        ("last 3 months", date(2026, 5, 30), "2026-02-28", "2026-05-31"),
        ("last 1 year", date(2024, 2, 28), "2023-02-28", "2024-02-29"),
        ("year to date", TODAY, "2026-01-01", "2026-07-01"),
        ("month to date", TODAY, "2026-06-01", "2026-07-01"),
        ("YTD", TODAY, "2026-01-01", "2026-07-01"),
        ("today", TODAY, "2026-06-30", "2026-07-01"),
        ("Yesterday", date(2026, 1, 1), "2025-12-31", "2026-01-01"),
    ],
)
def test_relative_time_becomes_first_day_and_day_after(words: str, today: date, first: str, end: str) -> None:
    (passage,) = explain_time_words(f"How many orders were placed {words}?", today)
    assert passage.text == f"{words.lower()} means from '{first}' up to and without '{end}'."


def test_each_time_is_told_once_in_the_order_of_the_question() -> None:
    passages = explain_time_words("Last month against this month, and last month by store", TODAY)
    assert [passage.text.split(" means")[0] for passage in passages] == ["last month", "this month"]


@pytest.mark.parametrize("question", ["Which orders came last?", "Sales by year", "The 2025 budget", ""])
def test_question_without_relative_time_gets_nothing(question: str) -> None:
    assert explain_time_words(question, TODAY) == ()
