"""The lowest and highest values of columns of numbers, dates and times, where they are cheap to find."""

import re
from collections.abc import Collection, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from text2sql.datasource.catalog import Column, Table
from text2sql.datasource.introspection.samples import cell_text, tying_columns, worth_sampling
from text2sql.messages import Cell

ROWS = 20_000
"""Up to so many a table is read for its ranges; of a larger one only what leads an index is looked up."""

_RANGED_TYPE = re.compile(r"int|dec|num|real|float|double|date|time|year", re.IGNORECASE)
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d.*)?")


def ranged_columns(table: Table, indexed: Collection[str]) -> list[str]:
    """Return the columns whose range is told: no keys, nothing private, and cheap to find.

    `indexed` are the columns that lead an index.
    """
    if table.kind != "table":
        return []
    is_small = _is_small(table)
    keys = tying_columns(table)
    return [
        column.name
        for column in table.columns
        if _RANGED_TYPE.search(column.type)
        and column.name not in keys
        and worth_sampling(column.name, column.type)
        and (is_small or column.name in indexed)
    ]


def select_ranges(table: Table, source: str, cells: Sequence[str]) -> str:
    """Return the statement for the lowest and the highest of each cell; its names are quoted.

    A small table is read once. Of a large one each end is asked for alone, so that an index answers.
    """
    ends = [f"{end}({cell})" for cell in cells for end in ("MIN", "MAX")]
    if _is_small(table):
        return f"SELECT {', '.join(ends)} FROM {source}"  # noqa: S608  # quoted
    return "SELECT " + ", ".join(f"(SELECT {end} FROM {source})" for end in ends)  # noqa: S608  # quoted


def with_ranges(table: Table, names: Sequence[str], row: Sequence[Cell]) -> Table:
    """Return the table with the ends that stand in `row`, two for each of the columns `names`."""
    ends = {name: (row[2 * at], row[2 * at + 1]) for at, name in enumerate(names)}
    return table.model_copy(
        update={"columns": tuple(_with_range(column, ends.get(column.name)) for column in table.columns)}
    )


def _with_range(column: Column, ends: tuple[Cell, Cell] | None) -> Column:
    if ends is None or not all(map(_is_ordered, ends)):
        return column
    lowest, highest = map(cell_text, ends)
    return column.model_copy(update={"lowest": lowest, "highest": highest})


def _is_ordered(value: Cell) -> bool:
    """Tell whether it is a number, a date or a time; SQLite stores what it likes in any column."""
    if isinstance(value, str):
        return bool(_ISO_DATE.fullmatch(value))
    return isinstance(value, int | float | Decimal | date | datetime | time | timedelta)


def _is_small(table: Table) -> bool:
    return table.row_count is not None and table.row_count <= ROWS
