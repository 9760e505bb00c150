"""Which of several statements for one question wins: that whose rows most drafts came to."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable

from text2sql.execution.comparable import comparable
from text2sql.messages import Executed, ResultSet, ValidSql, Vote

NOTHING_FOUND = 0.4
"""What a vote for a result without a value counts: most people ask for what is there."""
UNMET = 0.4
"""What a vote counts for a statement that does not do what the question asks for in so many words."""


class Election:
    """The count of one question's drafts; each statement has the votes of the drafts that came to it."""

    def __init__(self, valid: ValidSql) -> None:
        """Begin the count of the statement and its alternatives."""
        self._drafts = valid.refused + sum(each.votes for each in (valid, *valid.alternatives))
        self._waiting = self._drafts - valid.refused
        self._agreeing = Counter[Hashable]()
        self._weights: defaultdict[Hashable, float] = defaultdict(float)
        self._first: dict[Hashable, tuple[ValidSql, ResultSet]] = {}

    def count(self, valid: ValidSql, result: ResultSet) -> None:
        """Count the statement's votes for the rows that it returned."""
        rows = _content(result)
        self._waiting -= valid.votes
        self._agreeing[rows] += valid.votes
        weight = (1 if _has_a_value(result) else NOTHING_FOUND) * (UNMET if valid.unmet else 1)
        self._weights[rows] += valid.votes * weight
        if not valid.is_other_reading:
            self._first.setdefault(rows, (valid, result))

    def fail(self, valid: ValidSql) -> None:
        """Count the statement's votes for nothing, for it did not run."""
        self._waiting -= valid.votes

    def is_decided(self) -> bool:
        """Tell whether the votes that are left can no longer change who wins."""
        first, second, *_ = *sorted((self._weights[rows] for rows in self._first), reverse=True), 0, 0
        return first > second + self._waiting

    def winner(self) -> Executed | None:
        """Return the first statement of those that returned the winning rows; None where none ran."""
        if not self._first:
            return None
        rows = max(self._first, key=lambda each: self._weights[each])  # the first of equals
        valid, result = self._first[rows]
        vote = Vote(agreeing=self._agreeing[rows], drafts=self._drafts)
        return Executed(valid=valid.model_copy(update={"alternatives": ()}), result=result, vote=vote)


def _has_a_value(result: ResultSet) -> bool:
    return any(cell is not None for row in result.rows for cell in row)


def _content(result: ResultSet) -> Hashable:
    """Return what equals that of a result with the same rows, in whatever order of rows and columns."""
    columns = [tuple(map(comparable, column)) for column in zip(*result.rows, strict=True)]
    columns.sort(key=lambda column: hash(_multiset(column)))
    return len(result.columns), _multiset(zip(*columns, strict=True))


def _multiset(values: Iterable[Hashable]) -> Hashable:
    return frozenset(Counter(values).items())
