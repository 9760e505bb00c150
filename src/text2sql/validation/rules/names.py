"""Resolves every table and column against the catalog, and writes table names as the catalog does."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from sqlglot import exp
from sqlglot.errors import OptimizeError
from sqlglot.optimizer.scope import Scope, ScopeType, traverse_scope, walk_in_scope

from text2sql.datasource.catalog import Table
from text2sql.validation.refusal import Refusal
from text2sql.validation.scopes import Source, given_columns, is_merged, names_an_output, selects
from text2sql.validation.statement import Statement
from text2sql.validation.suggestions import suggest_column, suggest_join, suggest_table

MAX_TOLD = 3
"""How many names a refusal explains at once."""

_BESIDE_OTHERS = (ScopeType.DERIVED_TABLE, ScopeType.CTE)
"""Scopes that cannot see the columns of the query in whose FROM or WITH clause they stand."""


class NameRefused(Exception):
    """Leaves the walk at the first name that does not resolve."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def resolve_names(statement: Statement) -> Refusal | None:
    """Refuse the first name that does not resolve; names are respelled in the tree.

    The refusal holds the feedback for the first few of them.
    """
    return _NameResolver(statement).resolve(statement.tree)


class _NameResolver:
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
        self._outputs: dict[int, list[str]] = {}
        self._sources: dict[int, dict[str, Source]] = {}
        self._seen: set[int] = set()

    def resolve(self, tree: exp.Query) -> Refusal | None:
        refusals: list[Refusal] = []
        try:
            scopes = traverse_scope(tree)
            for scope in scopes:
                self._sources[id(scope)] = self._read_sources(scope)
                self._outputs[id(scope.expression)] = self._read_outputs(scope)
        except NameRefused as refused:  # without its tables no column can be looked up
            return refused.refusal
        except OptimizeError:
            return Refusal(
                reason="AMBIGUOUS_TABLE",
                message="Two tables of one FROM clause have the same name.",
                feedback="Give each table of the FROM clause an alias of its own.",
            )
        for scope in scopes:
            for node in walk_in_scope(scope.expression):
                if len(refusals) >= MAX_TOLD:
                    break  # to look for what each may have meant takes a while
                if isinstance(node, exp.Column):
                    self._seen.add(id(node))
                    if isinstance(node.parent, exp.Partition):
                        continue  # the name of a part of the table
                    with _collected(refusals):
                        self._resolve_column(node, scope)
            with _collected(refusals):
                self._resolve_using(scope)
        if not refusals:
            return self._find_unseen()
        told = list(dict.fromkeys(refusal.feedback for refusal in refusals))[:MAX_TOLD]
        return refusals[0].model_copy(update={"feedback": " ".join(told)})

    def _find_unseen(self) -> Refusal | None:
        """Refuse a name that no scope has led to: what was not looked at must not run."""
        for node in self._statement.nodes:
            if not isinstance(node, exp.Table | exp.Column):
                continue
            if id(node) not in self._seen and not isinstance(node.this, exp.Star):
                return Refusal(
                    reason="CONSTRUCT_NOT_ALLOWED",
                    message=f"The name {node.name} stands where it cannot be looked up.",
                    feedback=f"Write {node.name} in a plain FROM or SELECT clause.",
                )
        return None

    # ── what a scope offers ──────────────────────────────────────────────────────────────────────

    def _read_sources(self, scope: Scope) -> dict[str, Source]:
        if isinstance(scope.expression, exp.SetOperation):
            return {}
        sources: dict[str, Source] = {}
        for alias, (node, source) in scope.selected_sources.items():
            self._seen.add(id(node))
            if isinstance(node.this, exp.JSONTable):
                sources[alias] = Source(columns=_json_columns(node.this))
            elif isinstance(node, exp.Table) and not _is_common(node, source, scope):
                table = self._find_table(node, scope)
                columns = {column.name.lower(): column.name for column in table.columns}
                sources[alias] = Source(columns=columns, table=table, node=node)
            elif isinstance(source, Scope):
                outputs = self._outputs.get(id(source.expression), [])
                names = given_columns(node, source) or outputs
                sources[alias] = Source(columns={name.lower(): name for name in names})
        return sources

    def _find_table(self, node: exp.Table, scope: Scope) -> Table:
        own = self._catalog.name.lower()
        schema = node.db.lower() or own
        if schema == "main" and self._catalog.dialect == "sqlite":
            schema = own
        table = self._tables.get((schema, node.name)) or self._tables.get((schema, node.name.lower()))
        if table is None:
            raise NameRefused(self._refuse_table(node, known_schema=schema == own))
        is_shadowed = node.name.lower() in {name.lower() for name in scope.cte_sources}
        if not table.schema_name and not is_shadowed:
            node.set("db", None)
        if node.name != table.name:
            if not node.alias:
                node.set("alias", exp.TableAlias(this=node.this.copy()))
            node.set("this", exp.to_identifier(table.name, quoted=node.this.quoted or None))
        self._statement.tables.append((node, table))
        return table

    def _refuse_table(self, node: exp.Table, *, known_schema: bool) -> Refusal:
        if known_schema:
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

    def _read_outputs(self, scope: Scope) -> list[str]:
        query = scope.expression
        if isinstance(query, exp.SetOperation | exp.Subquery | exp.Lateral):
            return self._outputs.get(id(_unwrapped(query.this)), [])
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
            self._own(column, source)
        elif not any(self._resolves_in(column, each) for each in self._visible_from(scope)):
            self._refuse_column(column, self._tables_in(scope))

    def _visible_from(self, scope: Scope) -> Iterator[Scope]:
        """Yield the scope and those around it whose names it may use."""
        current: Scope | None = scope
        while current is not None:
            yield current
            if current.scope_type in _BESIDE_OTHERS and not current.is_udtf:
                # It stands in a FROM or WITH clause beside what it must not see; MySQL shows it what is
                # around the whole query.
                current = None if self._catalog.dialect == "sqlite" else current.parent
                while current is not None and current.scope_type in (
                    *_BESIDE_OTHERS,
                    ScopeType.SET_OPERATION,
                ):
                    current = current.parent
            current = current.parent if current else None

    def _resolves_in(self, column: exp.Column, scope: Scope) -> bool:
        name = column.name.lower()
        owners = {alias: s for alias, s in self._sources[id(scope)].items() if name in s.columns}
        if len(owners) == 1 or (owners and is_merged(name, scope)):
            self._own(column, next(iter(owners.values())))
            return True
        if len(owners) > 1:
            owners = _joined_so_far(column, owners, list(self._sources[id(scope)])) or owners
            if len(owners) == 1:
                self._own(column, next(iter(owners.values())))
                return True
        outputs = self._outputs[id(scope.expression)]
        if names_an_output(column, scope, outputs, anywhere=self._catalog.dialect == "sqlite" and not owners):
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

    def _own(self, column: exp.Column, source: Source) -> None:
        if source.node is not None:
            self._statement.owners[id(column)] = source.node

    def _find_source(self, column: exp.Column, scope: Scope) -> Source:
        wanted = column.table
        for current in self._visible_from(scope):
            for alias, source in self._sources[id(current)].items():
                if alias.lower() == wanted.lower():
                    if column.args.get("db"):
                        column.set("db", None)
                    if alias != wanted:
                        quoted = column.args["table"].quoted or None
                        column.set("table", exp.to_identifier(alias, quoted=quoted))
                    return source
        hidden = self._find_hidden_name(column, scope)
        if hidden:
            return hidden
        table = self._tables.get((self._catalog.name.lower(), wanted.lower()))
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
        self._statement.changes[f"{column.table}.{column.name} was read as {alias}.{column.name}."] = None
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


