import random
import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from text2sql.answer.cell_text import flatten, format_cell, format_number
from text2sql.answer.columns import readable_name, view_result
from text2sql.answer.sentence import compose_sentence, count_rows
from text2sql.messages import ResultColumn, ResultSet

D = Decimal
SUMMED = "SELECT name, SUM(amount) FROM products GROUP BY name"


def result(names: str, rows: list[tuple[Any, ...]], *, truncated: bool = False) -> ResultSet:
    columns = tuple(ResultColumn(name=name, type="unknown") for name in names.split("|"))
    return ResultSet(columns=columns, rows=tuple(rows), truncated=truncated)


def say(
    names: str,
    rows: list[tuple[Any, ...]],
    sql: str = "SELECT name FROM products",
    *,
    truncated: bool = False,
) -> str:
    return compose_sentence("Which products sold best?", result(names, rows, truncated=truncated), sql)


FIVE = [
    ("Trailhead 40L Backpack", D("12345.00")),
    ("Alpine Rope", D("11000.00")),
    ("Camp Stove", D("10500.00")),
    ("Head Lamp", D("10000.00")),
    ("Summit Tent", D("9876.00")),
]


@pytest.mark.parametrize(
    ("names", "rows", "sentence"),
    [
        ("name", [], "No rows match."),
        ("COUNT(*)", [(42,)], "The count is 42."),
        ("total_revenue", [(D("1234.50"),)], "The total revenue is 1,234.50."),
        ("MAX(price)", [(None,)], "There is no value: the highest price is null."),
        ("a * b", [(5,)], "The result is 5."),
        ("is_active", [(True,)], "The is active is true."),
        ("first_year", [(2019,)], "The first year is 2019."),
        ("name|revenue|orders", [("Ann", D("12.00"), 3)], "Ann: revenue 12.00; orders 3."),
        ("low|high", [(1, None)], "One row: low 1; high no value."),
        (
            "name|a|b|c|d|e|f|g|h",
            [("Ann", 1, 2, 3, 4, 5, 6, 7, 8)],
            "Ann: a 1; b 2; c 3; d 4; e 5; f 6; and two more columns.",
        ),
        (
            "product_name|revenue",
            FIVE,
            (
                "Five products: Trailhead 40L Backpack leads with a revenue of 12,345.00; "
                "Summit Tent is fifth with 9,876.00."
            ),
        ),
        ("city|orders", [("Rome", 9), ("Oslo", 9), ("Bern", 1)],
         "Three cities: Rome and one more have the highest orders, 9; Bern the lowest, 1."),
        ("city|orders", [("Rome", 9), ("Oslo", 2), ("Bern", 5), ("Kiel", 1)],
         "Four cities: Rome has the highest orders, 9; Kiel the lowest, 1."),
        ("city|orders", [(f"c{number}", 40 - number) for number in range(12)],
         "12 cities: c0 leads with 40 orders; c11 is last with 29."),
        ("city|orders", [("Rome", 1), ("Oslo", None), ("Bern", 7)],
         "Three cities: Bern has the highest orders, 7; Rome the lowest, 1; one has no value."),
        ("status|orders", [("new", 3), ("old", 3)], "Two statuses: each has 3 orders."),
        ("box|amount", [("a", D("2.5")), ("b", D("2.5"))], "Two boxes: each has an amount of 2.5."),
        ("city|total_sales", [("a", 2.5), ("b", 1.5)],
         "Two cities: a leads with total sales of 2.50; b is second with 1.50."),
        ("city|item|sales", [("Rome", "Tent", 3), ("Rome", "Rope", 1)],
         "Two rows: Rome (Tent) leads with 3 sales; Rome (Rope) is second with 1."),
        ("customer_id|total", [(1007, 12), (1008, 11)],
         "Two customers: customer id 1007 leads with a total of 12; customer id 1008 is second with 11."),
        ("month|revenue", [("2024-01", 10.5), ("2024-02", 30), ("2024-03", 20)],
         "From 2024-01 to 2024-03 the revenue went from 10.50 to 20; the highest point is 30 in 2024-02."),
        ("year|orders", [(2024, 1500), (2023, 2000), (2022, 1000)],
         "From 2022 to 2024 the orders went from 1,000 to 1,500; the highest point is 2,000 in 2023."),
        ("day|orders", [(date(2024, 1, 1), 1), (date(2024, 1, 2), 3)],
         "From 2024-01-01 to 2024-01-02 the orders went from 1 to 3; the highest point is 3 on 2024-01-02."),
        ("name", [(letter,) for letter in "abc"], "Three products: a, b and c."),
        ("name", [(letter,) for letter in "abcdefghijklmnopq"], "17 products: a, b, c, d, e and 12 more."),
        ("name|city", [("Ann", "Rome"), ("Bob", None)], "Two products: Ann (Rome) and Bob (no value)."),
        ("price", [(1.5,), (9,), (2.5,)], "3 rows: price from 1.50 to 9."),
    ],
)  # fmt: skip
def test_shape_reads_as(names: str, rows: list[tuple[Any, ...]], sentence: str) -> None:
    assert say(names, rows) == sentence


