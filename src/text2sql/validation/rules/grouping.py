"""Refuses what SQLite answers with an arbitrary row: a bare column beside an aggregate, ungrouped."""

from sqlglot import exp

from text2sql.validation.function_names import AGGREGATES
from text2sql.validation.refusal import Refusal
from text2sql.validation.statement import Statement

_ROW_OF_ITS_OWN = frozenset({"MIN", "MAX"})
"""SQLite documents that bare columns come from the row of these."""


def refuse_ungrouped_columns(statement: Statement) -> Refusal | None:
    """Refuse `SELECT name FROM … ORDER BY SUM(x)`; MySQL does so itself."""
    if statement.dialect != "sqlite":
        return None
    for select in statement.nodes:
        if not isinstance(select, exp.Select) or select.args.get("group"):
            continue
        clauses = [*select.selects, select.args.get("having"), select.args.get("order")]
        aggregates = [call for clause in clauses if clause for call in _own(clause) if _is_aggregate(call)]
        bare = [
            node
            for projection in select.selects
            for node in _own(projection)
            if isinstance(node, exp.Column) and not _stands_in_aggregate(node)
        ]
        if bare and any(call.name.upper() not in _ROW_OF_ITS_OWN for call in aggregates):
            columns = ", ".join(dict.fromkeys(column.sql(dialect="sqlite") for column in bare))
            return Refusal(
                reason="NOT_GROUPED",
                message="A sum or a count stands beside a plain column without GROUP BY.",
                feedback=f"Add GROUP BY {columns}.",
            )
    return None


def _own(clause: exp.Expr) -> list[exp.Expr]:
    """Return the nodes of a clause that belong to its own query and to no window."""
    return list(clause.walk(prune=lambda node: isinstance(node, exp.Query | exp.Window)))


def _is_aggregate(node: exp.Expr) -> bool:
    if not isinstance(node, exp.Anonymous) or isinstance(node.parent, exp.Window):
        return False
    name = node.name.upper()
    # With several arguments MIN and MAX choose among them, row by row.
    return name in AGGREGATES["sqlite"] and not (name in _ROW_OF_ITS_OWN and len(node.expressions) > 1)


def _stands_in_aggregate(column: exp.Column) -> bool:
    node = column.find_ancestor(exp.Anonymous, exp.Query)
    while isinstance(node, exp.Anonymous):
        if _is_aggregate(node):
            return True
        node = node.find_ancestor(exp.Anonymous, exp.Query)
    return False
