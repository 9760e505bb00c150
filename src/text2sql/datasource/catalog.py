"""The catalog: what is known of a database's tables, as frozen messages; reading it is `execution`'s work."""

import re
from collections.abc import Iterable
from functools import cached_property

from text2sql.messages import Dialect, Message

_SPACED = re.compile(r"\w+(?: \w+)+")


class Column(Message):
    """A column of a table."""

    name: str
    type: str
    """As the database declares it, for example `DECIMAL(10,2)`; empty where SQLite has none."""
    nullable: bool = True
    description: str = ""
    samples: tuple[str, ...] = ()
    """A few stored values as text, most frequent first, each at most 40 characters."""
    distinct: int | None = None
    """How many different values the sampled rows hold; equal to `len(samples)` when all are listed."""
    lowest: str | None = None
    """The lowest of all stored numbers, dates or times, as text; None where nobody looked."""
    highest: str | None = None


class ForeignKey(Message):
    """Columns that point at another table's key."""

    columns: tuple[str, ...]
    table: str
    references: tuple[str, ...]


_FEW_ROWS = 3
"""Below, it takes no key for each value to come once."""


class Table(Message):
    """A base table or a view."""

    name: str
    schema_name: str = ""
    """Set where the table is of another schema than the catalog's own: statements must then name it."""
    kind: str = "table"
    """`table` or `view`."""
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    description: str = ""
    row_count: int | None = None
    """About how many rows; None where counting would take too long."""

    @property
    def key(self) -> str:
        """The name, behind its schema's where that is not the catalog's own."""
        return f"{self.schema_name}.{self.name}" if self.schema_name else self.name

    def has_column(self, name: str) -> bool:
        """Tell whether a column is called so, case aside."""
        return any(column.name.lower() == name.lower() for column in self.columns)

    def tells_rows_apart(self, columns: Iterable[str]) -> bool:
        """Tell whether no two rows are alike in these columns: they hold the key, or as many values as rows.

        Case does not count. In a table of fewer than three rows only a key tells.
        """
        names = {name.lower() for name in columns}
        if self.primary_key and names.issuperset(name.lower() for name in self.primary_key):
            return True
        rows = self.row_count or 0
        return rows >= _FEW_ROWS and any(
            column.distinct == rows for column in self.columns if column.name.lower() in names
        )


class Catalog(Message):
    """All tables of one database that its user may read."""

    name: str
    dialect: Dialect
    server: str
    """The product and its version, for example `SQLite 3.45.1` or `MariaDB 10.11.6`."""
    tables: tuple[Table, ...]

    @cached_property
    def spaced_names(self) -> tuple[str, ...]:
        """The names of tables and columns that are words with spaces between them, the longest first."""
        names = {name for table in self.tables for name in (table.name, *(c.name for c in table.columns))}
        return tuple(sorted((name for name in names if _SPACED.fullmatch(name)), key=len, reverse=True))


def quote_name(name: str) -> str:
    """Return the name as a statement must write it; every dialect here takes backticks."""
    return name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) else f"`{name}`"
