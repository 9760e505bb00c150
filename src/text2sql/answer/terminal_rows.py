"""Rows on a terminal: as a table, as records where a table is too wide, and as bars."""

from collections.abc import Sequence
from decimal import Decimal

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from text2sql.answer.cell_text import flatten, format_cell
from text2sql.answer.columns import ColumnView, is_number
from text2sql.messages import Cell, Chart

_MAX_CELL = 48
_MIN_CELL = 8
"""A column of text may shrink to this; a number is shown whole or not in a table."""
_GAP = 2
_MIN_BARS, _MAX_BARS = 2, 30
_MIN_BAR_WIDTH = 5


def table_fits(views: Sequence[ColumnView], width: int) -> bool:
    """Tell whether a table of these columns fits the width with whole numbers and readable text."""
    return sum(_least(view) for view in views) + _GAP * (len(views) - 1) <= width


def table_lines(views: Sequence[ColumnView], width: int) -> list[Text]:
    """Return a header, a rule and a line for each row: numbers to the right and whole, text cut to fit."""
    rooms = _share_width(views, width)
    headers = [Text(flatten(view.column.name)) for view in views]
    lines = [_line(headers, views, rooms), Text("─" * (sum(rooms) + _GAP * (len(rooms) - 1)), style="dim")]
    lines[0].stylize("bold")
    rows = range(len(views[0].cells))
    return lines + [_line([_cell(view, row) for view in views], views, rooms) for row in rows]


def _line(texts: Sequence[Text], views: Sequence[ColumnView], rooms: Sequence[int]) -> Text:
    line = Text()
    for text, view, room in zip(texts, views, rooms, strict=True):
        line.append(" " * _GAP if line.plain else "")
        space = " " * (room - cell_len(text.plain))
        if _is_numeric(view):
            line.append(space)
        line.append(_fit(text.plain, room).rstrip(" "), style=text.style)
        if not _is_numeric(view):
            line.append(space)
    line.rstrip()
    return line


def record_lines(views: Sequence[ColumnView], width: int) -> list[Text]:
    """Return a line for each cell, "name: value", with a rule between rows."""
    names = min(max(cell_len(flatten(view.column.name)) for view in views), width // 2)
    lines = []
    for row in range(len(views[0].cells)):
        if row:
            lines.append(Text("-" * min(width, 20), style="dim"))
        for view in views:
            name = set_cell_size(flatten(view.column.name), names)
            lines.append(Text.assemble((f"{name}  ", "dim"), _cell(view, row)))
    return lines


def bar_lines(chart: Chart, views: Sequence[ColumnView], width: int) -> list[Text]:
    """Return a bar for each row of a bar or line chart, or nothing where bars would say nothing.

    A bar's length is the distance from zero; a hollow bar goes below it.
    """
    by_name = {view.column.name: view for view in views}
    label, measure = by_name.get(chart.x or ""), by_name.get(chart.y[0] if chart.y else "")
    if chart.type not in {"bar", "line"} or label is None or measure is None:
        return []
    if not _MIN_BARS <= len(label.cells) <= _MAX_BARS:
        return []
    sizes = [_size(cell) for cell in measure.cells]
    longest = max((abs(size) for size in sizes if size is not None), default=Decimal(0))
    texts = [_cell(measure, row).plain for row in range(len(sizes))]
    labels = [format_cell(cell, grouped=False, none="null", width=_MAX_CELL) for cell in label.cells]
    room = min(max(map(cell_len, labels)), width // 3)
    bar_width = width - room - max(map(cell_len, texts)) - 2 * _GAP
    if not longest or bar_width < _MIN_BAR_WIDTH:
        return []
    lines = [Text(flatten(measure.column.name, width), style="dim")]
    for name, size, text in zip(labels, sizes, texts, strict=True):
        bar = _bar(size, longest, bar_width)
        lines.append(Text.assemble(_fit(name, room), "  ", (bar, "cyan"), "  " if bar else "", text))
    return lines


def _bar(size: Decimal | None, longest: Decimal, width: int) -> str:
    if size is None:
        return ""
    halves = int(abs(size) * width * 2 / longest)
    if size < 0:
        return "░" * max(1, halves // 2)
    return "█" * (halves // 2) + "▌" * (halves % 2) if halves else "▌" if size else ""


def _size(cell: Cell) -> Decimal | None:
    if not is_number(cell):
        return None
    number = Decimal(str(cell))
    return number if number.is_finite() else None


def _cell(view: ColumnView, row: int) -> Text:
    cell = view.cells[row]
    if cell is None:
        return Text("null", style="dim")
    return Text(format_cell(cell, grouped=view.role == "measure", width=_MAX_CELL))


def _is_numeric(view: ColumnView) -> bool:
    return any(map(is_number, view.cells))


def _wanted(view: ColumnView) -> int:
    cells = [cell_len(_cell(view, row).plain) for row in range(len(view.cells))]
    return max(cell_len(flatten(view.column.name)), *cells)


def _least(view: ColumnView) -> int:
    least = min(_wanted(view), _MIN_CELL)
    if _is_numeric(view):
        return max(least, *(cell_len(_cell(view, row).plain) for row in range(len(view.cells))))
    return least


def _share_width(views: Sequence[ColumnView], width: int) -> list[int]:
    """Give each column its least width, then what is left to those that want more, from the left."""
    room = [_least(view) for view in views]
    left = width - sum(room) - _GAP * (len(views) - 1)
    for position, view in enumerate(views):
        more = max(0, min(left, min(_wanted(view), _MAX_CELL) - room[position]))
        room[position] += more
        left -= more
    return room


def _fit(text: str, width: int) -> str:
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, width - 1) + "…"
