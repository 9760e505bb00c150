"""What a gold statement tells by its form: whether it orders its rows, and how hard it is to write."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

Difficulty: TypeAlias = Literal["easy", "medium", "hard", "extra", "unknown"]
"""As in Spider; `unknown` for a statement that cannot be parsed here."""


@dataclass(frozen=True)
class GoldForm:
    """What the form of a statement tells."""

    ordered: bool
    """Whether its outermost query has ORDER BY."""
    difficulty: Difficulty


def read_form(sql: str, dialect: Literal["sqlite", "mysql"]) -> GoldForm:
    """Return the form of a statement; one that cannot be parsed counts as not ordered.

    The difficulty is our approximation of Spider's hardness (Yu et al., EMNLP 2018): its counts of clauses,
    of nested queries and of further parts, taken from our own tree, and its thresholds on them. A second
    column of GROUP BY does not count, for MySQL asks for every selected column there.
    """
    try:
        query: exp.Expr = sqlglot.parse_one(sql, dialect=dialect)
    except (SqlglotError, RecursionError):
        return GoldForm(ordered=False, difficulty="unknown")
    ordered = bool(query.args.get("order"))
    while isinstance(query, exp.Subquery):  # a query in parentheses
        query = query.this
        ordered = ordered or bool(query.args.get("order"))
    if not isinstance(query, exp.Query):
        return GoldForm(ordered=False, difficulty="unknown")
    return GoldForm(ordered, _difficulty(query))


def _difficulty(query: exp.Query) -> Difficulty:
    first = query
    while isinstance(first, exp.SetOperation | exp.Subquery):
        first = first.this
    own = [query] if query is first else [query, first]
    parts = list(_own_parts(first))
    clauses = sum(bool(each.args.get(name)) for each in own for name in ("where", "group", "order", "limit"))
    clauses += sum(isinstance(part, exp.Join | exp.Or | exp.Like) for part in parts)
    nested = sum(1 for part in query.walk() if isinstance(part, exp.Select)) - 1
    where = first.args.get("where")
    further = sum(
        (
            sum(isinstance(part, exp.AggFunc) for part in parts) > 1,
            len(first.expressions) > 1,
            where is not None and any(isinstance(part, exp.And | exp.Or) for part in _own_parts(where)),
        )
    )
    return _level(clauses, nested, further)


def _own_parts(node: exp.Expr) -> Iterator[exp.Expr]:
    """Yield the parts of a query that do not belong to a query within it."""
    return (
        part
        for part in node.walk(prune=lambda part: part is not node and isinstance(part, exp.Query))
        if part is node or not isinstance(part, exp.Query)
    )


def _level(clauses: int, nested: int, further: int) -> Difficulty:
    """Return the level by Spider's thresholds, gap included: two clauses with two further parts are extra."""
    if nested:
        return "hard" if nested == 1 and clauses <= 1 and not further else "extra"
    if clauses <= 1 and not further:
        return "easy"
    if (clauses <= 1 and further <= 2) or (clauses <= 2 and further <= 1):  # noqa: PLR2004
        return "medium"
    if (clauses <= 2 and further > 2) or (clauses == 3 and further <= 2):  # noqa: PLR2004
        return "hard"
    return "extra"
