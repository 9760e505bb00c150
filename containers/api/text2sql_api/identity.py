"""Who sends a request, as the rest of the API knows them; how that is found out is `auth`'s work."""

from pydantic import Field

from text2sql.messages import Message


class Person(Message):
    """A person, or a machine client."""

    subject: str
    groups: tuple[str, ...] = ()
    attributes: dict[str, str] = Field(default_factory=dict)
    """For the access policy, as text."""
    is_admin: bool = False
    is_editor: bool = False
    """Whether documents may be changed."""
    may_ask: bool = True
    may_measure: bool = False
    """Whether the metrics are shown."""
