"""Finds the verified queries that ask the same as a question, or nearly so, among those a caller may see."""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from operator import itemgetter
from typing import Protocol

from sqlglot import tokenize

from text2sql.datasource.catalog import Table
from text2sql.datasource.policy.access import Access
from text2sql.datasource.verified import normal_form
from text2sql.errors import SqlRejected
from text2sql.messages import SqlDraft, ValidSql, VerifiedQuery
from text2sql.validation.step import validate_sql

MAX_EXAMPLES = 3

_VALUE = re.compile(r"\"[^\"]*\"|(?<!\w)'[^']*'|\d+(?:[.,:/-]\d+)*")
_NAME = re.compile(r"\w+")
_WORD = re.compile(r"#|[^\W_]+")


class Similarity(Protocol):
    """Says how alike questions are."""

    least: float
    """A question that is less like another is no example for it."""

    def score(self, question: str, others: tuple[str, ...]) -> list[float]:
        """Return how like the question each of the others is: 1 for the same, 0 for nothing in common."""
        ...


class WordSimilarity:
    """Compares by the words, a rare one counting more; numbers and quoted values are all alike."""

    least = 0.3

    def score(self, question: str, others: tuple[str, ...]) -> list[float]:
        """Return the cosines of the weighted words."""
        counted = [Counter(_words(text)) for text in (question, *others)]
        spread = Counter(word for words in counted for word in words)
        rarity = {word: math.log(1 + len(counted) / count) for word, count in spread.items()}
        first, *rest = (
            {word: (1 + math.log(count)) * rarity[word] for word, count in words.items()} for words in counted
        )
        return [_cosine(first, weighted) for weighted in rest]


class VerifiedIndex:
    """The verified queries of one database.

    Attributes:
        queries: returns them as they are now, whether they fit the database or not.
    """

    def __init__(
        self, queries: Callable[[], tuple[VerifiedQuery, ...]], similarity: Similarity | None = None
    ) -> None:
        self.queries = queries
        self._similarity = similarity or WordSimilarity()

    def match(self, question: str, access: Access) -> VerifiedQuery | None:
        """Return the one that asks the same, if the caller may see all that it names."""
        wanted = normal_form(question)
        same = (query for query in self.queries() if normal_form(query.question) == wanted != ())
        return next((query for query in same if is_open(query, access)), None)

    def nearest(self, question: str, access: Access) -> tuple[VerifiedQuery, ...]:
        """Return at most `MAX_EXAMPLES` whose questions are like this one, the best first."""
        return tuple(islice((q for q in self._ranked(question) if is_open(q, access)), MAX_EXAMPLES))

    def _ranked(self, question: str) -> Iterator[VerifiedQuery]:
        queries = self.queries()
        if not queries:
            return
        scores = self._similarity.score(question, tuple(query.question for query in queries))
        for score, query in sorted(zip(scores, queries, strict=True), key=itemgetter(0), reverse=True):
            if score < self._similarity.least:
                return
            yield query


def is_open(query: VerifiedQuery, access: Access) -> bool:
    """Tell whether the statement fits the catalog, and the caller sees all of each of its tables.

    What a statement compares with may be a stored value, and a name that is hidden in one table may be found
    in another. So a table of which a column, a row or a value is hidden keeps the statement from the caller,
    whichever rows and columns it uses.
    """
    try:
        valid = read_verified(query, access)
    except SqlRejected:
        return False
    if not access.hidden.isdisjoint(_NAME.findall(f"{query.question} {query.sql}".lower())):
        return False
    tables = [table for table in access.catalog.tables if table.name in valid.tables]
    return len(tables) == len(valid.tables) and all(_is_whole(table, access) for table in tables)


def _is_whole(table: Table, access: Access) -> bool:
    """Tell whether the caller sees every column, row and value of the only table of this name."""
    rules = access.rules.get(table.key)
    is_cut = any(name.startswith(f"{table.name}.".lower()) for name in access.hidden)
    return not is_cut and not (rules and (rules.masks or rules.rows))


def read_verified(query: VerifiedQuery, access: Access, row_limit: int = 1) -> ValidSql:
    """Return the statement as it would run.

    Raises:
        SqlRejected: it does not fit the catalog, or holds a comment, which no rule looks into.
    """
    valid = validate_sql(SqlDraft(sql=query.sql, verified=query), access, row_limit)
    grammar = "sqlite" if access.catalog.dialect == "sqlite" else "mysql"
    if any(token.comments for token in tokenize(query.sql, grammar)):
        message = "A verified query's statement holds no comments; use its note."
        raise SqlRejected("COMMENT_NOT_ALLOWED", message, feedback=message)
    return valid


def _words(text: str) -> list[str]:
    """Return the words without a plural's s, and `#` for each value."""
    found = _WORD.findall(_VALUE.sub(" # ", text.casefold()))
    return [re.sub(r"(?<=[^s])s$", "", word) for word in found]


def _cosine(a: dict[str, float], b: dict[str, float]) -> float:
    shared = sum(weight * b[word] for word, weight in a.items() if word in b)
    lengths = math.hypot(*a.values()) * math.hypot(*b.values())
    return shared / lengths if lengths else 0.0
