"""Refuses a recursive common table expression that may never end."""

from collections.abc import Iterator

from sqlglot import exp

from text2sql.execution.recursion import RECURSION_STEPS
from text2sql.messages import Dialect
from text2sql.validation.refusal import Refusal
from text2sql.validation.statement import Statement

_UPWARD = (exp.LT, exp.LTE)
_DOWNWARD = (exp.GT, exp.GTE)


def bound_recursion(statement: Statement) -> Refusal | None:
    """Refuse a recursion without a bound, or with one beyond the rounds that the executor allows.

    A bound is a LIMIT, a comparison of a column that counts towards it, a join that follows a key to a table,
    or UNION (not ALL) over columns that are only passed on.
    """
    for with_ in statement.nodes:
        if not (isinstance(with_, exp.With) and with_.recursive):
            continue
        for cte in with_.expressions:
            for member in _recursive_members(cte):
                if not _is_bounded(member, cte, statement.dialect):
                    return Refusal(
                        reason="RECURSION_NOT_BOUNDED",
                        message=f"The recursion of {cte.alias} has no end within {RECURSION_STEPS:,} rounds.",
                        feedback=f"Let WHERE end it, where a column of {cte.alias} has counted up to "
                        f"{RECURSION_STEPS} at most, or join it with a table.",
                    )
    return None


def _recursive_members(cte: exp.CTE) -> Iterator[exp.Select]:
    """Yield the parts of a set operation that read the expression itself."""
    pending = [cte.this]
    while pending:
        query = pending.pop()
        if isinstance(query, exp.SetOperation):
            pending += [query.this, query.expression]
        elif isinstance(query, exp.Subquery):
            pending.append(query.this)
        elif isinstance(query, exp.Select) and any(
            table.name.lower() == cte.alias.lower() for table in query.find_all(exp.Table)
        ):
            yield query


def _is_bounded(member: exp.Select, cte: exp.CTE, dialect: Dialect) -> bool:
    if cte.this.args.get("limit") and dialect != "mariadb":  # it counts all rows before it cuts them
        return True
    tables = (table for table in member.find_all(exp.Table) if table.name.lower() != cte.alias.lower())
    others = {table.alias_or_name.lower() for table in tables}
    if others and _leads_on(member, others):
        return True
    next_values = _next_values(member, cte)
    where = member.args.get("where")
    if where and any(_ends(condition, next_values) for condition in _all_of(where.this)):
        return True
    is_distinct = isinstance(cte.this, exp.Union) and bool(cte.this.args.get("distinct"))
    return is_distinct and all(_is_passed_on(item) for item in member.selects)


def _all_of(condition: exp.Expr) -> Iterator[exp.Expr]:
    """Yield the conditions that must all hold."""
    return condition.flatten() if isinstance(condition, exp.And) else iter((condition,))


def _next_values(member: exp.Select, cte: exp.CTE) -> dict[str, exp.Expr]:
    """Return what each column of the expression becomes in the next round."""
    first = cte.this
    while isinstance(first, exp.SetOperation | exp.Subquery):
        first = first.this
    if not isinstance(first, exp.Select):
        return {}
    names = cte.alias_column_names or [item.alias_or_name for item in first.selects]
    return {name.lower(): item.unalias() for name, item in zip(names, member.selects, strict=False)}


def _ends(condition: exp.Expr, next_values: dict[str, exp.Expr]) -> bool:
    """Tell whether the condition compares a column that moves towards a bound that is not too far."""
    if isinstance(condition, exp.Between):
        column, bound, is_upward = condition.this, condition.args["high"], True
    elif isinstance(condition, (*_UPWARD, *_DOWNWARD)):
        column, bound, is_upward = condition.this, condition.expression, isinstance(condition, _UPWARD)
        if isinstance(bound, exp.Column) and not isinstance(column, exp.Column):
            column, bound, is_upward = bound, column, not is_upward
    else:
        return False
    following = next_values.get(column.name.lower()) if isinstance(column, exp.Column) else None
    if following is None:
        return False
    if isinstance(bound, exp.Literal) and not bound.is_string and float(bound.this) > RECURSION_STEPS:
        return False
    return _moves(following, column.name.lower(), is_upward=is_upward)


def _moves(value: exp.Expr, name: str, *, is_upward: bool) -> bool:
    """Tell whether the value is the column plus something; of a call of a function it is believed."""
    if isinstance(value, exp.Anonymous):
        return any(column.name.lower() == name for column in value.find_all(exp.Column))
    towards = exp.Add if is_upward else exp.Sub
    if not isinstance(value, towards):
        return False
    column, step = value.this, value.expression
    if is_upward and isinstance(step, exp.Column):
        column, step = step, column
    if not (isinstance(column, exp.Column) and column.name.lower() == name):
        return False
    return isinstance(step, exp.Interval) or (
        isinstance(step, exp.Literal) and not step.is_string and float(step.this) > 0
    )


def _leads_on(member: exp.Select, others: set[str]) -> bool:
    """Tell whether a key leads from the recursion to a table: a tree ends, a table is finite."""
    if any(join.args.get("using") or join.method == "NATURAL" for join in member.find_all(exp.Join)):
        return True
    return any(
        isinstance(pair.this, exp.Column)
        and isinstance(pair.expression, exp.Column)
        and (pair.this.table.lower() in others) != (pair.expression.table.lower() in others)
        for pair in member.find_all(exp.EQ)
    )


def _is_passed_on(item: exp.Expr) -> bool:
    return isinstance(item.unalias(), exp.Column | exp.Star | exp.Literal | exp.Null)
