"""Refuses a recursive common table expression that may never end."""

from collections.abc import Iterator

from sqlglot import exp

from text2sql.execution.flavour import RECURSION_STEPS
from text2sql.validation.refusal import Refusal
from text2sql.validation.statement import Statement

_COMPARISONS = (exp.LT, exp.LTE, exp.GT, exp.GTE, exp.EQ, exp.NEQ, exp.Between)


def bound_recursion(statement: Statement) -> Refusal | None:
    """Refuse a recursion without a bound, or with one beyond the rounds that the executor allows.

    A bound is a LIMIT, a comparison with a value, a join with a table along the recursion, or UNION
    (not ALL) over columns that are only passed on.
    """
    for with_ in statement.nodes:
        if not (isinstance(with_, exp.With) and with_.recursive):
            continue
        for cte in with_.expressions:
            for member in _recursive_members(cte):
                if not _is_bounded(member, cte):
                    return Refusal(
                        reason="RECURSION_NOT_BOUNDED",
                        message=f"The recursion of {cte.alias} has no end within {RECURSION_STEPS:,} rounds.",
                        feedback=f"Compare a column of {cte.alias} with a number up to {RECURSION_STEPS}, "
                        "or join it with a table.",
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


def _is_bounded(member: exp.Select, cte: exp.CTE) -> bool:
    if any(query.args.get("limit") for query in (cte.this, member)):
        return True
    conditions = [found.this for found in member.find_all(exp.Where, exp.Having)]
    conditions += [join.args["on"] for join in member.find_all(exp.Join) if join.args.get("on")]
    for comparison in (found for condition in conditions for found in condition.find_all(*_COMPARISONS)):
        numbers = [n for n in comparison.find_all(exp.Literal) if not n.is_string]
        if comparison.find(exp.Column) and all(float(n.this) <= RECURSION_STEPS for n in numbers):
            return True
    others = [t for t in member.find_all(exp.Table) if t.name.lower() != cte.alias.lower()]
    uses_keys = any(join.args.get("using") or join.method == "NATURAL" for join in member.find_all(exp.Join))
    if others and uses_keys:
        return True
    distinct = isinstance(cte.this, exp.Union) and bool(cte.this.args.get("distinct"))
    return distinct and all(_is_passed_on(item) for item in member.selects)


def _is_passed_on(item: exp.Expr) -> bool:
    value = item.this if isinstance(item, exp.Alias) else item
    return isinstance(value, exp.Column | exp.Star | exp.Literal | exp.Null)
