"""The shop's calendar: the days the data covers, and how busy each day is."""

from __future__ import annotations

from datetime import date

FIRST_DAY = date(2023, 1, 1)
AS_OF = date(2026, 6, 30)

LAST = AS_OF.toordinal()
FIRST = FIRST_DAY.toordinal()
# A day that never comes: not discontinued, not lapsed, not delivered.
NEVER = LAST + 10_000

ORDERS_PER_DAY = 43
MONTH_WEIGHT = (78, 70, 82, 90, 104, 112, 108, 96, 92, 98, 140, 170)
WEEKDAY_WEIGHT = (90, 88, 92, 98, 112, 120, 100)
YEAR_WEIGHT = {2023: 84, 2024: 95, 2025: 109, 2026: 117}

SEASON_WEIGHT = {
    "summer": (40, 50, 80, 120, 170, 200, 190, 150, 90, 50, 40, 50),
    "winter": (150, 120, 80, 60, 50, 40, 40, 50, 90, 150, 190, 200),
    "gift": (70, 75, 80, 85, 90, 90, 85, 85, 90, 100, 170, 210),
    "steady": (100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100),
}
TREND_WEIGHT = {
    "growing": {2023: 70, 2024: 90, 2025: 112, 2026: 125},
    "steady": {2023: 100, 2024: 100, 2025: 100, 2026: 100},
    "shrinking": {2023: 125, 2024: 110, 2025: 93, 2026: 84},
}


def iso(day: int) -> str:
    """Return a day number (proleptic Gregorian ordinal) as YYYY-MM-DD."""
    return date.fromordinal(day).isoformat()


def ordinal(text: str) -> int:
    """Return the day number of a YYYY-MM-DD text."""
    return date.fromisoformat(text).toordinal()


def day_weight(day: date) -> int:
    """Return how busy a day is, in millionths of an average day."""
    return MONTH_WEIGHT[day.month - 1] * WEEKDAY_WEIGHT[day.weekday()] * YEAR_WEIGHT[day.year]