def _unwrapped(query: exp.Expr) -> exp.Expr:
    """Return the query inside parentheses."""
    return query.unnest() if isinstance(query, exp.Subquery) else query


def _is_common(node: exp.Table, source: exp.Table | Scope, scope: Scope) -> bool:
    """Tell whether the name is that of a common table expression.

    sqlglot also takes it for an alias that stands before LATERAL, which no server does.
    """
    return not node.db and source is not node and scope.cte_sources.get(node.name) is source


def _joined_so_far(column: exp.Column, owners: dict[str, Source], aliases: list[str]) -> dict[str, Source]:
    """Return the owners that the ON clause of a join can see: those that stand before it, and its own."""
    join = column.find_ancestor(exp.Join, exp.Query)
    last = join.alias_or_name if isinstance(join, exp.Join) else ""
    visible = aliases[: aliases.index(last) + 1] if last in aliases else []
    return {alias: source for alias, source in owners.items() if alias in visible}


def _json_columns(table: exp.JSONTable) -> dict[str, str]:
    names = [definition.name for definition in table.find_all(exp.JSONColumnDef) if definition.this]
    return {name.lower(): name for name in names}


@contextmanager
def _collected(refusals: list[Refusal]) -> Iterator[None]:
    try:
        yield
    except NameRefused as refused:
        refusals.append(refused.refusal)
