"""Turns fetched rows into a ResultSet: cells cut, column types seen; fetching is the adapters' work."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Literal

from text2sql.execution.port import QueryLimits
from text2sql.messages import Cell, ResultColumn, ResultSet

ColumnType = Literal["number", "text", "date", "datetime", "boolean", "binary", "unknown"]

# bool before int and datetime before date: the one is a kind of the other.
_TYPES: tuple[tuple[type, ColumnType], ...] = (
    (bool, "boolean"),
    (int, "number"),
    (float, "number"),
    (Decimal, "number"),
    (datetime, "datetime"),
    (date, "date"),
    (bytes, "binary"),
    (str, "text"),
    (timedelta, "text"),
    (time, "text"),
)


def cut_cell(value: object, characters: int) -> Cell:
    """Return a value as a cell of at most `characters` characters or bytes; a cut one ends in `…`."""
    if isinstance(value, str):
        return value if len(value) <= characters else value[: max(characters - 1, 0)] + "…"
    if isinstance(value, (bytes, bytearray, memoryview)):
        mark = "…".encode()
        data = bytes(value)
        return data if len(data) <= characters else data[: max(characters - len(mark), 0)] + mark
    if value is None or isinstance(value, (bool, int, float, Decimal, date, time, timedelta)):
        return value
    return cut_cell(str(value), characters)


def result_set(
    names: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    limits: QueryLimits,
    declared: Mapping[int, ColumnType] | None = None,
) -> ResultSet:
    """Return at most `limits.rows` rows; one row more than that means `truncated`.

    A column's type is that of its values. Where it has none, `declared` says it by the column's place.
    """
    kept = tuple(tuple(row) for row in rows[: limits.rows])
    declared = declared or {}
    columns = tuple(
        ResultColumn(
            name=name, type=_column_type((row[place] for row in kept), declared.get(place, "unknown"))
        )
        for place, name in enumerate(names)
    )
    return ResultSet(columns=columns, rows=kept, truncated=len(rows) > limits.rows)


def _column_type(values: Iterable[Cell], otherwise: ColumnType) -> ColumnType:
    """Return the values' common type; a mix is text, so that nobody reckons with it."""
    classes = {type(value) for value in values if value is not None}
    seen: set[ColumnType] = {next(name for cls, name in _TYPES if issubclass(each, cls)) for each in classes}
    if not seen:
        return otherwise
    return seen.pop() if len(seen) == 1 else "text"
