"""Turns a grammar of a file into a Hypothesis strategy of its sentences; no SQL here."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml
from hypothesis import strategies as st

from sentence_grammar import SLOT, Rules, expand


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
        return SLOT.sub(lambda slot: shortest(rules[slot[1]][0]), text)

    for name, frame in frames.items():
        for alternative in dict.fromkeys(rules[name]):
            before, _, after = frame.partition(f"{{{name}}}")
            yield shortest(before) + shortest(alternative) + shortest(after)


@st.composite
def sentences(draw: st.DrawFn, rules: Rules, start: str, expansions: int = 60) -> str:
    """Draw a sentence; after so many expansions only first alternatives are taken."""
    return expand(rules, start, lambda alternatives: draw(st.sampled_from(alternatives)), expansions)
