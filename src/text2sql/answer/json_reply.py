"""A reply as JSON text: the keys of `Reply`, numbers with every digit that the database gave."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import date, time, timedelta
from decimal import Decimal

from pydantic import BaseModel

from text2sql.answer.cell_text import iso_text
from text2sql.messages import Cell, Reply

# Valid in JSON, but a terminal may obey them, and no encoder takes half a character.
_ESCAPED = re.compile(r"[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_PLAIN_EXPONENT = 60
"""A Decimal with a larger exponent keeps its scientific form instead of a long run of zeros."""


def reply_json(reply: Reply) -> str:
    """Return the reply as JSON, two spaces deep, a row to a line; non-finite numbers are null.

    A Decimal is a number literal with its own digits (1234.50); dates are ISO text, bytes hex text.
    """
    return write_json(reply)


def write_json(value: object) -> str:
    """Return messages, mappings and lists of them as JSON in the form of `reply_json`."""
    return _write(value, "\n")


def row_json(row: Sequence[Cell]) -> str:
    """Return one row as a JSON list on one line."""
    return f"[{', '.join(map(_scalar, row))}]"


def read_row(text: str) -> tuple[Cell, ...]:
    """Return the row that `row_json` wrote; dates and bytes are the text that they became."""
    return tuple(json.loads(text, parse_float=_read_number))


def _read_number(text: str) -> Decimal | float:
    """Return a number that is written the same again."""
    return float(text) if "e" in text.lower() else Decimal(text)


def _write(value: object, line: str) -> str:
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        value = {name: getattr(value, name) for name, field in fields.items() if not field.exclude}
    if isinstance(value, Mapping):
        deeper = line + "  "
        members = (f"{deeper}{_text(str(key))}: {_write(item, deeper)}" for key, item in value.items())
        return f"{{{','.join(members)}{line}}}"
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        if all(not isinstance(item, BaseModel | Mapping | list | tuple) for item in value):
            return f"[{', '.join(map(_scalar, value))}]"
        deeper = line + "  "
        return f"[{','.join(deeper + _write(item, deeper) for item in value)}{line}]"
    return _scalar(value)


def _scalar(value: object) -> str:
    if isinstance(value, Decimal):
        return _decimal(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "null"
    if isinstance(value, bytes):
        value = value.hex()
    elif isinstance(value, timedelta):
        value = iso_text(value)
    elif isinstance(value, date | time):
        value = value.isoformat()
    return _text(value) if isinstance(value, str) else json.dumps(value)


def _decimal(value: Decimal) -> str:
    return f"{value:f}" if abs(value.adjusted()) <= _PLAIN_EXPONENT else str(value)


def _text(text: str) -> str:
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))
