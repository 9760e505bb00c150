"""The scan before the parser: size, nesting and comments that some server would run."""

import re

from text2sql.validation.refusal import Refusal

MAX_BYTES = 20_000
MAX_DEPTH = 30
"""Honest statements stay within 32 levels of every kind of nesting, and 9 at the 99.9th percentile;
sqlglot raises RecursionError past 38 parentheses, and its compiled build can crash the process."""

_EXECUTABLE_COMMENT = re.compile(r"/\*[!+]|/\*M!", re.IGNORECASE)


def scan(sql: str) -> Refusal | None:
    """Refuse what must not reach the parser; linear in the length, at most 20 kB are looked at."""
    if len(sql) > MAX_BYTES or len(sql.encode("utf-8", "replace")) > MAX_BYTES:
        return Refusal(
            reason="STATEMENT_TOO_LARGE",
            message=f"The statement is longer than {MAX_BYTES:,} bytes.",
        )
    if "\x00" in sql:
        return Refusal(reason="NOT_PARSED", message="The statement holds a NUL character.")
    if _EXECUTABLE_COMMENT.search(sql):
        return Refusal(
            reason="COMMENT_NOT_ALLOWED",
            message="The statement holds a comment that a server would execute, or an optimizer hint.",
            feedback="Write no comments and no optimizer hints.",
        )
    depth = deepest = 0
    for character in sql:
        if character == "(":
            depth += 1
            deepest = max(deepest, depth)
        elif character == ")":
            depth -= 1
    if deepest > MAX_DEPTH:
        return Refusal(
            reason="STATEMENT_TOO_LARGE",
            message=f"The statement is nested more than {MAX_DEPTH} levels deep.",
            feedback="Write a simpler statement.",
        )
    return None
