"""Ranks the tables of a large catalog for a question, and chooses those that there is room for.

A table scores by the words that it shares with the question (BM25), and takes part in the score of the
tables that foreign keys tie it to. How a table is written is no concern of this module.
"""

import math
import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, pairwise, takewhile

from text2sql.datasource.catalog import Catalog, Column, Table

IN_NAME, ELSEWHERE = 6.0, 1.0
"""How often a word counts that a table's name holds; its columns, descriptions or sample values."""
SATURATION, LENGTH_SHARE = 1.0, 0.3
"""BM25's k1 and b; a table is as long as it has columns."""
INFLECTED, JOINED, ABBREVIATED = 0.7, 0.5, 0.3
"""What a word counts that stands there in another form: `certified` in `certificate`, `airport` in
`airportcode`, `department` in `dept`. As it is, it counts 1."""
STEM, LONG, SHORTEST = 4, 0.6, 3
"""Letters that two forms of a word begin with alike, at least, and their share of the longer one; letters of
an abbreviation, at least, which is no longer than that share of the word."""
HINTED = 0.5
"""What a word of a hint counts, where a word of the question counts 1."""
NAMED = 2.0
"""How many rare words a table is worth that a hint names."""
TIED = 0.5
"""The share of its best neighbour's score that a table takes, over the root of the neighbour's ties."""
LIKELY, MAX_BETWEEN = 0.5, 2
"""The share of the best score from which on a table is connected to others; tables between two, at most."""
WIDEST = 0.25
"""The share of the room that one of many tables may fill; a wider one loses columns."""

_PART = re.compile(r"[^\W\d_]+|\d+")
_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_PLURALS = (
    (re.compile(r"(?<=..)ies$"), "y"),
    (re.compile(r"(?<=.(?:ss|sh|ch))es$|(?<=..[xz])es$"), ""),
    (re.compile(r"(?<=..)(?<![sui])s$"), ""),
)
OF_THE_RESULT = re.compile(
    r"\b(?:order(?:ed)? by|sort(?:ed)? by|(?:ascending|descending|alphabetical) order)\b", re.IGNORECASE
)
"""Phrases about the result's shape: who wants it in descending order asks for no orders."""
_COMMON = frozenset(
    "a about all also an and any are as at be been between both but by can did different distinct do does "
    "each every find for from give had has have how i in into is it its list many me more most much no not "
    "number of on only or our per please return show tell than that the their them there these they this "
    "those to was we were what when where which who whom whose will with you your".split()
)


def choose_tables(
    catalog: Catalog, question: str, hints: Sequence[str], room: int, size: Callable[[Table], int]
) -> tuple[Table, ...]:
    """Return the tables that fit the question best and `room` together, in the catalog's order.

    Where foreign keys connect two of them by way of others, those come too. A table that would fill
    much of the room has lost the columns that fit least. `hints` are texts that may name tables, such
    as what a glossary says of the question's terms. `size` tells how much room a table takes.
    """
    wanted = _read_wanted(question, hints)
    widest = room * max(WIDEST, 1 / len(catalog.tables))
    tables = {table.key: table for table in catalog.tables}
    sizes = {key: size(table) for key, table in tables.items()}
    for key in [key for key, taken in sizes.items() if taken > widest]:
        tables[key] = _narrow(tables[key], wanted, widest / sizes[key])
        sizes[key] = size(tables[key])
    ranking = index_words(catalog)
    chosen: set[str] = set()
    scores = ranking.score(wanted, hints)
    likely = LIKELY * max(scores.values())
    for key in sorted(scores, key=lambda key: -scores[key]):
        way = ranking.find_way(key, chosen) if scores[key] >= likely else ()
        for group in ({key, *way}, {key}):
            taken = sum(sizes[each] for each in group - chosen)
            if taken <= room:
                chosen |= group
                room -= taken
                break
    return tuple(table for key, table in tables.items() if key in chosen)