def test_cut_result_says_so() -> None:
    sentence = say("name", [(f"n{number}",) for number in range(1000)], truncated=True)
    assert sentence.endswith("995 more. These are the first 1,000 rows; there are more.")


@pytest.mark.parametrize(
    ("sql", "together"),
    [
        (SUMMED, True),
        ("SELECT name, price FROM products", False),
        ("SELECT name, COUNT(DISTINCT x) FROM products", False),
        ("SELECT name, SUM(x) OVER () FROM products", False),
        ("SELECT name, SUM(x) / COUNT(*) FROM products", False),
    ],
)
def test_total_is_said_only_where_the_sql_adds_up(sql: str, *, together: bool) -> None:
    assert ("together 53,721.00" in say("product_name|revenue", FIVE, sql)) is together


def test_total_of_floats_is_the_sum_of_their_digits() -> None:
    assert "together 0.3" in say("city|revenue", [("a", 0.2), ("b", 0.1)], SUMMED)


def test_no_total_of_rates_cut_results_or_gaps() -> None:
    assert "together" not in say("city|average_revenue", [("a", 2), ("b", 1)], SUMMED)
    assert "together" not in say("city|revenue", [("a", 2), ("b", 1)], SUMMED, truncated=True)
    assert "together" not in say("city|revenue", [("a", 2), ("b", None)], SUMMED)


def test_hostile_cells_stay_on_one_short_line() -> None:
    sentence = say("name", [("a\n\x1b[31m\u202eb\r\n" + "y" * 500,)])
    assert "\n" not in sentence
    assert "\x1b" not in sentence
    assert "\u202e" not in sentence
    assert sentence.endswith("y….")
    assert len(sentence) < 90


def test_count_of_rows_names_no_cell() -> None:
    assert count_rows(result("name", [("secret",)])) == "1 row."
    assert count_rows(result("name", [("secret",)] * 1200, truncated=True)) == "The first 1,200 rows."
    assert count_rows(result("name", [])) == "No rows match."


# ── numbers ──────────────────────────────────────────────────────────────────────────────────────

NUMBER = re.compile(r"(?<![\w.])-?\d+(?:,\d{3})*(?:\.\d+)?(?:e[+-]\d+)?")


def numbers_of(*texts: str) -> set[str]:
    return {number for text in texts for number in NUMBER.findall(text)}


def random_result(chance: random.Random) -> ResultSet:
    makers: dict[str, Any] = {
        "city_name": lambda: chance.choice(["Rome", "Oslo", "Tent 40L", None, "a\nb", "7 Hills"]),
        "revenue": lambda: chance.choice([None, D(chance.randint(-(10**6), 10**9)).scaleb(-2)]),
        "ratio": lambda: chance.choice([chance.uniform(-1, 1), chance.uniform(-1e9, 1e9), float("nan")]),
        "orders": lambda: chance.choice([0, 7, chance.randint(-(10**12), 10**12)]),
        "order_date": lambda: date(2024, 1, 1) + timedelta(days=chance.randint(0, 900)),
        "order_month": lambda: f"20{chance.randint(10, 29)}-{chance.randint(1, 12):02d}",
        "year": lambda: chance.randint(1990, 2030),
        "customer_id": lambda: chance.randint(1, 10**6),
    }
    names = chance.sample(list(makers), chance.randint(1, 4))
    rows = [tuple(makers[name]() for name in names) for _ in range(chance.choice([0, 1, 2, 3, 5, 11, 40]))]
    return result("|".join(names), rows, truncated=chance.random() < 0.2)


