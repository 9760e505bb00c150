"""How one cell reads in a sentence and on a terminal: flat text, grouped numbers, ISO dates."""

import re
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext

from text2sql.messages import Cell

# Line ends and terminal controls, direction overrides, and halves of characters: a cell is one line of text.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_PLAIN_DIGITS = 21
_PLAIN_ZEROS = 10
"""More digits before the point, or more zeros after it, read better with an exponent."""


def flatten(text: str, width: int = 0) -> str:
    """Return the text on one line, without control characters, at most `width` characters (0: any)."""
    flat = " ".join(_UNSAFE.sub(" ", text[: width * 20] if width else text).split())
    return flat if not width or len(flat) <= width else flat[: width - 1].rstrip() + "…"


def format_cell(cell: Cell, *, grouped: bool = True, none: str = "no value", width: int = 60) -> str:
    """Return the cell as text; `grouped` puts thousands separators into numbers."""
    if cell is None:
        return none
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, int | float | Decimal):
        text = format_number(cell)
        return text if grouped else text.replace(",", "")
    if isinstance(cell, bytes):
        return flatten("0x" + cell[:width].hex(), width)
    return flatten(cell if isinstance(cell, str) else iso_text(cell), width)


def iso_text(moment: date | time | timedelta) -> str:
    """Return a date or time in ISO form, a length of time as `[-]hh:mm:ss`."""
    if isinstance(moment, datetime):
        return moment.isoformat(sep=" ")
    if not isinstance(moment, timedelta):
        return moment.isoformat()
    sign, moment = ("-", -moment) if moment < timedelta(0) else ("", moment)
    minutes, seconds = divmod(moment.days * 86_400 + moment.seconds, 60)
    fraction = f".{moment.microseconds:06d}" if moment.microseconds else ""
    return f"{sign}{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}{fraction}"


def format_number(value: float | Decimal) -> str:
    """Return the number grouped by thousands, with none or two decimals; below 1, up to four digits."""
    if isinstance(value, int):
        return f"{value:,}"
    number = value if isinstance(value, Decimal) else Decimal(repr(value))
    if not number.is_finite():
        return "not a number" if number.is_nan() else "-infinite" if number < 0 else "infinite"
    if number and not -_PLAIN_ZEROS <= number.adjusted() < _PLAIN_DIGITS:
        return f"{number:.3e}"
    exponent = number.as_tuple().exponent
    given = max(0, -exponent) if isinstance(exponent, int) else 0
    wanted = 2 if number.is_zero() or number.adjusted() >= 0 else max(2, 3 - number.adjusted())
    with localcontext(prec=_PLAIN_DIGITS + 40):
        rounded = number.quantize(Decimal(1).scaleb(-min(given, wanted)), ROUND_HALF_UP)
    text = f"{rounded.copy_abs() if rounded.is_zero() else rounded:,f}"
    if isinstance(value, float):
        short = text.rstrip("0").rstrip(".") if "." in text else text
        return f"{rounded:,.2f}" if "." in short and abs(rounded) >= 1 else short
    return _drop_zeros(text)


def _drop_zeros(text: str) -> str:
    """Cut zeros after the second decimal, as a database's division leaves them."""
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals[:2]}{decimals[2:].rstrip('0')}" if decimals else whole
