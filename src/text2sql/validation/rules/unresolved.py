"""Refuses a name that no scope has led to: what was not looked up must not run."""

from sqlglot import exp

from text2sql.validation.refusal import Refusal
from text2sql.validation.statement import Statement


def refuse_unresolved_names(statement: Statement) -> Refusal | None:
    """Refuse the first table or column that neither of the rules that resolve names has come to."""
    for node in statement.nodes:
        if not isinstance(node, exp.Table | exp.Column):
            continue
        if id(node) not in statement.looked_up and not isinstance(node.this, exp.Star):
            return Refusal(
                reason="CONSTRUCT_NOT_ALLOWED",
                message=f"The name {node.name} stands where it cannot be looked up.",
                feedback=f"Write {node.name} in a plain FROM or SELECT clause.",
            )
    return None
