"""What the local guardrail does whatever the policy says: hidden characters go, and orders to write are told.

These stop nobody who asks for data. Hidden characters go first, so that one cannot split a word or a number
that is looked for after them.
"""

import re
from collections.abc import Iterator, Mapping

# Emoji, Persian and Indic scripts need joiners and direction marks: only overrides and isolates go.
_BIDI_CONTROLS = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
# NUL and oversize are refused before the guardrail; tab and line ends are ordinary white space.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
# Invisible tag characters spell text that only a model reads; an emoji flag holds at most seven of them.
_HIDDEN_TEXT = re.compile(r"[\U000e0000-\U000e007f]{8,}")

_WORD = re.compile(r"[^\W_]+")

_HIDDEN: Mapping[str, re.Pattern[str]] = {
    "BIDI_CONTROL": _BIDI_CONTROLS,
    "CONTROL_CHARACTER": _CONTROLS,
    "HIDDEN_TEXT": _HIDDEN_TEXT,
}


def remove_hidden(text: str) -> tuple[str, tuple[str, ...]]:
    """Return the text without its hidden characters, and the kinds of those that it held."""
    kinds: list[str] = []
    for kind, pattern in _HIDDEN.items():
        text, count = pattern.subn("", text)
        kinds += [kind] * bool(count)
    return text, tuple(kinds)


def find_words(text: str, words: tuple[str, ...]) -> Iterator[str]:
    """Yield those of the words or phrases that the text holds as whole words, case and signs aside."""
    folded = _words_of(text)
    return (word for word in words if _words_of(word) in folded)


def _words_of(text: str) -> str:
    return f" {' '.join(_WORD.findall(text.casefold()))} "
