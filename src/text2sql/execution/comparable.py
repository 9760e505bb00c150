"""What a cell says, whatever type the database gave it; results are compared by this."""

from collections.abc import Hashable
from datetime import date, time, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal

from text2sql.answer.cell_text import iso_text
from text2sql.messages import Cell

_STEP = Decimal("0.0001")
_LARGEST_EXPONENT = 400
_EXACT = Context(prec=_LARGEST_EXPONENT + 10, rounding=ROUND_HALF_EVEN)
_NOT_A_NUMBER = ("not a number",)
"""One value for all of them: as floats they are not even equal to themselves."""


def comparable(cell: Cell) -> Hashable:
    """Return what equals that of every cell that says the same.

    Numbers are rounded to 4 decimals whatever their type, true is 1, and a date is its ISO text.
    Text, bytes and NULL equal only themselves: the text 5 is not the number 5.
    """
    if isinstance(cell, float):
        return int(cell) if cell.is_integer() else _rounded(Decimal(repr(cell)))
    if isinstance(cell, Decimal):
        return _rounded(cell)
    return iso_text(cell) if isinstance(cell, date | time | timedelta) else cell  # True equals 1


def _rounded(number: Decimal) -> Hashable:
    if number.is_nan():
        return _NOT_A_NUMBER
    if number.is_infinite() or number.adjusted() > _LARGEST_EXPONENT:
        return number
    return number.quantize(_STEP, context=_EXACT)
