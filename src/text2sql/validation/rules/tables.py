"""Resolves every table against the catalog, and notes what each query offers to the names of columns."""

from sqlglot import exp
from sqlglot.errors import OptimizeError
from sqlglot.optimizer.scope import Scope, traverse_scope

from text2sql.datasource.catalog import Table
from text2sql.validation.refusal import Refusal
from text2sql.validation.scopes import Source, given_columns, nearest_definition, selects
from text2sql.validation.statement import Statement


def resolve_tables(statement: Statement) -> Refusal | None:
    """Refuse the first table that does not resolve: without its tables no column can be looked up.

    Names are respelled in the tree as the catalog has them.
    """
    try:
        return _TableResolver(statement).resolve()
    except OptimizeError:
        return Refusal(
            reason="AMBIGUOUS_TABLE",
            message="Two tables of one FROM clause have the same name.",
            feedback="Give each table of the FROM clause an alias of its own.",
        )


class _TableResolver:
    """Walks the scopes of one statement, innermost first."""

    def __init__(self, statement: Statement) -> None:
        self._statement = statement
        self._catalog = statement.catalog
        self._tables: dict[tuple[str, str], Table] = {}
        for table in reversed(self._catalog.tables):  # of two names that differ in case only, the first
            schema = (table.schema_name or self._catalog.name).lower()
            self._tables[schema, table.name.lower()] = table
        self._tables |= {
            ((table.schema_name or self._catalog.name).lower(), table.name): table
            for table in self._catalog.tables
        }

    def resolve(self) -> Refusal | None:
        self._statement.scopes = traverse_scope(self._statement.tree)
        for scope in self._statement.scopes:
            sources: dict[str, Source] = {}
            if not isinstance(scope.expression, exp.SetOperation):
                for alias, (node, source) in scope.selected_sources.items():
                    self._statement.looked_up.add(id(node))
                    offered = self._source_of(node, source, scope)
                    if isinstance(offered, Refusal):
                        return offered
                    if offered:
                        sources[alias] = offered
            self._statement.sources[id(scope)] = sources
            self._statement.outputs[id(scope.expression)] = self._outputs_of(scope)
        return None

    def _source_of(self, node: exp.Expr, source: exp.Table | Scope, scope: Scope) -> Source | Refusal | None:
        if isinstance(node.this, exp.JSONTable):
            return Source(columns=_json_columns(node.this))
        if isinstance(node, exp.Table) and not _is_common(node, source, scope):
            table = self._find_table(node)
            if table is None:
                return self._refuse_table(node)
            self._write_name(node, table)
            self._statement.tables.append((node, table))
            columns = {column.name.lower(): column.name for column in table.columns}
            return Source(columns=columns, table=table, node=node)
        if isinstance(source, Scope):
            outputs = self._statement.outputs.get(id(source.expression), [])
            names = given_columns(node, source) or outputs
            return Source(columns={name.lower(): name for name in names})
        return None

    def _find_table(self, node: exp.Table) -> Table | None:
        schema = self._schema_of(node)
        return self._tables.get((schema, node.name)) or self._tables.get((schema, node.name.lower()))

    def _schema_of(self, node: exp.Table) -> str:
        own = self._catalog.name.lower()
        schema = node.db.lower() or own
        return own if schema == "main" and self._catalog.dialect == "sqlite" else schema

    def _write_name(self, node: exp.Table, table: Table) -> None:
        """Spell the table as the catalog does; its own schema is left out where nothing shadows it."""
        if node.db and not table.schema_name and not nearest_definition(node):
            node.set("db", None)
        if node.name != table.name:
            if not node.alias:
                node.set("alias", exp.TableAlias(this=node.this.copy()))
            node.set("this", exp.to_identifier(table.name, quoted=node.this.quoted or None))

    def _refuse_table(self, node: exp.Table) -> Refusal:
        if self._schema_of(node) == self._catalog.name.lower():
            from text2sql.validation.suggestions import suggest_table

            return Refusal(
                reason="UNKNOWN_TABLE",
                message=f"There is no table {node.name}.",
                feedback=suggest_table(node.name, self._catalog),
            )
        return Refusal(
            reason="UNKNOWN_TABLE",
            message=f"The table {node.db}.{node.name} is not part of this database.",
            feedback="Use only the tables of the schema above, without a database name before them.",
        )

    def _outputs_of(self, scope: Scope) -> list[str]:
        """Return the names of the columns that the query yields; a star yields those of its tables."""
        query = scope.expression
        if isinstance(query, exp.SetOperation | exp.Subquery | exp.Lateral):
            return self._statement.outputs.get(id(_unwrapped(query.this)), [])
        outputs: list[str] = []
        for projection in selects(scope):
            star = projection.this if isinstance(projection, exp.Column) else projection
            if isinstance(star, exp.Star):
                wanted = projection.table.lower() if isinstance(projection, exp.Column) else ""
                for alias, source in self._statement.sources[id(scope)].items():
                    if not wanted or alias.lower() == wanted:
                        outputs.extend(source.columns.values())
            else:
                outputs.append(projection.alias_or_name)
        return outputs


def _unwrapped(query: exp.Expr) -> exp.Expr:
    """Return the query inside parentheses."""
    return query.unnest() if isinstance(query, exp.Subquery) else query


def _is_common(node: exp.Table, source: exp.Table | Scope, scope: Scope) -> bool:
    """Tell whether the name is that of a common table expression.

    sqlglot also takes it for an alias that stands before LATERAL, which no server does.
    """
    return not node.db and source is not node and scope.cte_sources.get(node.name) is source


def _json_columns(table: exp.JSONTable) -> dict[str, str]:
    names = [definition.name for definition in table.find_all(exp.JSONColumnDef) if definition.this]
    return {name.lower(): name for name in names}
