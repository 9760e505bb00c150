"""A text as it is read: digits and letters of other widths made plain, what is invisible left out."""

import unicodedata
from dataclasses import dataclass

# Zero-width characters and the soft hyphen can stand in the middle of a number without being seen.
_INVISIBLE = frozenset("\u00ad\u200b\u200c\u200d\u2060\ufeff")


@dataclass(frozen=True)
class PlainText:
    """The plain text, and where each of its characters stands in the text that was given."""

    text: str
    places: tuple[int, ...]

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Return where a stretch of the plain text begins and ends in the text that was given."""
        return self.places[start], self.places[end - 1] + 1


def make_plain(text: str) -> PlainText:
    """Return the text with each character in its compatible form, where that is one character."""
    if text.isascii():
        return PlainText(text, tuple(range(len(text))))
    kept = [(place, _plain(character)) for place, character in enumerate(text) if character not in _INVISIBLE]
    return PlainText("".join(character for _, character in kept), tuple(place for place, _ in kept))


def _plain(character: str) -> str:
    compatible = unicodedata.normalize("NFKC", character)
    return compatible if len(compatible) == 1 else character
