"""Refuses what SQLite runs but can never be true: the text of strftime() compared with a number."""

from sqlglot import exp

from text2sql.validation.refusal import Refusal
from text2sql.validation.statement import Statement

_COMPARISONS = (exp.EQ, exp.NEQ, exp.In, exp.Between, exp.GT, exp.GTE, exp.LT, exp.LTE)


def refuse_impossible_comparisons(statement: Statement) -> Refusal | None:
    """Refuse `strftime('%Y', day) = 2025`: without quotes around the number no row ever matches."""
    if statement.dialect != "sqlite":
        return None
    for node in statement.nodes:
        if not isinstance(node, _COMPARISONS):
            continue
        operands = list(node.iter_expressions())
        has_text = any(isinstance(o, exp.Anonymous) and o.name.upper() == "STRFTIME" for o in operands)
        numbers = [o for o in operands if isinstance(o, exp.Literal) and not o.is_string]
        if has_text and numbers:
            return Refusal(
                reason="NEVER_TRUE",
                message="The text of strftime() is compared with a number, which never matches.",
                feedback=f"strftime() returns text: write '{numbers[0].this}' in quotes.",
            )
    return None
