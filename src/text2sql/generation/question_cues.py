"""Words of a question that say which shape its result must have; small models overlook them."""

import re

_MEASURE = r"(?:how (?:many|much)|number|total|average|mean|sum|count|revenue|sales|cost|rate|share|percent)"

_CUES: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(rf"\b(?:per|by|split)\b|\b{_MEASURE}.*\b(?:each|every)\b", re.IGNORECASE),
        "Select the name of each group together with its number, and GROUP BY that name.",
    ),
    (
        re.compile(r"\b(?:most|least|fewest|best|top|(?:high|low|bigg|larg)est)\b", re.IGNORECASE),
        "Select the names and the number that ranks them.",
    ),
)


def read_cues(question: str) -> tuple[str, ...]:
    """Return what to tell the model about the result's shape; nothing for most questions."""
    return tuple(told for pattern, told in _CUES if pattern.search(question))
