"""Keeps SQLite from reading a common table expression where a table is meant.

There every name of a WITH clause is seen by all of its expressions, also by its own and by those before it.
MySQL and MariaDB, and the rules before this one, see it behind its definition alone.
"""

from sqlglot import exp

from text2sql.validation.refusal import Refusal
from text2sql.validation.scopes import nearest_definition
from text2sql.validation.statement import Statement


def qualify_shadowed_tables(statement: Statement) -> Refusal | None:
    """Write `WITH orders AS (SELECT * FROM main.orders)` where SQLite would call it a circular reference.

    What it would run, with another meaning, is refused.
    """
    if statement.dialect != "sqlite" or not any(isinstance(node, exp.CTE) for node in statement.nodes):
        return None
    tables = {id(node): table for node, table in statement.tables}
    for node in statement.nodes:
        definition = nearest_definition(node) if isinstance(node, exp.Table) else None
        if definition is None:
            continue
        table = tables.get(id(node))
        if table is None and _is_behind(node, definition):
            continue
        if table and (node.text("db") or _is_circular(node, definition)):
            if not table.schema_name:
                node.set("db", exp.to_identifier("main"))
            continue
        return Refusal(
            reason="AMBIGUOUS_TABLE",
            message=f"{definition.alias} may mean what WITH defines, or something else of that name.",
            feedback=f"Give {definition.alias} in the WITH clause a name that nothing else has.",
        )
    return None


def _holder(node: exp.Expr, definition: exp.CTE) -> exp.Expr | None:
    """Return the expression of the definition's own WITH clause that the node stands in."""
    inside: exp.Expr | None = node
    while inside and inside.parent is not definition.parent:
        inside = inside.parent
    return inside


def _is_behind(node: exp.Expr, definition: exp.CTE) -> bool:
    """Tell whether the node stands where every database sees the definition."""
    holder, clause = _holder(node, definition), definition.parent
    if holder is None or not isinstance(clause, exp.With):
        return True
    if holder is definition:
        return bool(clause.recursive)
    return clause.expressions.index(holder) > clause.expressions.index(definition)


def _is_circular(node: exp.Expr, definition: exp.CTE) -> bool:
    """Tell whether SQLite refuses the name: in its own definition, but a set operation is a recursion."""
    return _holder(node, definition) is definition and not isinstance(
        definition.this.unnest(), exp.SetOperation
    )
