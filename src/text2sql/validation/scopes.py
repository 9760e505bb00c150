"""What the parts of one query offer to its names: sources, select items, merged columns, definitions."""

from dataclasses import dataclass

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

from text2sql.datasource.catalog import Table


@dataclass(frozen=True)
class Source:
    """What one entry of a FROM clause offers."""

    columns: dict[str, str]
    """Column names by their lower-case form."""
    table: Table | None = None
    """The catalog's table; None for a derived table or a common table expression."""
    node: exp.Table | None = None
    """Where the statement names that table."""


def selects(scope: Scope) -> list[exp.Expr]:
    """Return the select items of the scope's query."""
    query = scope.expression
    return list(query.selects) if isinstance(query, exp.Query) else []


def compared_with(column: exp.Column) -> exp.Column | None:
    """Return the column that this one is to equal, as in `a.id = b.id`; None where it is no other column."""
    ends = column.parent.unnest_operands() if isinstance(column.parent, exp.EQ) else ()
    return next((end for end in ends if isinstance(end, exp.Column) and end is not column), None)


def is_merged(name: str, scope: Scope) -> bool:
    """Tell whether USING or NATURAL makes one column of the name's owners."""
    for join in scope.expression.args.get("joins") or ():
        if join.method == "NATURAL":
            return True
        if any(identifier.name.lower() == name for identifier in join.args.get("using") or ()):
            return True
    return False


def _may_use_alias(column: exp.Column) -> bool:
    """Tell whether the column stands where SQL lets a select alias stand: GROUP BY, HAVING, ORDER BY."""
    clause = column.find_ancestor(exp.Group, exp.Having, exp.Order, exp.Select, exp.SetOperation)
    return isinstance(clause, exp.Group | exp.Having | exp.Order)


def names_an_output(column: exp.Column, scope: Scope, outputs: list[str], *, anywhere: bool) -> bool:
    """Tell whether the name is a select item's: SQL allows it in GROUP BY and after, SQLite `anywhere`.

    `outputs` are the names of the columns that the scope's query yields.
    """
    if not isinstance(scope.expression, exp.Select):  # the ORDER BY of a set operation, not one of its parts
        return column.find_ancestor(exp.Query) is scope.expression and any(
            output.lower() == column.name.lower() for output in outputs
        )
    late = _may_use_alias(column)
    for select in selects(scope):
        if select.alias_or_name.lower() == column.name.lower():
            given = isinstance(select, exp.Alias) and column.find_ancestor(exp.Alias) is not select
            if late or (anywhere and given):
                return True
    return False


def given_columns(node: exp.Expr, source: Scope) -> list[str]:
    """Return the column names that an alias such as `t(a, b)` gives, or the WITH clause does."""
    named = node.args.get("alias")
    own = [column.name for column in named.args.get("columns") or ()] if named else []
    defined = source.expression.find_ancestor(exp.CTE) if isinstance(node, exp.Table) else None
    return own or list(source.outer_columns) or (defined.alias_column_names if defined else [])


def nearest_definition(table: exp.Table) -> exp.CTE | None:
    """Return the innermost common table expression of that name in a WITH clause around the node.

    It may hold the node, or stand behind it.
    """
    name = table.name.lower()
    query = table.find_ancestor(exp.Query)
    while query:
        clause = query.args.get("with_")
        for definition in clause.expressions if clause else ():
            if definition.alias.lower() == name:
                return definition  # type: ignore[no-any-return]
        query = query.find_ancestor(exp.Query)
    return None
