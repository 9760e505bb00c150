"""How each mask is written in each database's SQL."""

import re
from collections.abc import Callable

from sqlglot import exp

from text2sql.datasource.policy.access import Mask
from text2sql.messages import Dialect

SHOWN_CHARACTERS = 4
LEAST_CHARACTERS = 8
"""Of a shorter value nothing is shown."""

_BINARY = re.compile(r"blob|binary|^bit|geometry|point|polygon|linestring|collection", re.IGNORECASE)


def holds_bytes(declared_type: str) -> bool:
    """Tell whether a column's values are no text, by its type."""
    return bool(_BINARY.search(declared_type))


def masked(column: exp.Column, mask: Mask, dialect: Dialect, *, of_bytes: bool) -> exp.Expr:
    """Return what stands in place of the column; NULL stays NULL, except under a full mask."""
    return _MASKS[mask](column, dialect, of_bytes)


def _full(_column: exp.Column, _dialect: Dialect, _of_bytes: bool) -> exp.Expr:  # noqa: FBT001  # one of a table
    return exp.Literal.string("***")


def _hash(column: exp.Column, dialect: Dialect, of_bytes: bool) -> exp.Expr:  # noqa: FBT001  # one of a table
    content: exp.Expr = column
    if dialect == "sqlite":
        content = _cast(column, "BLOB")
    elif not of_bytes:
        content = _cast(column, "CHAR")
    return _call("SHA2", content, exp.Literal.number(256))


def _last_four(column: exp.Column, dialect: Dialect, of_bytes: bool) -> exp.Expr:  # noqa: FBT001  # one of a table
    """Of bytes, which need not be text, it is the last four of their digits."""
    hidden = exp.Literal.string("****")
    if dialect == "sqlite":
        text = _call("HEX", column) if of_bytes else _cast(column, "TEXT")
        length = "LENGTH"
        end = _call("SUBSTR", text.copy(), exp.Neg(this=exp.Literal.number(SHOWN_CHARACTERS)))
        shown: exp.Expr = exp.DPipe(this=hidden.copy(), expression=end, safe=True)
    else:
        text = _call("HEX", column) if of_bytes else _cast(column, "CHAR")
        length = "CHAR_LENGTH"
        end = _call("RIGHT", text.copy(), exp.Literal.number(SHOWN_CHARACTERS))
        shown = _call("CONCAT", hidden.copy(), end)
    long_enough = exp.GTE(this=_call(length, text), expression=exp.Literal.number(LEAST_CHARACTERS))
    return exp.Case(
        ifs=[
            exp.If(this=exp.Is(this=column.copy(), expression=exp.Null()), true=exp.Null()),
            exp.If(this=long_enough, true=shown),
        ],
        default=hidden,
    )


def _year_only(column: exp.Column, dialect: Dialect, _of_bytes: bool) -> exp.Expr:  # noqa: FBT001  # one of a table
    if dialect == "sqlite":
        return exp.cast(_call("STRFTIME", exp.Literal.string("%Y"), column), "INTEGER")
    return _call("YEAR", column)


_MASKS: dict[Mask, Callable[[exp.Column, Dialect, bool], exp.Expr]] = {
    "full": _full,
    "hash": _hash,
    "last_four": _last_four,
    "year_only": _year_only,
}


def _cast(column: exp.Column, to: str) -> exp.Cast:
    return exp.Cast(this=column, to=exp.DataType.build(to))


def _call(name: str, *arguments: exp.Expr) -> exp.Anonymous:
    return exp.Anonymous(this=name, expressions=list(arguments))
