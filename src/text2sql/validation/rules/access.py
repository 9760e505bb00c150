"""Narrows every table to the rows and columns that the caller may see.

Each table becomes a derived table over `schema.table`, which no common table expression can shadow, so that
nothing outside of it, stars and merged columns among them, can reach what is hidden. A filtered one ends in
a LIMIT beyond any size: no database then moves a condition of the statement below the filter, where it would
meet hidden rows and could tell of them by an error. Common table expressions get names that no table has, so
that a name which the database takes for a table's, and we do not, leads nowhere.
"""

from functools import reduce
from typing import TypeVar

from sqlglot import exp

from text2sql.datasource.catalog import Column, Table
from text2sql.datasource.policy.access import TableRules
from text2sql.validation.grammar import GRAMMARS
from text2sql.validation.refusal import Refusal
from text2sql.validation.statement import Statement

_Node = TypeVar("_Node", bound=exp.Expr)

ALL_ROWS = 2**63 - 1
"""The greatest number that every database takes for a LIMIT."""
NAME_CHARACTERS = 200
"""Of a column's name; MySQL takes 256."""


def restrict_access(statement: Statement) -> Refusal | None:
    """Put a filtered, column-restricted derived table in place of every table, where there is a policy."""
    if not statement.access.rules:
        return None
    for node, table in statement.tables:
        if table.key not in statement.access.rules:
            return Refusal(reason="UNKNOWN_TABLE", message=f"There is no table {table.name}.")
        if node.args.get("partition"):
            return Refusal(
                reason="CONSTRUCT_NOT_ALLOWED",
                message="The statement uses PARTITION, which an access policy does not allow.",
                feedback="Write the table without PARTITION.",
            )
    return _Restriction(statement).apply()


class _Restriction:
    """The rewriting of one statement."""

    def __init__(self, statement: Statement) -> None:
        self._statement = statement
        self._nodes = list(statement.tree.walk())
        self._names = {identifier.name.lower() for identifier in self._all(exp.Identifier)}
        self._shows_all = any(_is_projected(star) for star in self._all(exp.Star)) or any(
            join.method == "NATURAL" for join in self._all(exp.Join)
        )

    def apply(self) -> Refusal | None:
        self._name_outputs()
        tables = {id(node) for node, _ in self._statement.tables}
        self._rename_common([node for node in self._all(exp.Table) if id(node) not in tables])
        for number, (node, table) in enumerate(self._statement.tables):
            rules = self._statement.access.rules[table.key]
            stored = self._point_at_stored(node, rules, number)
            if stored and _selects_star(node):
                name = next(iter(stored))
                return Refusal(
                    reason="CONSTRUCT_NOT_ALLOWED",
                    message=f"SELECT * may not stand beside a condition on {name}, which is masked.",
                    feedback="Name the columns in place of *.",
                )
            if rules.rows or rules.masks:
                self._statement.changes[f"{table.name} is limited to what you may see."] = None
            node.replace(self._derived(node, table, rules, stored))
        return None

    def _all(self, kind: type[_Node]) -> list[_Node]:
        """Return the statement's own nodes of a kind, as they were before anything was put in."""
        return [node for node in self._nodes if isinstance(node, kind)]

    def _name_outputs(self) -> None:
        """Name the columns that a database would name by the text of a subquery, which holds the rules."""
        for select in self._all(exp.Select):
            for item in select.selects:
                if not item.alias and not isinstance(item, exp.Column) and item.find(exp.Query):
                    text = " ".join(item.sql(dialect=GRAMMARS[self._statement.dialect]).split())
                    named = exp.Alias(alias=_quoted(text[:NAME_CHARACTERS]))
                    item.replace(named)
                    named.set("this", item)

    # ── common table expressions ─────────────────────────────────────────────────────────────────

    def _rename_common(self, references: list[exp.Table]) -> None:
        prefix = self._free_prefix()
        for common in self._all(exp.CTE):
            alias = common.args["alias"]
            alias.set("this", _prefixed(prefix, alias.this))
        for node in references:
            if isinstance(node.this, exp.Identifier):
                if not node.alias:
                    node.set("alias", exp.TableAlias(this=node.this.copy()))
                node.set("this", _prefixed(prefix, node.this))

    def _free_prefix(self) -> str:
        """Return what no table's name begins with, nor one that is made of a table's, as full text has."""
        access = self._statement.access
        names = access.hidden.union(table.name.lower() for table in access.catalog.tables)
        prefix = "with_"
        while any(f"{name}_".startswith(prefix) for name in names):
            prefix += "_"
        return prefix

    # ── masked columns that may be filtered by what is stored ────────────────────────────────────

    def _point_at_stored(self, node: exp.Table, rules: TableRules, number: int) -> dict[str, str]:
        """Let the conditions of the query that names the table read the stored values.

        Return the names that the derived table must give them, by column; the statement's own names have
        been resolved, so that it cannot mean these.
        """
        stored: dict[str, str] = {}
        if not rules.raw_filters:
            return stored
        spelling = {name.lower(): name for name in rules.raw_filters}
        for column in self._all(exp.Column):
            name = spelling.get(column.name.lower())
            if self._statement.owners.get(id(column)) is not node or not name:
                continue
            if not _may_read_stored(column, node):
                continue
            stored[name] = self._free_name(f"{name}_stored_{number}")
            replacement = exp.column(exp.to_identifier(stored[name]), table=_name_of(node))
            if isinstance(column.parent, exp.Group):
                # Values that are stored alike are masked alike: this only lets the mask be selected.
                column.parent.append("expressions", exp.column(column.this.copy(), table=_name_of(node)))
            column.replace(replacement)
        return stored

    def _free_name(self, name: str) -> str:
        while name.lower() in self._names or any(
            name.lower() == column.name.lower()
            for table in self._statement.catalog.tables
            for column in table.columns
        ):
            name += "_"
        return name

    # ── the derived table ────────────────────────────────────────────────────────────────────────

    def _derived(
        self, node: exp.Table, table: Table, rules: TableRules, stored: dict[str, str]
    ) -> exp.Subquery:
        from text2sql.validation.binding import bind_rows, schema_name

        access = self._statement.access
        shown = [column for column in table.columns if self._shows_all or column.name.lower() in self._names]
        columns = [self._shown(column, table, rules) for column in shown or table.columns[:1]]
        for name, alias in stored.items():
            columns.append(exp.alias_(_column(name, table), exp.to_identifier(alias)))
        source = exp.Table(this=_quoted(table.name), db=schema_name(table, access.catalog))
        query = exp.Select(expressions=columns, from_=exp.From(this=source))
        if rules.rows:
            conditions = [bind_rows(text, access.attributes, access.catalog.dialect) for text in rules.rows]
            joined = reduce(lambda left, right: exp.Or(this=left, expression=right), conditions)
            query.set("where", exp.Where(this=joined))
            query.set("limit", exp.Limit(expression=exp.Literal.number(ALL_ROWS)))
        named = node.args.get("alias") or exp.TableAlias(this=_name_of(node))
        return exp.Subquery(this=query, alias=named, joins=node.args.get("joins"))

    def _shown(self, column: Column, table: Table, rules: TableRules) -> exp.Expr:
        mask = rules.masks.get(column.name)
        if not mask:
            return _column(column.name, table)
        from text2sql.datasource.policy.masks import masked

        of_bytes = column.name in rules.of_bytes
        value = masked(_column(column.name, table), mask, self._statement.dialect, of_bytes=of_bytes)
        return exp.alias_(value, _quoted(column.name))


