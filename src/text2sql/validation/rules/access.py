"""Narrows every table to the rows and columns that the caller may see."""

from text2sql.validation.refusal import Refusal
from text2sql.validation.statement import Statement


def restrict_access(statement: Statement) -> Refusal | None:
    """Put a filtered, column-restricted derived table in place of every table that has rules."""
    if not statement.access.rules:
        return None
    return Refusal(reason="NOT_EMITTED", message="Access rules cannot be enforced yet.")
