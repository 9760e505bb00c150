"""How each mask is written in each database's SQL."""

import re
from collections.abc import Callable

from sqlglot import exp

from text2sql.datasource.catalog import Column
from text2sql.datasource.policy.access import Mask
from text2sql.messages import Dialect

SHOWN_CHARACTERS = 4
LEAST_CHARACTERS = 8
"""Of a shorter value nothing is shown."""

_BINARY = re.compile(r"blob|binary|^bit|geometry|point|polygon|linestring|collection", re.IGNORECASE)


def masked(column: exp.Column, about: Column, mask: Mask, dialect: Dialect) -> exp.Expr:
    """Return what stands in place of the column; NULL stays NULL, except under a full mask."""
    return _MASKS[mask](column, about, dialect)


def _full(_column: exp.Column, _about: Column, _dialect: Dialect) -> exp.Expr:
    return exp.Literal.string("***")


def _hash(column: exp.Column, about: Column, dialect: Dialect) -> exp.Expr:
    return _call("SHA2", _text(column, about, dialect), exp.Literal.number(256))


def _last_four(column: exp.Column, about: Column, dialect: Dialect) -> exp.Expr:
    text = _text(column, about, dialect)
    hidden = exp.Literal.string("****")
    if dialect == "sqlite":
        length, end = (
            "LENGTH",
            _call("SUBSTR", text.copy(), exp.Neg(this=exp.Literal.number(SHOWN_CHARACTERS))),
        )
        shown: exp.Expr = exp.DPipe(this=hidden.copy(), expression=end, safe=True)
    else:
        length, end = "CHAR_LENGTH", _call("RIGHT", text.copy(), exp.Literal.number(SHOWN_CHARACTERS))
        shown = _call("CONCAT", hidden.copy(), end)
    long_enough = exp.GTE(this=_call(length, text), expression=exp.Literal.number(LEAST_CHARACTERS))
    return exp.Case(
        ifs=[
            exp.If(this=exp.Is(this=column.copy(), expression=exp.Null()), true=exp.Null()),
            exp.If(this=long_enough, true=shown),
        ],
        default=hidden,
    )


def _year_only(column: exp.Column, _about: Column, dialect: Dialect) -> exp.Expr:
    if dialect == "sqlite":
        return exp.cast(_call("STRFTIME", exp.Literal.string("%Y"), column), "INTEGER")
    return _call("YEAR", column)


_MASKS: dict[Mask, Callable[[exp.Column, Column, Dialect], exp.Expr]] = {
    "full": _full,
    "hash": _hash,
    "last_four": _last_four,
    "year_only": _year_only,
}


def _text(column: exp.Column, about: Column, dialect: Dialect) -> exp.Expr:
    """Return the value as text; bytes that are no text as their digits, where the type tells."""
    if _BINARY.search(about.type):
        return _call("HEX", column)
    return exp.Cast(this=column, to=exp.DataType.build("TEXT" if dialect == "sqlite" else "CHAR"))


def _call(name: str, *arguments: exp.Expr) -> exp.Anonymous:
    return exp.Anonymous(this=name, expressions=list(arguments))
