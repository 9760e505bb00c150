"""Refuses comments that some server would execute or obey."""

import re

from text2sql.validation.refusal import Refusal
from text2sql.validation.statement import Statement

_EXECUTABLE = re.compile(r"/\*[!+]|/\*M!", re.IGNORECASE)


def refuse_executable_comments(statement: Statement) -> Refusal | None:
    """Refuse `/*! */`, `/*M! */` and `/*+ */`, even inside a text: what they hide no parser here sees."""
    if not _EXECUTABLE.search(statement.text):
        return None
    return Refusal(
        reason="COMMENT_NOT_ALLOWED",
        message="The statement holds a comment that a server would execute, or an optimizer hint.",
        feedback="Write no comments and no optimizer hints.",
    )
