"""Works out what "last year" and its kin mean on a given day, so that no model has to do the arithmetic."""

import re
from collections.abc import Callable
from datetime import date, timedelta

from text2sql.messages import Passage

Period = tuple[date, date]
"""The first day, and the day after the last."""


def explain_time_words(question: str, today: date) -> tuple[Passage, ...]:
    """Return one passage for each relative time that the question names, in its order."""
    found: dict[str, tuple[int, Period]] = {}
    for pattern, resolve in _RULES:
        for match in pattern.finditer(question):
            found.setdefault(match[0].lower(), (match.start(), resolve(match, today)))
    ordered = sorted(found.items(), key=lambda item: item[1][0])
    return tuple(
        Passage(
            source="calendar",
            text=f"{words} means from '{first}' up to and without '{end}'.",
            score=1.0,
        )
        for words, (_, (first, end)) in ordered
    )


def _first_of(unit: str, day: date) -> date:
    """Return the first day of the week (Monday), month, quarter or year around `day`."""
    if unit == "day":
        return day
    if unit == "week":
        return day - timedelta(days=day.weekday())
    if unit == "month":
        return day.replace(day=1)
    if unit == "quarter":
        return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    return day.replace(month=1, day=1)


def _shift(unit: str, day: date, count: int) -> date:
    """Return the day `count` units away; the 31st becomes a shorter month's last day."""
    if unit in {"day", "week"}:
        return day + timedelta(days=count * (7 if unit == "week" else 1))
    months = day.year * 12 + day.month - 1 + count * {"month": 1, "quarter": 3, "year": 12}[unit]
    year, month = divmod(months, 12)
    last = (date(year + month // 11, (month + 1) % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, month + 1, min(day.day, last))


def _this(match: re.Match[str], today: date) -> Period:
    unit = match[1].lower()
    first = _first_of(unit, today)
    return first, _shift(unit, first, 1)


def _last(match: re.Match[str], today: date) -> Period:
    unit = match[1].lower()
    end = _first_of(unit, today)
    return _shift(unit, end, -1), end


def _past(match: re.Match[str], today: date) -> Period:
    count, unit = int(match[1]), match[2].lower()
    end = today + timedelta(days=1)
    return _shift(unit, end, -count), end


def _to_date(match: re.Match[str], today: date) -> Period:
    return _first_of((match[1] or "year").lower(), today), today + timedelta(days=1)


def _single_day(match: re.Match[str], today: date) -> Period:
    day = today if match[0].lower() == "today" else today - timedelta(days=1)
    return day, day + timedelta(days=1)


_UNIT = "(week|month|quarter|year)"
_RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], date], Period]], ...] = tuple(
    (re.compile(rf"\b{pattern}\b", re.IGNORECASE), resolve)
    for pattern, resolve in (
        (rf"(?:this|the current) {_UNIT}", _this),
        (rf"(?:last|(?:the )?previous) {_UNIT}", _last),
        (r"(?:last|past|previous) (\d{1,3}) (day|week|month|quarter|year)s?", _past),
        (rf"{_UNIT} to date", _to_date),
        (r"YTD()", _to_date),
        (r"today|yesterday", _single_day),
    )
)