@pytest.mark.parametrize("seed", range(400))
def test_every_number_is_a_cell_a_count_or_the_sum(seed: int) -> None:
    chance = random.Random(seed)
    made = random_result(chance)
    sentence = compose_sentence("Which?", made, chance.choice([SUMMED, ""]))
    views = view_result(made)
    count = len(made.rows)
    allowed = numbers_of(*(view.text(row) for view in views for row in range(count)))
    counts = {f"{number:,}" for number in range(count + 1)}
    sums = set()
    for view in views:
        cells = [cell for cell in view.cells if isinstance(cell, int | float | D)]
        if cells and len(cells) == count and all(D(str(cell)).is_finite() for cell in cells):
            sums.add(format_number(sum((D(str(cell)) for cell in cells), D(0))))
    said, _, together = sentence.partition("; together ")
    assert numbers_of(said) - allowed - counts == set()
    assert numbers_of(together) - allowed - counts - sums == set()
    assert (numbers_of(together) <= sums | counts) or "first" in together


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-1234567, "-1,234,567"),
        (12345.0, "12,345"),
        (1234.5, "1,234.50"),
        (12.3456, "12.35"),
        (0.30000000000000004, "0.3"),
        (0.123456, "0.1235"),
        (0.000123456, "0.0001235"),
        (1e300, "1.000e+300"),
        (1e-30, "1.000e-30"),
        (float("nan"), "not a number"),
        (float("-inf"), "-infinite"),
        (float("inf"), "infinite"),
        (D("1234.50"), "1,234.50"),
        (D("1234.5678"), "1,234.57"),
        (D("2.675"), "2.68"),
        (D("0.50000"), "0.50"),
        (D("0.00"), "0.00"),
        (D("-0.0"), "0.0"),
        (D("12345678901234567890.12"), "12,345,678,901,234,567,890.12"),
        (D("1E+3"), "1,000"),
    ],
)
def test_number_reads_as(value: Any, text: str) -> None:
    assert format_number(value) == text


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, "no value"),
        (False, "false"),
        (b"\x00\xff", "0x00ff"),
        (date(2024, 5, 1), "2024-05-01"),
        (datetime(2024, 5, 1, 13, 4, 5), "2024-05-01 13:04:05"),  # noqa: DTZ001 — databases give naive times
        (time(8, 30), "08:30:00"),
        (timedelta(hours=-30, microseconds=-5), "-30:00:00.000005"),
        ("a\tb  c", "a b c"),
    ],
)
def test_cell_reads_as(cell: Any, text: str) -> None:
    assert format_cell(cell) == text


def test_flat_text_is_cut_with_an_ellipsis() -> None:
    assert flatten("abcdef", 5) == "abcd…"
    assert flatten("abcde", 5) == "abcde"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("total_revenue", "total revenue"),
        ("TotalRevenue", "total revenue"),
        ("p.`unit_price`", "unit price"),
        ("COUNT(DISTINCT customer_id)", "count"),
        ("SUM(oi.quantity)", "total quantity"),
        ("SUM(a * b)", "total value"),
        ("ROUND(AVG(price), 2)", "average price"),
        ("COALESCE(SUM(total), 0)", "total total"),
        ("MIN(price)", "lowest price"),
        ("strftime('%Y', d)", "period"),
        ("GROUP_CONCAT(name)", "result"),
        ("1 + 1", "result"),
        ("Größe", "größe"),
        ("", "result"),
    ],
)
def test_column_name_reads_as(name: str, text: str) -> None:
    assert readable_name(name) == text
