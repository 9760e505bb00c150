"""What one caller may see of a database: the visible catalog and the rules on its tables, as frozen messages.

The prompt and the validator know nothing beyond it.
"""

from datetime import date
from decimal import Decimal
from typing import Literal, TypeAlias

from pydantic import Field

from text2sql.datasource.catalog import Catalog
from text2sql.messages import Message

Mask: TypeAlias = Literal["full", "hash", "last_four", "year_only"]
"""How a masked column's values are shown; the strictest first."""

PersonalData: TypeAlias = Literal["masked", "shown"]
"""What a group sees of personal data."""

Scalar: TypeAlias = bool | int | Decimal | date | str
"""One value of a caller's attribute."""

AttributeValue: TypeAlias = Scalar | tuple[Scalar, ...]


class Caller(Message):
    """Who asks: what an access policy decides by."""

    groups: tuple[str, ...] = ()
    attributes: dict[str, AttributeValue] = Field(default_factory=dict)


class Claims(Message):
    """Who asks, as a token or a job's record says it: the policy's types are known only where it is read."""

    groups: tuple[str, ...] = ()
    attributes: dict[str, str] = Field(default_factory=dict)


class TableRules(Message):
    """The rules on one table; a column that is denied is not in the visible catalog at all."""

    masks: dict[str, Mask] = Field(default_factory=dict)
    """By column name."""
    of_bytes: frozenset[str] = frozenset()
    """The masked columns whose values are bytes, not text."""
    raw_filters: frozenset[str] = frozenset()
    """The masked columns that may be filtered and grouped by their stored value."""
    rows: tuple[str, ...] = ()
    """Predicates in the catalog's dialect with every name resolved; a row is visible where one of them holds.

    The text `'{caller.name}'` stands for an attribute's value. Empty: every row is visible."""
    masks_personal_data: bool = False
    """Whether personal data in what a statement makes of the table is masked before it is shown."""

    @property
    def tells_values(self) -> bool:
        """Whether what the columns without a mask hold may be told beside a result."""
        return not self.rows and not self.masks_personal_data


class Access(Message):
    """What one caller may see of one database."""

    catalog: Catalog
    """Only the tables and columns that the caller may see."""
    rules: dict[str, TableRules] = Field(default_factory=dict)
    """By table key; each visible table has an entry, or there is no policy and nobody is restricted."""
    attributes: dict[str, AttributeValue] = Field(default_factory=dict)
    """The caller's attributes that the rules use, of the types that the policy declares."""
    hidden: frozenset[str] = frozenset()
    """In lower case the names of tables and columns, and `table.column`, that the caller may not see.

    They are for comparing alone; nothing ever shows them."""

    def stored_columns(self) -> frozenset[tuple[str, str]]:
        """Return the columns, behind their tables' keys, of which the caller may see every stored value."""
        return frozenset(
            (table.key, column.name)
            for table in self.catalog.tables
            if not self.rules or ((rules := self.rules.get(table.key)) and rules.tells_values)
            for column in table.columns
            if not self.rules or column.name not in self.rules[table.key].masks
        )
