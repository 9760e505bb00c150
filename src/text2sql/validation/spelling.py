"""Gives one form to what sqlglot would read or write in two, so that a tree and its text agree."""

from sqlglot import exp

_MODIFIERS = ("order", "limit", "offset")
_PLAIN_AMOUNTS = (exp.Literal, exp.Column, exp.Paren, exp.Neg, exp.Anonymous)


def settle_spelling(tree: exp.Query) -> None:
    """Change the tree in place; its meaning stays the same."""
    for node in list(tree.walk()):
        if isinstance(node, exp.With):
            _spell_common_names(node)
        elif isinstance(node, exp.Subquery):
            _move_modifiers_inside(node)
        elif isinstance(node, exp.Any) and isinstance(node.this, exp.Select | exp.SetOperation):
            node.set("this", exp.Subquery(this=node.this))
        elif isinstance(node, exp.Not) and _binds_tighter(node.parent):
            node.replace(exp.Paren(this=node.copy()))
        elif isinstance(node, exp.Interval) and not isinstance(node.this, _PLAIN_AMOUNTS):
            node.set("this", exp.Paren(this=node.this))


def _binds_tighter(parent: exp.Expr | None) -> bool:
    """Tell whether NOT must be kept together: `1 = 1 NOT IN (2)` is written with NOT in front of IN."""
    return isinstance(parent, exp.Predicate | exp.Binary) and not isinstance(parent, exp.Connector)


def _spell_common_names(with_: exp.With) -> None:
    """Write the names of common table expressions as they were defined: their case does not count."""
    defined = {cte.alias.lower(): cte for cte in reversed(with_.expressions)}
    query = with_.parent
    for table in query.find_all(exp.Table) if query else ():
        cte = defined.get(table.name.lower())
        if cte is None or table.db or (not with_.recursive and table.find_ancestor(exp.CTE) is cte):
            continue
        if table.name != cte.alias:
            alias = table.args.get("alias") or exp.TableAlias(this=table.this.copy())
            table.set("alias", alias)
            table.set("this", exp.to_identifier(cte.alias, quoted=table.this.args.get("quoted")))


def _move_modifiers_inside(subquery: exp.Subquery) -> None:
    """Read `(SELECT …) ORDER BY x` as `(SELECT … ORDER BY x)`, where the inside has none of its own."""
    inside = subquery.this
    if not isinstance(inside, exp.Select | exp.SetOperation) or any(inside.args.get(m) for m in _MODIFIERS):
        return
    for modifier in _MODIFIERS:
        value = subquery.args.get(modifier)
        if value:
            subquery.set(modifier, None)
            inside.set(modifier, value)
