"""Finds a count over groups of one row each: a child table was forgotten, and every count is 1."""

from sqlglot import exp

from text2sql.datasource.catalog import Catalog, Table, quote_name
from text2sql.validation.refusal import Refusal
from text2sql.validation.statement import Statement

MAX_TOLD = 3


def find_lone_groups(statement: Statement) -> Refusal | None:
    """Return what speaks against `SELECT name, COUNT(*) FROM parties GROUP BY name`, where names are unique.

    To be asked of first drafts only: somebody may want just that.
    """
    for select in statement.nodes:
        if isinstance(select, exp.Select) and (table := _only_table(select, statement)):
            group = select.args.get("group")
            columns = (
                [each.name for each in group.expressions if isinstance(each, exp.Column)] if group else []
            )
            if not (columns and _counts_rows(select) and table.tells_rows_apart(columns)):
                continue
            if joins := _joins_to(table, statement.catalog):
                message = (
                    f"Each group by {', '.join(columns)} holds one row of {table.name}, so each count is 1."
                )
                remedy = f"Count the rows of a table that points at it: {' or '.join(joins)}."
                return Refusal(reason="COUNT_IS_ALWAYS_ONE", message=message, feedback=f"{message} {remedy}")
    return None


def _only_table(select: exp.Select, statement: Statement) -> Table | None:
    """Return the catalog's table where the query reads one, and nothing else."""
    source = select.args.get("from_")
    if source is None or select.args.get("joins"):
        return None
    return next((table for node, table in statement.tables if node is source.this), None)


def _counts_rows(select: exp.Select) -> bool:
    clauses = [*select.expressions, select.args.get("order"), select.args.get("having")]
    return any(
        isinstance(node, exp.Anonymous) and node.name.upper() == "COUNT"
        for clause in clauses
        if clause
        for node in clause.walk(prune=lambda node: isinstance(node, exp.Query))
    )


def _joins_to(table: Table, catalog: Catalog) -> list[str]:
    """Return how the first few tables are joined that point at this one."""
    return [
        f"JOIN {quote_name(other.name)} ON "
        + " AND ".join(
            f"{quote_name(other.name)}.{here} = {quote_name(table.name)}.{there}"
            for here, there in zip(key.columns, key.references, strict=True)
        )
        for other in catalog.tables
        for key in other.foreign_keys
        if key.table == table.name
    ][:MAX_TOLD]
