"""Allows a call by its name, where the name is on the database's list."""

import re
from collections.abc import Iterable

from sqlglot import exp

from text2sql.messages import Dialect
from text2sql.validation.function_names import FUNCTIONS, INSTEAD
from text2sql.validation.refusal import Refusal
from text2sql.validation.statement import Statement

MAX_REPEATS = 65_536
_FORMATS = frozenset(("FORMAT", "PRINTF"))
_WIDE = re.compile(r"\*|\d{4}")
"""In SQLite's printf(): a width that is an argument, or of four digits."""
_LENGTH_ARGUMENT = {"REPEAT": 1, "SPACE": 0, "LPAD": 1, "RPAD": 1}
"""Which argument says how large a value is made."""


def allow_functions(statement: Statement) -> Refusal | None:
    """Refuse the first call that is not on the list, or that makes values of unbounded size."""
    return find_refused_function(statement.nodes, statement.dialect)


def find_refused_function(
    nodes: Iterable[exp.Expr], dialect: Dialect, also: frozenset[str] = frozenset()
) -> Refusal | None:
    """Return the refusal of the first call that may not run; `also` names further ones that may."""
    for call in nodes:
        if not isinstance(call, exp.Anonymous):
            continue
        name = call.name.upper()
        if name not in FUNCTIONS[dialect] and name not in also:
            return _refuse_name(name, dialect)
        if dialect == "sqlite" and name in _FORMATS and not _is_narrow(call.expressions[:1]):
            return Refusal(
                reason="FUNCTION_NOT_ALLOWED",
                message=f"{name} needs a written format, with widths below 1000.",
                feedback=f"Write the format of {name} as a text, without * and with small widths.",
            )
        if name in _LENGTH_ARGUMENT and not _is_short(call.expressions[_LENGTH_ARGUMENT[name] :][:1]):
            return Refusal(
                reason="FUNCTION_NOT_ALLOWED",
                message=f"{name} may make {MAX_REPEATS:,} characters at most, as a written number.",
                feedback=f"Give {name} a number of at most {MAX_REPEATS}.",
            )
    return None


def _is_short(length: list[exp.Expr]) -> bool:
    return all(isinstance(n, exp.Literal) and n.is_int and int(n.this) <= MAX_REPEATS for n in length)


def _is_narrow(formats: list[exp.Expr]) -> bool:
    return all(isinstance(f, exp.Literal) and not _WIDE.search(f.name) for f in formats)


def _refuse_name(name: str, dialect: Dialect) -> Refusal:
    instead = INSTEAD[dialect].get(name) or "It is not available: use plain SQL functions."
    return Refusal(
        reason="FUNCTION_NOT_ALLOWED",
        message=f"The function {name} is not on the list of allowed functions.",
        feedback=f"Do not use {name}. {instead}",
    )
