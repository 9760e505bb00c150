"""Turns fetched rows into a ResultSet: cells cut, column types seen; fetching is the adapters' work."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Literal

from text2sql.execution.port import QueryLimits
from text2sql.messages import Cell, ResultColumn, ResultSet

ColumnType = Literal["number", "text", "date", "datetime", "boolean", "binary", "unknown"]
CutBy = Literal["rows", "bytes"]

CELL_BYTES = 8
"""What a number, a date or a time counts as."""

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


@dataclass(frozen=True)
class RowStream:
    """A statement's rows while the database sends them; none is kept here."""

    names: Sequence[str]
    rows: Iterator[tuple[Cell, ...]]
    declared: Mapping[int, ColumnType] = field(default_factory=dict)
    """What the database says of a column, by its place, where it says anything."""


def collect(
    rows: Iterable[tuple[Cell, ...]], limits: QueryLimits
) -> tuple[list[tuple[Cell, ...]], CutBy | None]:
    """Take rows up to the limits on rows and bytes; say which of them cut, if one did.

    The first row is kept however large it is: no rows would say that nothing was found.
    """
    kept: list[tuple[Cell, ...]] = []
    size = 0
    for row in rows:
        if len(kept) == limits.rows:
            return kept, "rows"
        size += sum(map(_bytes, row))
        if kept and size > limits.bytes:
            return kept, "bytes"
        kept.append(row)
    return kept, None


def result_set(
    names: Sequence[str],
    rows: Sequence[tuple[Cell, ...]],
    cut_by: CutBy | None,
    declared: Mapping[int, ColumnType],
) -> ResultSet:
    """Return the rows with their columns.

    A column's type is that of its values. Where it has none, `declared` says it by the column's place.
    """
    columns = tuple(
        ResultColumn(
            name=name, type=_column_type((row[place] for row in rows), declared.get(place, "unknown"))
        )
        for place, name in enumerate(names)
    )
    return ResultSet(columns=columns, rows=tuple(rows), truncated=cut_by is not None, cut_by=cut_by)


def _bytes(cell: Cell) -> int:
    if isinstance(cell, str):
        return len(cell) if cell.isascii() else len(cell.encode())
    return len(cell) if isinstance(cell, bytes) else CELL_BYTES


def _column_type(values: Iterable[Cell], otherwise: ColumnType) -> ColumnType:
    """Return the values' common type; a mix is text, so that nobody reckons with it."""
    classes = {type(value) for value in values if value is not None}
    seen: set[ColumnType] = {next(name for cls, name in _TYPES if issubclass(each, cls)) for each in classes}
    if not seen:
        return otherwise
    return seen.pop() if len(seen) == 1 else "text"
