"""Refuses what SQLite answers with an arbitrary row: a bare column beside an aggregate, ungrouped."""

from sqlglot import exp

from text2sql.messages import Dialect
from text2sql.validation.refusal import Refusal


def refuse_ungrouped(tree: exp.Expr, dialect: Dialect) -> Refusal | None:
    """Refuse `SELECT name FROM … ORDER BY SUM(x)`; MySQL does so itself.

    MIN and MAX are let through: SQLite documents that the bare columns come from their row.
    """
    if dialect != "sqlite":
        return None
    for select in tree.find_all(exp.Select):
        if select.args.get("group"):
            continue
        clauses = [*select.selects, select.args.get("having"), select.args.get("order")]
        aggregates = [found for clause in clauses if clause for found in _own(clause, exp.AggFunc)]
        bare = [
            column
            for projection in select.selects
            for column in _own(projection, exp.Column)
            if not column.find_ancestor(exp.AggFunc)
        ]
        if bare and any(not isinstance(found, exp.Min | exp.Max) for found in aggregates):
            columns = ", ".join(dict.fromkeys(column.sql(dialect="sqlite") for column in bare))
            return Refusal(
                reason="NOT_GROUPED",
                message="A sum or a count stands beside a plain column without GROUP BY.",
                feedback=f"Add GROUP BY {columns}.",
            )
    return None


def _own(clause: exp.Expr, kind: type[exp.Expr]) -> list[exp.Expr]:
    """Return the nodes of a clause that belong to its own query, and aggregates that are no window's."""
    nodes = clause.walk(prune=lambda node: isinstance(node, exp.Query | exp.Window))
    return [node for node in nodes if isinstance(node, kind)]