def _is_projected(star: exp.Star) -> bool:
    """Tell a star that stands for columns from that of COUNT(*)."""
    return isinstance(star.parent, exp.Select | exp.Column)


def _selects_star(node: exp.Table) -> bool:
    select = node.find_ancestor(exp.Select)
    return select is not None and any(
        _is_projected(star) for item in select.selects if (star := item.find(exp.Star))
    )


def _may_read_stored(column: exp.Column, node: exp.Table) -> bool:
    """Tell whether the column stands in WHERE, ON or GROUP BY of the very query that names its table."""
    select = node.find_ancestor(exp.Select)
    inside: exp.Expr = column
    while inside.parent and not isinstance(inside.parent, exp.Where | exp.Join | exp.Group | exp.Query):
        inside = inside.parent
    clause = inside.parent
    if not isinstance(select, exp.Select) or clause is None or clause.find_ancestor(exp.Select) is not select:
        return False
    if not column.table and any(_merges(join, column.name) for join in select.find_all(exp.Join)):
        return False
    if isinstance(clause, exp.Group):
        return inside is column and not clause.args.get("rollup")
    return isinstance(clause, exp.Where) or (isinstance(clause, exp.Join) and inside.arg_key == "on")


def _merges(join: exp.Join, name: str) -> bool:
    using = (identifier.name.lower() for identifier in join.args.get("using") or ())
    return join.method == "NATURAL" or name.lower() in using


def _prefixed(prefix: str, name: exp.Identifier) -> exp.Identifier:
    return exp.to_identifier(f"{prefix}{name.name}", quoted=name.quoted or None)


def _name_of(node: exp.Table) -> exp.Identifier:
    """Return the name by which the statement's columns call the table."""
    alias = node.args.get("alias")
    name: exp.Identifier = alias.this if alias else node.this
    return name.copy()


def _column(name: str, table: Table) -> exp.Column:
    return exp.Column(this=_quoted(name), table=_quoted(table.name))


def _quoted(name: str) -> exp.Identifier:
    return exp.to_identifier(name, quoted=True)
