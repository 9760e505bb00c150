"""Resolves every column against the tables and queries that its scope can see; USING merges two of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, ScopeType, walk_in_scope

from text2sql.datasource.catalog import Table
from text2sql.validation.refusal import Refusal
from text2sql.validation.scopes import Source, compared_with, is_merged, names_an_output
from text2sql.validation.statement import Statement

MAX_TOLD = 3
"""How many names a refusal explains at once."""

_BESIDE_OTHERS = (ScopeType.DERIVED_TABLE, ScopeType.CTE)
"""Scopes that cannot see the columns of the query in whose FROM or WITH clause they stand."""


class NameRefused(Exception):
    """Ends the look-up of one name that does not resolve."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def resolve_columns(statement: Statement) -> Refusal | None:
    """Refuse the first column that does not resolve; qualifiers are respelled in the tree.

    The refusal holds the feedback for the first few of them.
    """
    return _ColumnResolver(statement).resolve()


class _ColumnResolver:
    """Walks the scopes of one statement, innermost first."""

    def __init__(self, statement: Statement) -> None:
        self._statement = statement
        self._catalog = statement.catalog

    def resolve(self) -> Refusal | None:
        refusals: list[Refusal] = []
        for scope in self._statement.scopes:
            for node in walk_in_scope(scope.expression):
                if len(refusals) >= MAX_TOLD:
                    break  # to look for what each may have meant takes a while
                if isinstance(node, exp.Column):
                    self._statement.looked_up.add(id(node))
                    if isinstance(node.parent, exp.Partition):
                        continue  # the name of a part of the table
                    with _collected(refusals):
                        self._resolve_column(node, scope)
            with _collected(refusals):
                self._resolve_using(scope)
        if not refusals:
            return None
        told = list(dict.fromkeys(refusal.feedback for refusal in refusals))[:MAX_TOLD]
        return refusals[0].model_copy(update={"feedback": " ".join(told)})

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
        owners = {alias: s for alias, s in self._sources_of(scope).items() if name in s.columns}
        if len(owners) == 1 or (owners and is_merged(name, scope)):
            self._own(column, next(iter(owners.values())))
            return True
        if len(owners) > 1:
            owners = _joined_so_far(column, owners, list(self._sources_of(scope))) or owners
            if len(owners) == 1:
                self._own(column, next(iter(owners.values())))
                return True
        outputs = self._statement.outputs[id(scope.expression)]
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
            for alias, source in self._sources_of(current).items():
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
        table = self._table_called(wanted.lower())
        if table is not None:
            from text2sql.validation.suggestions import suggest_join

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

    def _table_called(self, name: str) -> Table | None:
        """Return the table that the name, in lower case, means where no schema is named."""
        own = self._catalog.name.lower()
        found = [
            table
            for table in self._catalog.tables
            if table.name.lower() == name and (table.schema_name or own).lower() == own
        ]
        return min(found, key=lambda table: table.name != name, default=None)

    def _find_hidden_name(self, column: exp.Column, scope: Scope) -> Source | None:
        """Read `orders.status` as `o.status` where orders stands in FROM once, as o."""
        wanted = column.table.lower()
        found = [
            (alias, source)
            for alias, source in self._sources_of(scope).items()
            if source.table and source.table.name.lower() == wanted
        ]
        if len(found) != 1:
            return None
        alias, source = found[0]
        self._statement.changes[f"{column.table}.{column.name} was read as {alias}.{column.name}."] = None
        column.set("table", exp.to_identifier(alias))
        return source

    def _sources_of(self, scope: Scope) -> dict[str, Source]:
        return self._statement.sources[id(scope)]

    def _tables_in(self, scope: Scope) -> dict[str, Table]:
        sources = self._sources_of(scope).items()
        return {alias: source.table for alias, source in sources if source.table}

    def _refuse_column(self, column: exp.Column, tables: dict[str, Table]) -> NoReturn:
        from text2sql.validation.suggestions import suggest_column

        written = f"{column.table}.{column.name}" if column.table else column.name
        hint = self._suggest_link(column, tables) or suggest_column(column.name, tables, self._catalog)
        if column.this.quoted and self._catalog.dialect == "sqlite":
            hint += " Put text values in single quotes."
        raise NameRefused(
            Refusal(
                reason="UNKNOWN_COLUMN",
                message=f"There is no column {written}.",
                feedback=f"There is no column {written}. {hint}",
            )
        )

    def _suggest_link(self, column: exp.Column, tables: dict[str, Table]) -> str:
        """Say how to link the two tables that the column is to link, which lies in the other one."""
        from text2sql.validation.suggestions import suggest_link

        other = compared_with(column)
        if other is None or not {column.table, other.table} <= tables.keys():
            return ""
        here, there = tables[column.table], tables[other.table]
        if here is there or not there.has_column(column.name):
            return ""
        return suggest_link(column.table, here, other.table, there, self._catalog)

    def _resolve_using(self, scope: Scope) -> None:
        for join in scope.expression.args.get("joins") or ():
            for identifier in join.args.get("using") or ():
                name = identifier.name.lower()
                owners = [s for s in self._sources_of(scope).values() if name in s.columns]
                if len(owners) < 2:  # noqa: PLR2004 — USING merges a pair
                    raise NameRefused(
                        Refusal(
                            reason="UNKNOWN_COLUMN",
                            message=f"The column {identifier.name} in USING is not in both tables.",
                            feedback=f"USING ({identifier.name}) needs it in both tables. Join with ON.",
                        )
                    )


def _joined_so_far(column: exp.Column, owners: dict[str, Source], aliases: list[str]) -> dict[str, Source]:
    """Return the owners that the ON clause of a join can see: those that stand before it, and its own."""
    join = column.find_ancestor(exp.Join, exp.Query)
    last = join.alias_or_name if isinstance(join, exp.Join) else ""
    visible = aliases[: aliases.index(last) + 1] if last in aliases else []
    return {alias: source for alias, source in owners.items() if alias in visible}


@contextmanager
def _collected(refusals: list[Refusal]) -> Iterator[None]:
    try:
        yield
    except NameRefused as refused:
        refusals.append(refused.refusal)
