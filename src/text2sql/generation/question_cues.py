"""Words of a question that say which shape its result must have; small models overlook them."""

import re

_MEASURE = r"(?:how (?:many|much)|number|total|average|mean|sum|count|revenue|sales|cost|rate|share|percent)"
_ASKS_FOR_GROUPS = re.compile(
    rf"\bper\b|\bby (?:day|week|month|quarter|year)\b|\b{_MEASURE}.*\b(?:each|every)\b", re.IGNORECASE
)


def read_cues(question: str) -> tuple[str, ...]:
    """Return what to tell the model about the result's shape; nothing for most questions."""
    if _ASKS_FOR_GROUPS.search(question):
        return ("Select the name of each group together with its number, and GROUP BY that name.",)
    return ()
