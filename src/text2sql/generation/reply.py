"""Reads a model's reply: a statement, a question back, or a refusal; prose is none of these."""

import re

from text2sql.errors import ReplyUnusable
from text2sql.generation.port import Completion
from text2sql.messages import Clarification, Declined, Generation, SqlDraft

_FENCE = re.compile(r"```[ \t]*(?:sqlite|mysql|sql)?[ \t]*\n?(.*?)(?:```|\Z)", re.DOTALL | re.IGNORECASE)
_STATEMENT = re.compile(r"(?:^|\n)[ \t]*((?:SELECT|WITH)\b.*)", re.DOTALL | re.IGNORECASE)
_SPECIAL = re.compile(r"^\W*(DECLINE|CLARIFY)\s*:\s*(.+)", re.IGNORECASE)

_ONLY_SQL = "Answer with one SELECT statement in a ```sql block and nothing else."


def read_reply(completion: Completion) -> Generation:
    """Return what the model meant.

    Raises:
        ReplyUnusable: prose, nothing, or a statement that was cut off.
    """
    text, usage = completion.text.strip(), completion.usage
    if completion.finish == "filtered":
        return Declined(reason="The model's service held back its reply.", usage=usage)
    if special := _SPECIAL.match(text):
        first, *choices = (part.strip() for part in special[2].split("|"))
        if special[1].upper() == "DECLINE":
            return Declined(reason=first, usage=usage)
        return Clarification(question=first, choices=tuple(filter(None, choices)), usage=usage)
    if not text:
        raise ReplyUnusable("The model returned nothing.", feedback=_ONLY_SQL)
    if completion.finish == "length":
        raise ReplyUnusable(
            "The model's statement was cut off.", feedback=f"The statement was too long. {_ONLY_SQL}"
        )
    found = _FENCE.search(text) or _STATEMENT.search(text)
    sql = found[1].strip() if found else ""
    if not sql:
        raise ReplyUnusable("The model returned prose instead of SQL.", feedback=_ONLY_SQL)
    return SqlDraft(sql=sql, usage=usage)
