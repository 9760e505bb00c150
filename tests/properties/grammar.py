"""Turns a grammar, which is data, into a Hypothesis strategy of its sentences; no SQL here."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import yaml
from hypothesis import strategies as st

Rules = Mapping[str, Sequence[str]]
"""The alternatives of each name; the first is the shortest, and ends where the others might go on for ever.

`{name}` in an alternative stands for a sentence of that name, `{name#1}` for the same one at each place.
"""

_SLOT = re.compile(r"\{(\w+)(#\d)?\}")


def read_rules(path: Path) -> dict[str, Rules]:
    """Read the parts of a grammar, by name."""
    parts: dict[str, Rules] = yaml.safe_load(path.read_text("utf-8"))
    return parts


def joined(*parts: Rules) -> Rules:
    """Return the rules with all alternatives of all parts, the first part's first."""
    names = {name for part in parts for name in part}
    return {name: [each for part in parts for each in part.get(name, ())] for name in sorted(names)}


def each_alternative(rules: Rules, frames: Mapping[str, str]) -> Iterator[str]:
    """Yield every alternative of the names that have a frame, in it, as short as it can be."""

    def shortest(text: str) -> str:
        return _SLOT.sub(lambda slot: shortest(rules[slot[1]][0]), text)

    for name, frame in frames.items():
        for alternative in dict.fromkeys(rules[name]):
            before, _, after = frame.partition(f"{{{name}}}")
            yield shortest(before) + shortest(alternative) + shortest(after)


@st.composite
def sentences(draw: st.DrawFn, rules: Rules, start: str, expansions: int = 60) -> str:
    """Draw a sentence; after so many expansions only first alternatives are taken."""
    left = expansions

    def expand(name: str) -> str:
        nonlocal left
        left -= 1
        options = rules[name]
        chosen = options[0] if left < 0 or len(options) == 1 else draw(st.sampled_from(options))
        shared: dict[str, str] = {}

        def fill(slot: re.Match[str]) -> str:
            if not slot[2]:
                return expand(slot[1])
            if slot[0] not in shared:
                shared[slot[0]] = expand(slot[1])
            return shared[slot[0]]

        return _SLOT.sub(fill, chosen)

    return expand(start)
