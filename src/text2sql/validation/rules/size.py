"""Refuses what is too long or too deep for a parser, before any parser sees it."""

import re

from text2sql.validation.refusal import Refusal
from text2sql.validation.statement import Statement

MAX_BYTES = 20_000
MAX_DEPTH = 30
"""Honest statements stay within 32 levels of every kind of nesting, and 9 at the 99.9th percentile;
sqlglot raises RecursionError past 38 parentheses, and its compiled build can crash the process."""

_NESTING = re.compile(r"[(\[{]|\bCASE\b", re.IGNORECASE)
_LEAVING = re.compile(r"[)\]}]|\bEND\b", re.IGNORECASE)
_BRACKET = re.compile(rf"(?P<open>{_NESTING.pattern})|{_LEAVING.pattern}", re.IGNORECASE)
_UNARY_RUN = re.compile(rf"(?:(?:\bNOT\b|[-+~!])\s*){{{MAX_DEPTH + 1}}}", re.IGNORECASE)
"""Each sign in front of a value is a level, too."""


def refuse_oversize(statement: Statement) -> Refusal | None:
    """Refuse by length, by nesting, and what is no text; linear, and at most 20 kB are looked at."""
    text = statement.text
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "replace")) > MAX_BYTES:
        return Refusal(
            reason="STATEMENT_TOO_LARGE",
            message=f"The statement is longer than {MAX_BYTES:,} bytes.",
            feedback="Write a shorter statement.",
        )
    if "\x00" in text:
        return Refusal(reason="NOT_PARSED", message="The statement holds a NUL character.")
    depth = deepest = 0
    for bracket in _BRACKET.finditer(text):
        depth += 1 if bracket["open"] else -1
        deepest = max(deepest, depth)
    if deepest > MAX_DEPTH or _UNARY_RUN.search(text):
        return Refusal(
            reason="STATEMENT_TOO_LARGE",
            message=f"The statement is nested more than {MAX_DEPTH} levels deep.",
            feedback="Write a simpler statement.",
        )
    return None
