"""Refuses what SQLite runs but can never be true: the text of strftime() compared with a number."""

from sqlglot import exp

from text2sql.messages import Dialect
from text2sql.validation.refusal import Refusal


def refuse_comparison(tree: exp.Expr, dialect: Dialect) -> Refusal | None:
    """Refuse `strftime('%Y', day) = 2025`: without quotes around the number no row ever matches."""
    if dialect != "sqlite":
        return None
    for node in tree.find_all(exp.EQ, exp.In, exp.Between, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NEQ):
        operands = [*node.iter_expressions()]
        texts = [operand for operand in operands if isinstance(operand, exp.TimeToStr)]
        numbers = [o for o in operands if isinstance(o, exp.Literal) and not o.is_string]
        if texts and numbers:
            return Refusal(
                reason="NEVER_TRUE",
                message="The text of strftime() is compared with a number, which never matches.",
                feedback=f"strftime() returns text: write '{numbers[0].this}' in quotes.",
            )
    return None
