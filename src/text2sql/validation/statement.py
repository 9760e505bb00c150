"""The statement on its way through the rules: each reads what those before it have found out."""

from dataclasses import dataclass, field

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

from text2sql.datasource.catalog import Catalog, Table
from text2sql.datasource.policy.access import Access
from text2sql.messages import Dialect
from text2sql.validation.scopes import Source


@dataclass
class Statement:
    """A draft, and step by step its tree, its names resolved, and the text that may run."""

    text: str
    """As the model wrote it."""
    access: Access
    row_limit: int
    tree: exp.Query = field(default_factory=exp.Select)
    """Set by the rule that parses; later rules change it in place."""
    nodes: tuple[exp.Expr, ...] = ()
    """All nodes of that tree, as it was parsed."""
    scopes: list[Scope] = field(default_factory=list)
    """Of its queries, innermost first."""
    sources: dict[int, dict[str, Source]] = field(default_factory=dict)
    """By the `id` of a scope: what its FROM clause offers, by alias."""
    outputs: dict[int, list[str]] = field(default_factory=dict)
    """By the `id` of a query's node: the names of the columns that it yields."""
    looked_up: set[int] = field(default_factory=set)
    """The `id`s of the nodes of tables and columns that a scope has led to."""
    tables: list[tuple[exp.Table, Table]] = field(default_factory=list)
    """Every place where the statement names a table of the catalog, and which."""
    owners: dict[int, exp.Table] = field(default_factory=dict)
    """By the `id` of a column's node: the node in FROM of the catalog's table that it is a column of.

    Columns of derived tables and common table expressions have no entry."""
    changes: dict[str, None] = field(default_factory=dict)
    """What was put in, taken out or respelled, in words for people; in order."""
    sql: str = ""
    """As emitted from the tree."""

    @property
    def catalog(self) -> Catalog:
        """The tables and columns that the caller may see."""
        return self.access.catalog

    @property
    def dialect(self) -> Dialect:
        """The SQL that the database speaks."""
        return self.access.catalog.dialect
