from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from text2sql.datasource.catalog import Column, Table
from text2sql.datasource.introspection.ranges import ROWS, ranged_columns, select_ranges, with_ranges
from text2sql.messages import Cell


def _table(*names: str, rows: int | None = 10, kind: str = "table", declared: str = "int") -> Table:
    columns = tuple(Column(name=name, type=declared) for name in names)
    return Table(name="t", kind=kind, columns=columns, primary_key=("id",), row_count=rows)


@pytest.mark.parametrize(
    "declared", ["int", "BIGINT", "decimal(10,2)", "NUMERIC", "REAL", "double", "DATE", "datetime", "year"]
)
def test_numbers_dates_and_times_have_ranges(declared: str) -> None:
    assert ranged_columns(_table("total", declared=declared), ()) == ["total"]


@pytest.mark.parametrize("declared", ["varchar(20)", "TEXT", "BLOB", "json", "point", "bit(1)", ""])
def test_other_types_have_none(declared: str) -> None:
    assert ranged_columns(_table("total", declared=declared), ()) == []


def test_keys_and_private_columns_have_none() -> None:
    assert ranged_columns(_table("id", "birth_date", "phone", "total"), ("id",)) == ["total"]


@pytest.mark.parametrize("rows", [None, ROWS + 1])
def test_of_a_large_table_only_what_leads_an_index_is_looked_up(rows: int | None) -> None:
    assert ranged_columns(_table("total", "placed", rows=rows), {"placed"}) == ["placed"]
    assert ranged_columns(_table("total", "placed", rows=ROWS), {"placed"}) == ["total", "placed"]


def test_view_is_not_read() -> None:
    assert ranged_columns(_table("total", kind="view"), ()) == []


def test_small_table_is_read_once_and_of_a_large_one_each_end_alone() -> None:
    assert select_ranges(_table(), "`t`", ["`a`", "`b`"]) == (
        "SELECT MIN(`a`), MAX(`a`), MIN(`b`), MAX(`b`) FROM `t`"
    )
    assert select_ranges(_table(rows=None), "`t`", ["`a`"]) == (
        "SELECT (SELECT MIN(`a`) FROM `t`), (SELECT MAX(`a`) FROM `t`)"
    )


@pytest.mark.parametrize(
    ("lowest", "highest", "expected"),
    [
        (1, 9, ("1", "9")),
        (Decimal("1E+2"), 0.5, ("100", "0.5")),
        (date(2024, 1, 2), datetime(2024, 1, 3, 4), ("2024-01-02", "2024-01-03 04:00:00")),  # noqa: DTZ001
        (timedelta(hours=1), timedelta(hours=2), ("1:00:00", "2:00:00")),
        ("2024-01-02", "2024-01-02 10:00:00", ("2024-01-02", "2024-01-02 10:00:00")),
        (1, "n/a", (None, None)),
        ("2024", "x" * 90, (None, None)),
        (None, None, (None, None)),
    ],
)
def test_ends_are_told_as_text_where_both_are_in_order(
    lowest: Cell, highest: Cell, expected: tuple[str | None, str | None]
) -> None:
    column = with_ranges(_table("a", "b"), ["b"], (lowest, highest)).columns[1]
    assert (column.lowest, column.highest) == expected


def test_ends_come_to_their_columns() -> None:
    columns = with_ranges(_table("a", "b", "c"), ["a", "c"], (1, 2, 3, 4)).columns
    assert [(each.lowest, each.highest) for each in columns] == [("1", "2"), (None, None), ("3", "4")]
