import math
import random
import time
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import permutations, product

import pytest

from text2sql.evaluation import comparison
from text2sql.evaluation.comparison import Difference, comparable, difference
from text2sql.messages import Cell, ResultColumn, ResultSet

NAN = float("nan")


def result(*rows: Sequence[Cell], width: int = 0, truncated: bool = False) -> ResultSet:
    width = width or len(rows[0])
    columns = tuple(ResultColumn(name=f"c{place}", type="unknown") for place in range(width))
    return ResultSet(columns=columns, rows=tuple(map(tuple, rows)), truncated=truncated)


def told(gold: ResultSet, own: ResultSet, *, ordered: bool = False) -> Difference | None:
    """Compare both ways round: who is called gold makes no difference."""
    there = difference(gold, own, ordered=ordered)
    if not own.truncated:
        assert difference(own, gold, ordered=ordered) == there
    return there


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, Decimal("1.00")),
        (1, 1.0),
        (True, 1),
        (False, Decimal(0)),
        (0.1 + 0.2, Decimal("0.3")),
        (Decimal("-0.00001"), 0),
        (2.00004, 2),
        (Decimal("2.00006"), 2.0001),
        (NAN, NAN),
        (Decimal("NaN"), NAN),
        (math.inf, Decimal("Infinity")),
        (1e300, 1e300),
        (10**30, Decimal(10**30)),
        (Decimal("1E+5000"), Decimal("1E+5000")),
        (None, None),
        (date(2025, 1, 2), "2025-01-02"),
        (datetime(2025, 1, 2, 3, 4, 5), "2025-01-02 03:04:05"),  # noqa: DTZ001  # as databases give it
        (timedelta(hours=26), "26:00:00"),
        (b"a\xff", b"a\xff"),
    ],
)
def test_cells_that_say_the_same_are_equal(one: Cell, other: Cell) -> None:
    assert comparable(one) == comparable(other)
    assert hash(comparable(one)) == hash(comparable(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, "1"),
        (1, 1.0001),
        (None, 0),
        (None, ""),
        (None, NAN),
        (NAN, "not a number"),
        ("a", "A"),
        ("a", b"a"),
        (math.inf, -math.inf),
    ],
)
def test_cells_that_say_something_else_differ(one: Cell, other: Cell) -> None:
    assert comparable(one) != comparable(other)


def test_rows_in_another_order_are_right_unless_the_order_counts() -> None:
    gold, own = result([1, "a"], [2, "b"]), result([2, "b"], [1, "a"])
    assert told(gold, own) is None
    assert told(gold, own, ordered=True) == "wrong_order"
    assert told(gold, gold, ordered=True) is None


def test_row_that_comes_twice_counts_twice() -> None:
    assert told(result([1], [1], [2]), result([1], [2], [2])) == "wrong_rows"
    assert told(result([1], [1]), result([1])) == "wrong_rows"
    assert told(result([1], [2], [1]), result([1], [1], [2])) is None


@pytest.mark.parametrize("ordered", [False, True])
def test_columns_may_stand_in_any_order(ordered: bool) -> None:
    gold = result([1, "a", None], [2, "b", 2], [2, "b", NAN])
    for places in permutations(range(3)):
        own = result(*([row[place] for place in places] for row in gold.rows))
        assert told(gold, own, ordered=ordered) is None


def test_columns_with_the_same_values_are_told_apart_by_their_rows() -> None:
    gold = result([1, 2, "x"], [2, 3, "y"], [3, 1, "z"])
    swapped = result([2, "x", 1], [3, "y", 2], [1, "z", 3])
    other = result([1, 2, "x"], [2, 3, "z"], [3, 1, "y"])
    assert told(gold, swapped) is None
    assert told(gold, other) == "wrong_rows"


def test_same_column_twice_is_not_two_columns() -> None:
    assert told(result([1, 2], [2, 1]), result([1, 1], [2, 2])) == "wrong_rows"
    assert told(result([1, 1], [2, 2]), result([1, 1], [2, 2])) is None


def test_number_of_columns_must_be_the_same_even_without_rows() -> None:
    assert told(result([1]), result([1, 1])) == "wrong_columns"
    assert told(result(width=1), result(width=2)) == "wrong_columns"
    assert told(result(width=2), result(width=2), ordered=True) is None


def test_rows_where_none_belong_are_a_class_of_their_own() -> None:
    assert told(result([1]), result(width=1)) == "empty_or_not"


def test_cut_result_is_wrong_although_its_rows_are_right() -> None:
    assert told(result([1]), result([1], truncated=True)) == "wrong_rows"


def test_ten_thousand_rows_are_compared_in_a_moment() -> None:
    chance = random.Random(5)
    rows = [
        [n, chance.random(), Decimal(n) / 7, f"name {n % 97}", chance.randrange(3)] for n in range(10_000)
    ]
    moved = [[row[4], row[2], row[0], row[3], row[1]] for row in chance.sample(rows, len(rows))]
    started = time.process_time()
    assert told(result(*rows), result(*moved)) is None
    assert time.process_time() - started < 4


def test_search_for_the_order_of_the_columns_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    # All rows of eight bits with their parity, and with its opposite: any eight of the nine columns are the
    # same in both, so that only the last column of each of the 362,880 arrangements tells.
    monkeypatch.setattr(comparison, "CELLS", 100_000)
    bits = list(product((0, 1), repeat=8))
    gold = result(*((*row, sum(row) % 2) for row in bits))
    own = result(*((*row, 1 - sum(row) % 2) for row in bits))
    started = time.process_time()
    assert told(gold, own) == "wrong_rows"
    assert time.process_time() - started < 2


def test_columns_that_are_the_same_are_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "CELLS", 10_000)
    row = [None] * 600
    assert told(result([*row, 1], [*row, 2]), result([2, *row], [1, *row])) is None
