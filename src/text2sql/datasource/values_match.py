"""How closely what somebody wrote resembles stored texts: spelling, typos, abbreviations."""

from collections.abc import Callable, Mapping, Sequence
from itertools import takewhile
from typing import TypeAlias

from text2sql.datasource.values import value_key

TYPO_CHARACTERS = 5
"""In a shorter text a typo makes another word."""
CUT_CHARACTERS = 4
"""The longest beginning that stands for a whole word by itself: `Niger` does not stand for `Nigeria`."""

Words: TypeAlias = Sequence[str]
"""As `fold_words` returns them."""


def closest(written: Words, stored: Mapping[str, Words]) -> tuple[str, ...]:
    """Return those of the stored texts, given with their words, that resemble `written` most, if any do.

    In this order: other case, accents, punctuation or plural; a typo; words cut short, such as
    `Comp. Sci.`; initials; words added at the end.
    """
    if not written:
        return ()
    for resembles in (_is_spelled_like, _is_typo_of, _is_cut_short_from, _is_initials_of, _is_longer_than):
        test = resembles(written)
        found = tuple(text for text, words in stored.items() if words and test(words))
        if found:
            return found
    return ()


def _is_spelled_like(written: Words) -> Callable[[Words], bool]:
    joined = value_key(written).replace(" ", "")
    return lambda words: value_key(words).replace(" ", "") == joined


def _is_typo_of(written: Words) -> Callable[[Words], bool]:
    joined = "".join(written)
    return lambda words: len(joined) >= TYPO_CHARACTERS and _differ_by_a_letter(joined, "".join(words))


def _is_cut_short_from(written: Words) -> Callable[[Words], bool]:
    """Each word is the beginning of the other's."""

    def test(words: Words) -> bool:
        if len(words) != len(written) or not all(map(_begin_alike, written, words)):
            return False
        return len(words) > 1 or min(len(words[0]), len(written[0])) <= CUT_CHARACTERS

    return test


def _is_initials_of(written: Words) -> Callable[[Words], bool]:
    return lambda words: _shortens(written, words) or _shortens(words, written)


def _is_longer_than(written: Words) -> Callable[[Words], bool]:
    def test(words: Words) -> bool:
        short, long = sorted((list(written), list(words)), key=len)
        return len(short) < len(long) and long[: len(short)] == short

    return test


def _shortens(short: Words, long: Words) -> bool:
    return len(short) == 1 and len(short[0]) == len(long) > 1 and short[0] == "".join(w[0] for w in long)


def _begin_alike(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def _differ_by_a_letter(one: str, other: str) -> bool:
    """Tell whether one letter is too many, missing, another, or in its neighbour's place; no digit may be."""
    if abs(len(one) - len(other)) > 1:
        return False
    start = _common(one, other)
    end = _common(one[start:][::-1], other[start:][::-1])
    left, right = one[start : len(one) - end], other[start : len(other) - end]
    is_swapped = len(left) == 2 and left == right[::-1]  # noqa: PLR2004
    return (is_swapped or max(len(left), len(right)) == 1) and not any(map(str.isdigit, left + right))


def _common(one: str, other: str) -> int:
    """Return how many letters they begin with alike."""
    alike = takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return sum(1 for _ in alike)
