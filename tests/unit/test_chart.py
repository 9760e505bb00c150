from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from text2sql.answer.chart import choose_chart
from text2sql.answer.columns import view_result
from text2sql.messages import Chart, ResultColumn, ResultSet


def choose(names: str, rows: list[tuple[Any, ...]], kind: Any = "unknown") -> Chart:
    columns = tuple(ResultColumn(name=name, type=kind) for name in names.split("|"))
    return choose_chart(ResultSet(columns=columns, rows=tuple(rows), truncated=False))


def months(count: int) -> list[str]:
    return [f"20{20 + number // 12}-{number % 12 + 1:02d}" for number in range(count)]


@pytest.mark.parametrize(
    ("names", "rows", "kind", "x", "y"),
    [
        ("revenue", [(Decimal(5),)], "number", None, ("revenue",)),
        ("month|revenue", [(month, 1) for month in months(24)], "line", "month", ("revenue",)),
        ("d|a|b", [(date(2024, 1, day), day, None) for day in (1, 2)], "line", "d", ("a",)),
        ("year|orders|refunds", [(2023, 1, 2), (2024, 2, 3)], "line", "year", ("orders", "refunds")),
        ("YEAR(order_date)|orders", [(2023, 1), (2024, 2)], "line", "YEAR(order_date)", ("orders",)),
        ("order_year|n", [("2023", 1), ("2024", 2)], "line", "order_year", ("n",)),
        ("month|n", [(1, 5), (2, 6)], "line", "month", ("n",)),
        ("week|n", [("2024-W01", 5), ("2024-W02", 6)], "line", "week", ("n",)),
        ("city|revenue", [("Rome", 1.5), ("Oslo", None)], "bar", "city", ("revenue",)),
        ("id|city|revenue", [(1, "Rome", 1), (2, "Oslo", 2)], "bar", "city", ("revenue",)),
        ("customer_id|revenue", [(1, 5), (2, 6)], "bar", "customer_id", ("revenue",)),
        ("city|a|b|c", [("Rome", 1, 2, 3), ("Oslo", 1, 2, 3)], "bar", "city", ("a", "b", "c")),
        ("active|n", [(True, 1), (False, 2)], "bar", "active", ("n",)),
        ("price|sold", [(number, number * 2) for number in range(10)], "scatter", "price", ("sold",)),
    ],
)
def test_result_gets_its_chart(
    names: str, rows: list[tuple[Any, ...]], kind: str, x: str | None, y: tuple[str, ...]
) -> None:
    chart = choose(names, rows)
    assert (chart.type, chart.x, chart.y) == (kind, x, y)
    assert chart.reason


@pytest.mark.parametrize(
    ("names", "rows"),
    [
        ("name", []),
        ("name", [("Ann",)]),
        ("customer_id", [(5,)]),
        ("total", [(None,)]),
        ("name|total", [("Ann", 5)]),
        ("name", [("Ann",), ("Bob",)]),
        ("id|name", [(1, "Ann"), (2, "Bob")]),
        ("zip_code|name", [(12345, "Ann"), (12346, "Bob")]),
        ("city|item|n", [("a", "b", 1), ("c", "d", 2)]),
        ("month|city|n", [("2024-01", "Rome", 1), ("2024-02", "Rome", 2)]),
        ("month|n", [("2024-01", 1), ("2024-01", 2)]),
        ("city|a|b|c|d", [("Rome", 1, 2, 3, 4), ("Oslo", 1, 2, 3, 4)]),
        ("city|n", [(f"c{number}", number) for number in range(51)]),
        ("price|sold", [(number, number) for number in range(9)]),
        ("name|n|n", [("a", 1, 2), ("b", 1, 2)]),
        ("name|n", [("a", None), ("b", None)]),
    ],
)
def test_result_that_no_chart_fits_says_why(names: str, rows: list[tuple[Any, ...]]) -> None:
    chart = choose(names, rows)
    assert (chart.type, chart.x, chart.y) == ("none", None, ())
    assert chart.reason.endswith(".")


@pytest.mark.parametrize(
    ("name", "cells", "kind", "role"),
    [
        ("id", [1], "number", "identifier"),
        ("CustomerId", [1], "number", "identifier"),
        ("o.customer_id", ["a-1"], "text", "identifier"),
        ("COUNT(customer_id)", [1], "number", "measure"),
        ("paid", [1], "number", "measure"),
        ("country_code", ["DE"], "text", "label"),
        ("area_code", [212], "number", "identifier"),
        ("year", [50, 2024], "number", "measure"),
        ("year", [2024.5], "number", "measure"),
        ("year", [True], "boolean", "label"),
        ("year", [float("nan")], "number", "measure"),
        ("sales_per_day", [3], "number", "measure"),
        ("title", ["2024"], "text", "label"),
        ("created", [None], "datetime", "time"),
        ("empty", [None], "number", "measure"),
        ("empty", [None], "text", "label"),
        ("paid", [True], "boolean", "label"),
        ("mixed", [1, "a"], "unknown", "label"),
    ],
)
def test_column_has_its_role(name: str, cells: list[Any], kind: Any, role: str) -> None:
    result = ResultSet(
        columns=(ResultColumn(name=name, type=kind),),
        rows=tuple((cell,) for cell in cells),
        truncated=False,
    )
    assert view_result(result)[0].role == role
