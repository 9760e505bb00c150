"""What one caller may see of a database: the visible catalog and the rules on its tables, as frozen messages.

The prompt and the validator know nothing beyond it.
"""

from datetime import date
from decimal import Decimal
from typing import Literal, TypeAlias

from text2sql.datasource.catalog import Catalog
from text2sql.messages import Message

Mask: TypeAlias = Literal["full", "last_four", "hash", "year_only"]
"""How a masked column's values are shown."""

Scalar: TypeAlias = bool | int | Decimal | date | str
"""One value of a caller's attribute."""

AttributeValue: TypeAlias = Scalar | tuple[Scalar, ...]


class TableRules(Message):
    """The rules on one table; a column that is denied is not in the visible catalog at all."""

    masks: dict[str, Mask] = {}
    """By column name."""
    raw_filters: frozenset[str] = frozenset()
    """The masked columns that may be filtered and grouped by their stored value."""
    rows: tuple[str, ...] = ()
    """Predicates in the catalog's dialect; a row is visible where one of them holds. `{caller.name}` stands
    for an attribute's value. Empty: every row is visible."""


class Access(Message):
    """What one caller may see of one database."""

    catalog: Catalog
    """Only the tables and columns that the caller may see."""
    rules: dict[str, TableRules] = {}
    """By table name; tables without an entry are visible whole."""
    attributes: dict[str, AttributeValue] = {}
    """The caller's attributes that the rules use, of the types that the policy declares."""
