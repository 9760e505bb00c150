"""Puts a LIMIT on the statement, one row above what may be shown, so that a cut is noticed."""

from sqlglot import exp

from text2sql.validation.refusal import Refusal
from text2sql.validation.statement import Statement


def limit_rows(statement: Statement) -> Refusal | None:
    """Add the limit, or lower a greater one; only a plain number is understood."""
    tree, most = statement.tree, statement.row_limit
    limit = tree.args.get("limit")
    if limit is None:
        _set(tree, most + 1)
        statement.changes[f"At most {most:,} rows are returned."] = None
        return None
    count = limit.args.get("count") if isinstance(limit, exp.Fetch) else limit.expression
    if not (isinstance(count, exp.Literal) and count.is_int):
        return Refusal(
            reason="CONSTRUCT_NOT_ALLOWED",
            message="LIMIT must be a whole number.",
            feedback="Write LIMIT with a number.",
        )
    if int(count.this) > most:
        _set(tree, most + 1)
        statement.changes[f"LIMIT {count.this} was lowered to {most:,} rows."] = None
    return None


def _set(tree: exp.Query, rows: int) -> None:
    tree.set("limit", exp.Limit(expression=exp.Literal.number(rows)))
