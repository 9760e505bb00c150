"""Resolves every table and column against the catalog, and writes table names as the catalog does."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, ScopeType, traverse_scope, walk_in_scope

from text2sql.datasource.catalog import Catalog, Table
from text2sql.validation.refusal import Refusal
from text2sql.validation.scopes import Source, alias_columns, is_merged, names_an_output, selects
from text2sql.validation.suggestions import suggest_column, suggest_join, suggest_table

MAX_TOLD = 3
"""How many names a refusal explains at once."""

_OWN_WORLD = (ScopeType.DERIVED_TABLE, ScopeType.CTE, ScopeType.ROOT)
"""Scopes that cannot see the columns of the query around them."""


class NameRefused(Exception):
    """Leaves the walk at the first name that does not resolve."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


class NameResolver:
    """Walks the scopes of one statement, innermost first."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._tables = {table.name: table for table in catalog.tables}
        self._tables_by_lower = {table.name.lower(): table for table in catalog.tables}
        self._outputs: dict[int, list[str]] = {}
        self._sources: dict[int, dict[str, Source]] = {}
        self.used: dict[str, None] = {}
        """Names of the tables that the statement reads, in order of appearance."""
        self.changes: dict[str, None] = {}
        """What was respelled in a way that people should know."""

    def resolve(self, tree: exp.Query) -> Refusal | None:
        """Return the first refusal, with the feedback for the first few; names are respelled in the tree."""
        refusals: list[Refusal] = []
        try:
            scopes = traverse_scope(tree)
            for scope in scopes:
                self._sources[id(scope)] = self._read_sources(scope)
                self._outputs[id(scope)] = self._read_outputs(scope)
        except NameRefused as refused:  # without its tables no column can be looked up
            return refused.refusal
        for scope in scopes:
            for node in walk_in_scope(scope.expression):
                if isinstance(node, exp.Column):
                    with _collected(refusals):
                        self._resolve_column(node, scope)
            with _collected(refusals):
                self._resolve_using(scope)
        if not refusals:
            return None
        told = list(dict.fromkeys(refusal.feedback for refusal in refusals))[:MAX_TOLD]
        return refusals[0].model_copy(update={"feedback": " ".join(told)})

    # ── what a scope offers ──────────────────────────────────────────────────────────────────────

    def _read_sources(self, scope: Scope) -> dict[str, Source]:
        if isinstance(scope.expression, exp.SetOperation):
            return {}
        sources: dict[str, Source] = {}
        for alias, (_, source) in scope.selected_sources.items():
            if isinstance(source, exp.Table):
                table = self._find_table(source)
                columns = {column.name.lower(): column.name for column in table.columns}
                sources[alias] = Source(columns=columns, table=table)
            else:
                outputs = self._outputs.get(id(source), [])
                names = alias_columns(source, scope, alias) or outputs
                sources[alias] = Source(columns={name.lower(): name for name in names}, table=None)
        return sources

    def _find_table(self, node: exp.Table) -> Table:
        schema = node.db
        if node.catalog or (schema and schema.lower() not in {self._catalog.name.lower(), "main"}):
            raise NameRefused(
                Refusal(
                    reason="UNKNOWN_TABLE",
                    message=f"The table {node.sql(comments=False)} is not part of this database.",
                    feedback="Use only the tables of the schema above, without a database name before them.",
                )
            )
        table = self._tables.get(node.name) or self._tables_by_lower.get(node.name.lower())
        if table is None:
            raise NameRefused(
                Refusal(
                    reason="UNKNOWN_TABLE",
                    message=f"There is no table {node.name}.",
                    feedback=suggest_table(node.name, self._catalog),
                )
            )
        node.set("db", None)
        if node.name != table.name:
            if not node.alias:
                node.set("alias", exp.TableAlias(this=node.this.copy()))
            node.set("this", exp.to_identifier(table.name, quoted=node.this.quoted or None))
        self.used[table.name] = None
        return table

    def _read_outputs(self, scope: Scope) -> list[str]:
        if isinstance(scope.expression, exp.SetOperation):
            return self._outputs.get(id(scope.set_operation_scopes[0]), [])
        outputs: list[str] = []
        for projection in selects(scope):
            star = projection.this if isinstance(projection, exp.Column) else projection
            if isinstance(star, exp.Star):
                wanted = projection.table.lower() if isinstance(projection, exp.Column) else ""
                for alias, source in self._sources[id(scope)].items():
                    if not wanted or alias.lower() == wanted:
                        outputs.extend(source.columns.values())
            else:
                outputs.append(projection.alias_or_name)
        return outputs

    # ── columns ──────────────────────────────────────────────────────────────────────────────────

    def _resolve_column(self, column: exp.Column, scope: Scope) -> None:
        if isinstance(column.this, exp.Star):
            if column.table:
                self._find_source(column, scope)
            return
        if column.table:
            source = self._find_source(column, scope)
            if column.name.lower() not in source.columns:
                self._refuse_column(column, self._tables_in(scope))
            return
        current: Scope | None = scope
        while current is not None:
            if self._resolves_in(column, current):
                return
            current = None if current.scope_type in _OWN_WORLD else current.parent
        self._refuse_column(column, self._tables_in(scope))

    def _resolves_in(self, column: exp.Column, scope: Scope) -> bool:
        name = column.name.lower()
        owners = [alias for alias, s in self._sources[id(scope)].items() if name in s.columns]
        if len(owners) == 1 or (owners and is_merged(name, scope)):
            return True
        if names_an_output(column, scope, anywhere=self._catalog.dialect == "sqlite" and not owners):
            return True
        if owners:
            raise NameRefused(
                Refusal(
                    reason="AMBIGUOUS_COLUMN",
                    message=f"The column {column.name} is in more than one table: {', '.join(owners)}.",
                    feedback=f"Write {' or '.join(f'{alias}.{column.name}' for alias in owners)}.",
                )
            )
        return False

    def _find_source(self, column: exp.Column, scope: Scope) -> Source:
        wanted = column.table
        current: Scope | None = scope
        while current is not None:
            sources = self._sources[id(current)]
            for alias, source in sources.items():
                if alias.lower() == wanted.lower():
                    if column.args.get("db"):
                        column.set("db", None)
                    if alias != wanted:
                        quoted = column.args["table"].quoted or None
                        column.set("table", exp.to_identifier(alias, quoted=quoted))
                    return source
            current = None if current.scope_type in _OWN_WORLD else current.parent
        hidden = self._find_hidden_name(column, scope)
        if hidden:
            return hidden
        table = self._tables_by_lower.get(wanted.lower())
        if table is not None:
            link = suggest_join(table, self._tables_in(scope), self._catalog)
            feedback = f"The table {table.name} is not in the FROM clause of this query. {link}"
        else:
            feedback = f"No table in the FROM clause is called {wanted}."
        raise NameRefused(
            Refusal(
                reason="UNKNOWN_TABLE",
                message=f"Nothing in the FROM clause is called {wanted}.",
                feedback=feedback,
            )
        )

    def _find_hidden_name(self, column: exp.Column, scope: Scope) -> Source | None:
        """Read `orders.status` as `o.status` where orders stands in FROM once, as o."""
        wanted = column.table.lower()
        found = [
            (alias, source)
            for alias, source in self._sources[id(scope)].items()
            if source.table and source.table.name.lower() == wanted
        ]
        if len(found) != 1:
            return None
        alias, source = found[0]
        self.changes[f"{column.table}.{column.name} was read as {alias}.{column.name}."] = None
        column.set("table", exp.to_identifier(alias))
        return source

    def _tables_in(self, scope: Scope) -> dict[str, Table]:
        sources = self._sources[id(scope)].items()
        return {alias: source.table for alias, source in sources if source.table}

    def _refuse_column(self, column: exp.Column, tables: dict[str, Table]) -> NoReturn:
        written = f"{column.table}.{column.name}" if column.table else column.name
        hint = suggest_column(column.name, tables, self._catalog)
        if column.this.quoted and self._catalog.dialect == "sqlite":
            hint += " Put text values in single quotes."
        raise NameRefused(
            Refusal(
                reason="UNKNOWN_COLUMN",
                message=f"There is no column {written}.",
                feedback=f"There is no column {written}. {hint}",
            )
        )

    def _resolve_using(self, scope: Scope) -> None:
        for join in scope.expression.args.get("joins") or ():
            for identifier in join.args.get("using") or ():
                name = identifier.name.lower()
                owners = [s for s in self._sources[id(scope)].values() if name in s.columns]
                if len(owners) < 2:  # noqa: PLR2004 — USING merges a pair
                    raise NameRefused(
                        Refusal(
                            reason="UNKNOWN_COLUMN",
                            message=f"The column {identifier.name} in USING is not in both tables.",
                            feedback=f"USING ({identifier.name}) needs it in both tables. Join with ON.",
                        )
                    )


@contextmanager
def _collected(refusals: list[Refusal]) -> Iterator[None]:
    try:
        yield
    except NameRefused as refused:
        refusals.append(refused.refusal)
