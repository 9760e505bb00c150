"""Whether two results say the same: pure, and knows nothing of SQL.

Rows are compared as multisets, and in their order where that is asked for. Columns may stand in any order;
their names do not count, their number does. See docs/accuracy.md.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from typing import Literal, TypeAlias

from text2sql.execution.comparable import comparable
from text2sql.messages import Cell, ResultSet

Difference: TypeAlias = Literal["wrong_columns", "empty_or_not", "wrong_rows", "wrong_order"]

CELLS = 5_000_000
"""How many cells the search for an order of the columns may look at: one or two seconds."""

_Column: TypeAlias = list[Hashable]


def difference(gold: ResultSet, own: ResultSet, *, ordered: bool) -> Difference | None:
    """Return in what `own` differs from `gold`, the coarsest first, or None.

    A result that was cut is wrong: nobody knows the rest of it. So is, at worst, one whose columns could
    be arranged in so many ways that the search for the right one ends at `CELLS`.
    """
    if len(gold.columns) != len(own.columns):
        return "wrong_columns"
    if bool(gold.rows) != bool(own.rows):
        return "empty_or_not"
    if own.truncated or len(gold.rows) != len(own.rows):
        return "wrong_rows"
    gold_columns, own_columns = _columns(gold.rows), _columns(own.rows)
    if Counter(map(tuple, gold_columns)) == Counter(map(tuple, own_columns)):
        return None
    if not _match(gold_columns, own_columns):
        return "wrong_rows"
    return "wrong_order" if ordered else None


def _columns(rows: Sequence[Sequence[Cell]]) -> list[_Column]:
    return [list(map(comparable, column)) for column in zip(*rows, strict=True)]


def _match(gold: list[_Column], own: list[_Column]) -> bool:
    """Tell whether the rows are the same multiset under some order of `own`'s columns.

    Only columns with the same multiset of values can stand for each other. Column by column, those with
    the fewest candidates first, rows get the number of their beginning; an arrangement is followed only
    as long as both sides have the same multiset of numbers.
    """
    if Counter(zip(*gold, strict=True)) == Counter(zip(*own, strict=True)):
        return True
    counted = [Counter(column) for column in own]
    pairs = []
    for column in gold:
        count = Counter(column)
        pairs.append((column, [place for place, other in enumerate(counted) if other == count]))
    pairs.sort(key=lambda pair: len(pair[1]))
    if not all(places for _, places in pairs):
        return False
    rows = len(gold[0])
    left = CELLS
    pending: list[tuple[int, frozenset[int], list[int], list[int]]] = [
        (0, frozenset(), [0] * rows, [0] * rows)
    ]
    while pending:
        depth, used, gold_rows, own_rows = pending.pop()
        if depth == len(pairs):
            return True
        column, places = pairs[depth]
        numbers: dict[tuple[int, Hashable], int] = {}
        gold_longer = _lengthen(gold_rows, column, numbers)
        wanted = Counter(gold_longer)
        tried: list[_Column] = []
        for place in places:
            if place in used or own[place] in tried:
                continue
            tried.append(own[place])
            left -= rows
            if left < 0:
                return False
            own_longer = _lengthen(own_rows, own[place], numbers)
            if Counter(own_longer) == wanted:
                pending.append((depth + 1, used | {place}, gold_longer, own_longer))
    return False


def _lengthen(
    rows: Iterable[int], column: Iterable[Hashable], numbers: dict[tuple[int, Hashable], int]
) -> list[int]:
    """Return the rows' numbers when each is longer by a value; in `numbers` equal ones have one."""
    return [numbers.setdefault(pair, len(numbers)) for pair in zip(rows, column, strict=True)]
