"""What a result's columns are for: labels, times, identifiers or measures, and how their names read."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, TypeAlias

from text2sql.answer.cell_text import flatten, format_cell
from text2sql.messages import Cell, ResultColumn, ResultSet

Role: TypeAlias = Literal["label", "time", "identifier", "measure"]

_TIME_TEXT = re.compile(r"\d{4}[-/](?:0[1-9]|1[0-2])(?:[-/]\d\d(?:[ T]\d\d:\d\d.*)?)?|\d{4}[- ]?[QW]\d{1,2}")
_YEAR_TEXT = re.compile(r"[12]\d{3}")
_YEAR_NAME = re.compile(r"(?:.*_)?(?:year|yr)(?:_.*)?|year\(.*\)")
_PERIOD_NAME = re.compile(
    r"(?:(?:calendar|fiscal|hire|invoice|order|sale)_)?(?:month|quarter|week|weekday|hour|day_of_week)(?:_number)?"
    r"|(?:month|quarter|week|hour|weekday)\(.*\)"
)
_IDENTIFIER_NAME = re.compile(r"(?:.*_)?(?:id|uuid|guid)")
_NUMBER_AS_NAME = re.compile(r"(?:.*_)?(?:code|key|zip|zipcode|postcode|postal_code|phone|sku|isbn|ean)")

_CALL = re.compile(r"(\w+)\((.*)\)", re.DOTALL)
_WRAPPERS = {"abs", "cast", "ceil", "coalesce", "floor", "ifnull", "round"}
_CALLS = {
    "avg": "average",
    "count": "count",
    "max": "highest",
    "min": "lowest",
    "sum": "total",
    "year": "year",
    "month": "month",
    "quarter": "quarter",
    "week": "week",
    "hour": "hour",
    "strftime": "period",
    "date_format": "period",
    "date": "date",
}
_ABOUT_A_COLUMN = {"average", "highest", "lowest", "total"}


@dataclass(frozen=True)
class ColumnView:
    """A column with its cells, as sentence, chart and table see it."""

    column: ResultColumn
    cells: tuple[Cell, ...]
    role: Role

    @property
    def name(self) -> str:
        """The name in words: `total_revenue` is "total revenue", `COUNT(*)` is "count"."""
        return readable_name(self.column.name)

    def text(self, row: int) -> str:
        """Return the cell of a row as text; years and identifiers are not grouped."""
        return format_cell(self.cells[row], grouped=self.role == "measure")


def view_columns(columns: Sequence[ResultColumn], rows: Sequence[Sequence[Cell]]) -> tuple[ColumnView, ...]:
    """Return the columns with their roles, which names and cells decide."""
    views = []
    for position, column in enumerate(columns):
        cells = tuple(row[position] for row in rows)
        views.append(ColumnView(column, cells, _find_role(column, cells)))
    return tuple(views)


def view_result(result: ResultSet) -> tuple[ColumnView, ...]:
    """Return the columns of a result with their roles."""
    return view_columns(result.columns, result.rows)


def is_number(cell: Cell) -> bool:
    """Tell numbers from everything else; a truth value is no number."""
    return isinstance(cell, int | float | Decimal) and not isinstance(cell, bool)


def readable_name(name: str) -> str:
    """Return a column's name, or the expression that stands for it, in words."""
    text = flatten(name, 60)
    while (call := _CALL.fullmatch(text)) and call[1].lower() in _WRAPPERS:
        text = re.split(r",|\s+as\s+", call[2], flags=re.IGNORECASE)[0].strip()
    if call := _CALL.fullmatch(text):
        word = _CALLS.get(call[1].lower(), "result")
        inner = _words(call[2])
        return f"{word} {inner or 'value'}" if word in _ABOUT_A_COLUMN else word
    return _words(text) or "result"


def _words(name: str) -> str:
    """Return a plain or qualified name in words; empty for an expression."""
    last = re.sub(r"[`\"\[\]]", "", name).split(".")[-1].strip()
    if not re.fullmatch(r"[^\W\d][\w $#%()-]*", last):
        return ""
    return " ".join(_snake(last).replace("_", " ").split())


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _find_role(column: ResultColumn, cells: Sequence[Cell]) -> Role:
    name = _snake(column.name.split(".")[-1] if "(" not in column.name else column.name)
    present = [cell for cell in cells if cell is not None]
    numeric = all(map(is_number, present)) if present else column.type in {"number", "unknown"}
    if _IDENTIFIER_NAME.fullmatch(name) or (numeric and _NUMBER_AS_NAME.fullmatch(name)):
        return "identifier"
    if column.type in {"date", "datetime"} or _is_time(name, present):
        return "time"
    return "measure" if numeric else "label"


def _is_time(name: str, present: Sequence[Cell]) -> bool:
    if not present:
        return False
    if all(isinstance(cell, date) for cell in present):
        return True
    years = _YEAR_NAME.fullmatch(name) is not None
    texts = [cell for cell in present if isinstance(cell, str)]
    if len(texts) == len(present):
        return all(_TIME_TEXT.fullmatch(text) or (years and _YEAR_TEXT.fullmatch(text)) for text in texts)
    low, high = (1000, 2999) if years else (0, 53)
    return (years or bool(_PERIOD_NAME.fullmatch(name))) and all(
        _is_whole(cell, low, high) for cell in present
    )


def _is_whole(cell: Cell, low: int, high: int) -> bool:
    if not isinstance(cell, int | float | Decimal) or isinstance(cell, bool) or not math.isfinite(cell):
        return False
    return low <= cell <= high and cell == int(cell)
