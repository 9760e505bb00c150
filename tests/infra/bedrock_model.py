"""botocore's model of Bedrock, and whether a planned guardrail is as it wants it."""

import re
from typing import Any

import botocore.session


def create_guardrail() -> Any:
    """Return the shape of what CreateGuardrail takes."""
    service = botocore.session.get_session().get_service_model("bedrock")
    return service.operation_model("CreateGuardrail").input_shape


def unlike(shape: Any, value: Any, place: str) -> list[str]:
    """Return the places of a value that are not as their shape wants them, whoever's names they have."""
    if shape.type_name == "structure":
        names = {re.sub("[A-Z]", lambda it: f"_{it[0].lower()}", name): name for name in shape.members}
        sent = {names.get(key, key): it for key, it in value.items() if it not in (None, [])}
        wrong = (sent.keys() - shape.members) | (set(shape.required_members) - sent.keys())
        inside = [(shape.members[name], it, name) for name, it in sent.items() if name not in wrong]
    elif shape.type_name == "list":
        inside = [(shape.member, it, str(number)) for number, it in enumerate(value)]
        wrong = set() if _fits(shape, value) else {"length"}
    else:
        inside = []
        wrong = set() if isinstance(value, bool) or _fits(shape, value) else {str(value)}
    places = [f"{place}.{name}" for name in wrong]
    return places + [there for each, it, name in inside for there in unlike(each, it, f"{place}.{name}")]


def _fits(shape: Any, value: str | int | list[Any]) -> bool:
    """Tell whether a value is as long or as large, and as worded, as Bedrock wants it."""
    limits = shape.metadata
    size = value if isinstance(value, int) else len(value)
    return (
        limits.get("min", 0) <= size <= limits.get("max", size)
        and ("pattern" not in limits or re.fullmatch(limits["pattern"], str(value)) is not None)
        and ("enum" not in limits or value in limits["enum"])
    )
