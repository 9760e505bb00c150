"""Finds a term in a question: as whole words, case and plural aside."""

import re
from functools import lru_cache


def find_phrase(phrase: str, text: str) -> str:
    """Return how the phrase stands in the text; empty where it does not."""
    found = _pattern(phrase).search(text)
    return found[0] if found else ""


@lru_cache(maxsize=10_000)
def _pattern(phrase: str) -> re.Pattern[str]:
    words = r"[\s_-]+".join(re.escape(word) for word in phrase.split())
    return re.compile(rf"\b{words}(?:s|es)?\b", re.IGNORECASE)
