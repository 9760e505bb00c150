"""A caller whose attributes arrive as text, as a token or a job record holds them."""

from collections.abc import Mapping
from contextlib import suppress

from text2sql.datasource.policy.access import AttributeValue, Caller
from text2sql.datasource.policy.file import read_value
from text2sql.datasource.policy.grants import Policy


def read_caller(groups: tuple[str, ...], attributes: Mapping[str, str], policy: Policy | None) -> Caller:
    """Return the caller, with the attributes in the types that the policy declares.

    What the policy does not declare, or cannot read, is left out: a rule that needs it then denies.
    """
    values: dict[str, AttributeValue] = {}
    for name, declared in (policy.attributes if policy else {}).items():
        if name in attributes:
            with suppress(ValueError):
                values[name] = read_value(attributes[name], declared)
    return Caller(groups=groups, attributes=values)
