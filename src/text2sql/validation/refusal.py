"""The verdict of a rule that says no; a rule that has nothing to say returns None."""

from typing import Literal, TypeAlias

from text2sql.messages import Message

Reason: TypeAlias = Literal[
    "STATEMENT_TOO_LARGE",
    "COMMENT_NOT_ALLOWED",
    "NOT_PARSED",
    "NOT_ONE_STATEMENT",
    "NOT_A_SELECT",
    "CONSTRUCT_NOT_ALLOWED",
    "FUNCTION_NOT_ALLOWED",
    "UNKNOWN_TABLE",
    "UNKNOWN_COLUMN",
    "AMBIGUOUS_TABLE",
    "AMBIGUOUS_COLUMN",
    "NOT_GROUPED",
    "NEVER_TRUE",
    "VALUE_NOT_STORED",
    "COUNT_IS_ALWAYS_ONE",
    "QUESTION_NOT_MET",
    "RECURSION_NOT_BOUNDED",
    "NOT_EMITTED",
]
"""Why a statement was refused; docs/errors.md explains each."""


class Refusal(Message):
    """Why a statement may not run."""

    reason: Reason
    message: str
    """For the person; names what was refused."""
    feedback: str = ""
    """For the model's repair; names what exists instead. The message serves where this is empty."""
