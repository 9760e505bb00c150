"""Another reading of a statement whose columns do not resolve: each moved to the only table that has it.

Such a reading runs more often than it is right. So it may vote, and is never the answer alone; a statement
that resolves is never touched.
"""

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import Scope, traverse_scope

from text2sql.datasource.catalog import Catalog, Table, quote_name
from text2sql.datasource.policy.access import Access
from text2sql.validation.grammar import GRAMMARS
from text2sql.validation.rules.syntax import parse_one_query
from text2sql.validation.scopes import compared_with, selects
from text2sql.validation.statement import Statement
from text2sql.validation.suggestions import find_only_join


def read_otherwise(text: str, access: Access) -> tuple[str, tuple[str, ...]] | None:
    """Return the statement with its columns moved, and what was done in words; None where nothing can be."""
    statement = Statement(text, access, row_limit=0)
    if parse_one_query(statement):
        return None
    try:
        changes = [
            change for scope in traverse_scope(statement.tree) for change in _Mover(scope, statement).move()
        ]
        moved = statement.tree.sql(dialect=GRAMMARS[statement.dialect])
    except (SqlglotError, RecursionError):
        return None
    return (moved, tuple(changes)) if changes else None


class _Mover:
    """Moves the columns of one query, where all that its FROM clause names are tables of the catalog."""

    def __init__(self, scope: Scope, statement: Statement) -> None:
        self._scope = scope
        self._catalog: Catalog = statement.catalog
        self._grammar = GRAMMARS[statement.dialect]
        self._tables = _tables_of(scope, statement.catalog)

    def move(self) -> list[str]:
        if not self._tables or not isinstance(self._scope.expression, exp.Select):
            return []
        return [change for column in self._scope.columns if (change := self._move(column))]

    def _move(self, column: exp.Column) -> str:
        name, named = column.name, self._tables.get(column.table.lower())
        if column.table and (named is None or named.has_column(name)):
            return ""  # right, or of a query around this one
        owners = [alias for alias, table in self._tables.items() if table.has_column(name)]
        other = compared_with(column)
        if other is not None and owners == [other.table.lower()]:
            return ""  # a table is not linked with itself
        if not column.table and (owners or self._is_output(name)):
            return ""
        if not owners:
            owners = self._join_owner(name)
        if len(owners) != 1:
            return ""
        before = column.sql(dialect=self._grammar)
        column.set("table", exp.to_identifier(owners[0]))
        return f"{before} was read as {column.sql(dialect=self._grammar)}"

    def _join_owner(self, name: str) -> list[str]:
        """Join the only table that has the column and that foreign keys lead to; return its name."""
        found = find_only_join(name, self._tables, self._catalog)
        if found is None:
            return []
        owner, joins = found
        text = f"SELECT 1 FROM {quote_name(next(iter(self._tables)))} {' '.join(joins)}"  # noqa: S608 — it is only parsed
        for join in parse_one(text, read=self._grammar).args["joins"]:
            self._scope.expression.append("joins", join)
            table = next(each for each in self._catalog.tables if each.name == join.this.name)
            self._tables[table.name.lower()] = table
        return [owner.name]

    def _is_output(self, name: str) -> bool:
        return any(item.alias.lower() == name.lower() for item in selects(self._scope))


def _tables_of(scope: Scope, catalog: Catalog) -> dict[str, Table]:
    """Return the tables of the FROM clause by their aliases in lower case; empty where there are others."""
    known = {table.name.lower(): table for table in catalog.tables if not table.schema_name}
    tables: dict[str, Table] = {}
    for alias, source in scope.sources.items():
        table = known.get(source.name.lower()) if isinstance(source, exp.Table) else None
        if table is None:
            return {}
        tables[alias.lower()] = table
    return tables
