"""What an access policy grants each group, as frozen messages; `validation.policy` makes them from a file."""

from pydantic import Field

from text2sql.datasource.policy.access import Mask
from text2sql.datasource.policy.file import AttributeType
from text2sql.messages import Message


class Grant(Message):
    """What one group sees of one table."""

    denied: frozenset[str] = frozenset()
    masks: dict[str, Mask] = Field(default_factory=dict)
    raw_filters: frozenset[str] = frozenset()
    rows: str = ""
    """A predicate with every name resolved, as `TableRules.rows`; empty for all rows."""
    needs: frozenset[str] = frozenset()
    """The attributes that the predicate asks for."""
    masks_personal_data: bool = False
    """As `TableRules.masks_personal_data`."""


class Policy(Message):
    """An access policy that fits one catalog."""

    attributes: dict[str, AttributeType]
    groups: dict[str, dict[str, Grant]]
    """By group, then by table key, with what it inherits."""
