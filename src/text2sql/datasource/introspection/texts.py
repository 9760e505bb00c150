"""Reads the different texts of columns within limits; what runs the statements is each adapter's."""

import time
from collections.abc import Callable, Sequence

from text2sql.datasource.introspection.samples import is_private
from text2sql.datasource.values import ColumnTexts, TextColumn, TextLimits
from text2sql.messages import Cell

Fetch = Callable[[str], Sequence[tuple[Cell, ...]] | None]
"""Runs a statement and returns its rows; None where the column cannot be read, or not in time."""


def read_columns(
    wanted: Sequence[TextColumn],
    limits: TextLimits,
    fetch: Fetch,
    names: Callable[[TextColumn], tuple[str, str]],
    is_exact: Callable[[TextColumn], bool],
) -> tuple[ColumnTexts, ...]:
    """Return what the columns hold, up to the limits; a column that is not worth it is left out.

    `names` returns the table and the cell as the database's SQL writes them.
    """
    end = time.monotonic() + limits.seconds
    room = limits.texts
    read = []
    for column in wanted:
        if time.monotonic() > end:
            break
        whole = column.rows is not None and column.rows <= limits.rows
        rows = fetch(_select(*names(column), limits, whole=whole))
        if rows is None or len(rows) > limits.column_texts:
            continue
        found = [value for (value,) in rows if isinstance(value, str) and any(map(str.isalpha, value))]
        short = [text for text in found if len(text) <= limits.characters and text.isprintable()]
        if not short or 2 * len(short) < len(found) or len(short) > room or any(map(is_private, short)):
            continue
        room -= len(short)
        read.append(
            ColumnTexts(
                table=column.table,
                column=column.column,
                texts=tuple(sorted(short)),
                is_complete=whole and len(short) == len(found),
                is_exact=is_exact(column),
            )
        )
    return tuple(read)


def _select(table: str, cell: str, limits: TextLimits, *, whole: bool) -> str:
    """Return the statement that reads a column; one text more than is allowed shows that there are more."""
    most = f"LIMIT {limits.column_texts + 1}"
    if whole:
        return f"SELECT DISTINCT {cell} FROM {table} {most}"  # noqa: S608  # quoted
    some = f"SELECT {cell} AS one_text FROM {table} LIMIT {limits.rows}"  # noqa: S608  # quoted
    return f"SELECT DISTINCT one_text FROM ({some}) AS some_rows {most}"  # noqa: S608  # quoted
