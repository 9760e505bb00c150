"""Text from a grammar that is data: one expansion for whoever chooses at random, and for Hypothesis."""

import re
from collections.abc import Callable, Mapping, Sequence

Rules = Mapping[str, Sequence[str]]
"""The alternatives of each name; the first is the shortest, and ends where the others might go on for ever.

`{name}` in an alternative stands for a sentence of that name, `{name#1}` for the same one at each place.
"""

SLOT = re.compile(r"\{(\w+)(#\d)?\}")


def expand(rules: Rules, start: str, choose: Callable[[Sequence[str]], str], expansions: int) -> str:
    """Return a sentence of `start`; after so many expansions only first alternatives are taken."""
    left = expansions

    def sentence(name: str) -> str:
        nonlocal left
        left -= 1
        alternatives = rules[name]
        chosen = alternatives[0] if left < 0 or len(alternatives) == 1 else choose(alternatives)
        shared: dict[str, str] = {}

        def fill(slot: re.Match[str]) -> str:
            if not slot[2]:
                return sentence(slot[1])
            if slot[0] not in shared:
                shared[slot[0]] = sentence(slot[1])
            return shared[slot[0]]

        return SLOT.sub(fill, chosen)

    return sentence(start)
