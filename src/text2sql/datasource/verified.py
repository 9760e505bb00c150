"""The file `verified.yaml`: questions with the statements that people approved, and when two ask the same."""

import re
import unicodedata
from typing import Self

from pydantic import model_validator

from text2sql.messages import Message, VerifiedQuery

_TOKEN = re.compile(
    r"""
    "(?P<double>[^"]*)" | (?<!\w)'(?P<single>[^']*)'(?!\w)    # quoted: a value, which counts to the letter
    | \w+(?:'\w+)*                                            # a word, or digits
    | [^\w\s]                                                 # a sign, such as < or the point of 5.5
    """,
    re.VERBOSE,
)
_PUNCTUATION = re.compile(r"[.,;:!?]+(?=\s|$)")
_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "\u2018": "'", "\u2019": "'"})
_POLITE_BEGINNINGS = tuple(
    tuple(phrase.split())
    for phrase in ("please", "kindly", "hi", "hello", "can you", "could you", "would you", "will you")
)
_POLITE_ENDS = tuple(tuple(phrase.split()) for phrase in ("please", "thanks", "thank you"))


class VerifiedQueries(Message):
    """The file `verified.yaml`."""

    queries: tuple[VerifiedQuery, ...] = ()

    @model_validator(mode="after")
    def _no_question_twice(self) -> Self:
        seen: dict[tuple[str, ...], str] = {}
        for query in self.queries:
            same = seen.setdefault(normal_form(query.question), query.question)
            if same is not query.question:
                message = f"two questions ask the same, {same!r} and {query.question!r}"
                raise ValueError(message)
        return self


def normal_form(question: str) -> tuple[str, ...]:
    """Return the question's words in order; two questions with the same ones ask the same.

    Case, punctuation at a word's end, and words of politeness at either end do not count. Numbers, signs and
    what is quoted do.
    """
    text = _PUNCTUATION.sub(" ", unicodedata.normalize("NFC", question).translate(_QUOTES))
    words = [_token(match) for match in _TOKEN.finditer(text)]
    while polite := next((p for p in _POLITE_BEGINNINGS if tuple(words[: len(p)]) == p), None):
        del words[: len(polite)]
    while polite := next((p for p in _POLITE_ENDS if tuple(words[-len(p) :]) == p), None):
        del words[-len(polite) :]
    return tuple(words)


def _token(match: re.Match[str]) -> str:
    quoted = match["double"] if match["double"] is not None else match["single"]
    return match[0].casefold() if quoted is None else f'"{quoted}"'