class TableRanking:
    """The words of a catalog's tables, and the tables that foreign keys tie to each other."""

    def __init__(self, catalog: Catalog) -> None:
        self._keys = tuple(table.key for table in catalog.tables)
        self._by_name: dict[str, list[str]] = defaultdict(list)
        self._counts: dict[str, dict[str, float]] = defaultdict(dict)
        """By word and table: how often it counts there."""
        self._alike: dict[str, list[str]] = defaultdict(list)
        """All words by their first letter."""
        self._ties: dict[str, dict[str, None]] = {key: {} for key in self._keys}
        for table in catalog.tables:
            self._by_name[table.name.lower()].append(table.key)
            of_columns = chain.from_iterable(map(_column_words, table.columns))
            for word in (*split_words(table.description), *of_columns):
                self._counts[word][table.key] = ELSEWHERE
            for word in split_words(table.name):
                self._counts[word][table.key] = self._counts[word].get(table.key, 0) + IN_NAME
        for word in self._counts:
            self._alike[word[0]].append(word)
        for table in catalog.tables:
            for key in table.foreign_keys:
                for other in self._by_name.get(key.table.lower(), ()):
                    if other != table.key:
                        self._ties[table.key][other] = self._ties[other][table.key] = None
        lengths = {table.key: len(table.columns) for table in catalog.tables}
        mean = sum(lengths.values()) / len(lengths)
        self._saturation = {
            key: SATURATION * (1 - LENGTH_SHARE + LENGTH_SHARE * length / mean)
            for key, length in lengths.items()
        }

    def score(self, wanted: dict[str, float], hints: Iterable[str]) -> dict[str, float]:
        """Return by table, in the catalog's order, how well it fits.

        `wanted` holds the words that are looked for, and what each counts.
        """
        scores = dict.fromkeys(self._keys, 0.0)
        for word, weight in wanted.items():
            found = self._find(word)
            rareness = self._rareness(len(found))
            for key, count in found.items():
                scores[key] += weight * rareness * count / (count + self._saturation[key])
        told = " ".join(hints).lower()
        for name, keys in self._by_name.items():
            if name in told and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", told):
                for key in keys:
                    scores[key] += NAMED * self._rareness(1)
        shares = {key: TIED * score / max(len(self._ties[key]), 1) ** 0.5 for key, score in scores.items()}
        for key, ties in self._ties.items():
            scores[key] += max((shares[other] for other in ties), default=0)
        return scores

    def knows(self, word: str) -> bool:
        """Tell whether a form of the word, in lower case and without a plural's ending, stands anywhere."""
        return any(_fit(word, other) for other in self._alike.get(word[0], ()))

    def find_way(self, start: str, ends: set[str]) -> tuple[str, ...]:
        """Return the tables between `start` and the nearest of `ends`; none where that is far."""
        ways: deque[tuple[str, ...]] = deque([(start,)])
        seen = {start}
        while ways:
            way = ways.popleft()
            for key in self._ties[way[-1]]:
                if key in ends:
                    return way[1:]
                if key not in seen and len(way) <= MAX_BETWEEN:
                    seen.add(key)
                    ways.append((*way, key))
        return ()

    def _find(self, word: str) -> dict[str, float]:
        """Return by table how often the word, or the form of it that fits best there, counts."""
        found: dict[str, float] = {}
        for other in self._alike.get(word[0], ()):
            if fit := _fit(word, other):
                for key, count in self._counts[other].items():
                    found[key] = max(found.get(key, 0), fit * count)
        return found

    def _rareness(self, tables: int) -> float:
        return math.log(1 + (len(self._keys) - tables + 0.5) / (tables + 0.5))


@lru_cache(maxsize=8)
def index_words(catalog: Catalog) -> TableRanking:
    """Return the catalog's words; those of the last catalogs are kept."""
    return TableRanking(catalog)


def _narrow(table: Table, wanted: dict[str, float], share: float) -> Table:
    """Return the table with that share of its columns: the keys, and then those that fit the question."""
    keys = {*table.primary_key, *(name for key in table.foreign_keys for name in key.columns)}

    def standing(column: Column) -> tuple[bool, float]:
        words = set(_column_words(column))
        fits = (
            weight * max((_fit(word, other) for other in words), default=0) for word, weight in wanted.items()
        )
        return column.name not in keys, -sum(fits)

    kept = sorted(table.columns, key=standing)[: max(1, int(len(table.columns) * share))]
    names = {column.name for column in kept}
    return table.model_copy(update={"columns": tuple(c for c in table.columns if c.name in names)})


def _column_words(column: Column) -> Iterator[str]:
    for text in (column.name, column.description, *column.samples):
        yield from split_words(text)


def _read_wanted(question: str, hints: Iterable[str]) -> dict[str, float]:
    """Return the words that are looked for, pairs as one word too (`lastname`), and what each counts."""
    wanted: dict[str, float] = {}
    for text, weight in ((" ".join(hints), HINTED), (OF_THE_RESULT.sub(" ", question), 1.0)):
        words = [word for word in split_words(text) if len(word) > 1 and word not in _COMMON]
        wanted |= dict.fromkeys((*words, *map("".join, pairwise(words))), weight)
    return wanted


def split_words(text: str) -> list[str]:
    """Return lower-case words, split at underscores, capitals and digits, without a plural's ending."""
    return [_singular(part) for part in _PART.findall(_CAPITAL.sub(" ", text).lower())]


@lru_cache(maxsize=20_000)
def _singular(word: str) -> str:
    for pattern, ending in _PLURALS:
        if pattern.search(word):
            return pattern.sub(ending, word)
    return word


@lru_cache(maxsize=200_000)
def _fit(wanted: str, word: str) -> float:
    """Return how well a catalog's word fits the one that is looked for: 1 for the same, 0 for another."""
    if wanted == word:
        return 1
    if wanted.isdigit() or word.isdigit():
        return 0
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(wanted, word, strict=False)))
    if same >= max(STEM, LONG * len(wanted), LONG * len(word)):
        return INFLECTED
    if same == len(wanted) >= STEM:
        return JOINED
    if SHORTEST <= len(word) <= LONG * len(wanted) and same > 1 and _is_within(word, wanted):
        return ABBREVIATED
    return 0


def _is_within(letters: str, word: str) -> bool:
    """Tell whether the letters stand in the word in their order."""
    rest = iter(word)
    return all(letter in rest for letter in letters)
