"""Links words of a question to stored texts, so that the model writes them as they are stored.

A small model follows every note, so a link that is not meant costs more than one that is missed.
"""

import re
from collections import defaultdict
from typing import NamedTuple, TypeAlias

from text2sql.datasource.catalog import Catalog, quote_name
from text2sql.datasource.policy.access import Access
from text2sql.datasource.values import fold_words, value_key
from text2sql.datasource.values_index import StoredText, StoredValues
from text2sql.datasource.values_match import closest
from text2sql.messages import Passage

MAX_LINKS = 6
MAX_COLUMNS = 3
"""Of one note; a text that more columns hold says less about which is meant."""
MAX_WORDS = 10
"""Of the longest phrase that is looked up."""
FEW_TEXTS = 60
"""A column with at most so many different texts holds categories: a plain word may name one of them."""
NEAR_TEXTS = 500
"""So many stored texts with the same beginning are compared with a name that is not stored."""
SHORT = 3
"""Fewer letters must be spelled as they are stored, but for case."""
PREFIX = 3
"""How many letters a name and a stored text that is near to it begin with alike."""

_TOKEN = re.compile(r"[^\W_]+")
_QUOTED = re.compile(
    r"\"([^\"]+)\"|\u201c([^\u201d]+)\u201d|\u2018([^\u2019]+)\u2019"
    r"|(?<!\w)'((?:[^']|(?<=\w)'(?=\w))+)'(?!\w)"
)
_PARTS = re.compile(r"[,;\"\u201c\u201d]")
_BEGINS = re.compile(r"(?:^|[.?!:])\W*$")
_ASKS_FOR_PART = re.compile(
    r"\b(?:contain|includ)\w*|\b(?:substring|prefix|suffix|letters?)\b"
    r"|\b(?:start|begin|end)\w* (?:with|in)\b",
    re.IGNORECASE,
)
_PLAIN_WORDS = frozenset(
    "a about above after all also am an and any are as at be been before below between both but by can did do"
    " does each either ever every few for from give had has have he her his how i if in into is it its least"
    " less list many may me more most much must my name no not number of off on once one only or order other"
    " our out over own per please same see she show so some such than that the their them then there these"
    " they this those to too total under until up us use was we were what when where which while who whom"
    " whose why will with without you your zero one two three four five six seven eight nine ten first second"
    " third last".split()
)


class Link(NamedTuple):
    """A stored text that the question names, and where it is stored."""

    text: str
    columns: tuple[StoredText, ...]
    score: float
    """1 where the question spells it as it is stored, case, accents and plural aside."""


class _Token(NamedTuple):
    """A word of the question."""

    text: str
    start: int
    end: int
    is_quoted: bool
    is_name: bool
    """Whether it is quoted, or has a capital or a digit in it that no sentence asks for."""

    @property
    def is_plain(self) -> bool:
        """Whether it is a word of any question; `May` inside a sentence and a quoted `in` are not."""
        is_name = self.is_quoted or (self.is_name and len(self.text) > 1)
        return not is_name and self.text.lower() in _PLAIN_WORDS


_Span: TypeAlias = tuple[_Token, ...]
"""Words of the question that follow each other."""


def find_links(question: str, access: Access, values: StoredValues) -> tuple[Link, ...]:
    """Return the stored texts that the question names and the caller may see, the best first."""
    return tuple(_Search(question, access, values).links()[:MAX_LINKS])


class _Search:
    """The search for one question."""

    def __init__(self, question: str, access: Access, values: StoredValues) -> None:
        self._question = question
        self._values = values
        self._tokens = _read_tokens(question)
        self._words = frozenset(_key(self._tokens).split())
        self._names = _catalog_words(access.catalog)
        self._shown = access.stored_columns()
        self._taken: set[_Token] = set()

    def links(self) -> list[Link]:
        links = []
        by_key: dict[str, list[StoredText]] = defaultdict(list)
        spans = sorted(self._spans(), key=len, reverse=True)
        for stored in self._visible(self._values.find(map(_key, spans))):
            by_key[stored.key].append(stored)
        for span in spans:
            if not self._taken.intersection(span):
                links += self._link(span, self._fitting(span, by_key.get(_key(span), [])), 1.0)
        for span in self._unknown_names():
            links += self._link(span, self._near(span), 0.5)
        return links

    def _spans(self) -> list[_Span]:
        tokens = self._tokens
        return [
            tokens[start:end]
            for start in range(len(tokens))
            for end in range(start + 1, min(start + MAX_WORDS, len(tokens)) + 1)
        ]

    def _visible(self, stored: list[StoredText]) -> list[StoredText]:
        return [each for each in stored if (each.table, each.column) in self._shown]

    def _fitting(self, span: _Span, candidates: list[StoredText]) -> list[StoredText]:
        """Return those of the texts with the span's key that the question means."""
        written = self._question[span[0].start : span[-1].end].casefold()
        spelled_so = [each for each in candidates if each.text.casefold() == written]
        if len(written) < SHORT:
            candidates = spelled_so if any(token.is_name for token in span) else []
        if all(token.is_plain or token.text.isdecimal() for token in span):
            return []
        if any(token.is_name for token in span):
            return spelled_so or candidates
        if all(token.is_plain or _key((token,)) in self._names for token in span):
            return []
        few = [each for each in candidates if len(span) > 1 or each.column_texts <= FEW_TEXTS]
        return [each for each in few if each in spelled_so] or few

    def _unknown_names(self) -> list[_Span]:
        """Return the longest runs of names that no stored text has been found for."""
        runs: list[list[_Token]] = [[]]
        end = 0
        for token in self._tokens:
            if _PARTS.search(self._question[end : token.start]):
                runs.append([])
            end = token.end
            if token.is_name and not token.is_plain and token not in self._taken:
                runs[-1].append(token)
            else:
                runs.append([])
        return [tuple(run) for run in runs if sum(len(token.text) for token in run) >= SHORT]

    def _near(self, span: _Span) -> list[StoredText]:
        """Return the one stored text that comes closest to the span; none where several do."""
        key = _key(span)
        candidates = self._visible(self._values.starting(key[:PREFIX], NEAR_TEXTS))
        near = closest(key.split(), {each.text: each.key.split() for each in candidates})
        return [each for each in candidates if each.text == near[0]] if len(near) == 1 else []

    def _link(self, span: _Span, found: list[StoredText], score: float) -> list[Link]:
        by_text: dict[str, list[StoredText]] = defaultdict(list)
        for each in found:
            by_text[each.text].append(each)
        if by_text:
            self._taken.update(span)
        return [
            Link(text, tuple(sorted(columns, key=self._rank)[:MAX_COLUMNS]), score)
            for text, columns in by_text.items()
        ]

    def _rank(self, stored: StoredText) -> int:
        """Return less for a column that the question names, by itself or by its table."""
        named = _name_words(stored.table) | _name_words(stored.column)
        return -len(named & self._words)


def tell(link: Link) -> Passage:
    """Return the passage that says where the text is stored."""
    columns = [f"{quote_name(each.table)}.{quote_name(each.column)}" for each in link.columns]
    text = link.text.replace("'", "''")
    told = f"{' and '.join(columns)} {'has' if len(columns) == 1 else 'have'} '{text}'."
    return Passage(source=f"values: {columns[0]}", text=told, score=link.score)


def _read_tokens(question: str) -> tuple[_Token, ...]:
    """Return the words; those in quotes that only a part of a text must hold are left out."""
    quoted = [match.span() for match in _QUOTED.finditer(question)]
    found = list(_TOKEN.finditer(question))
    plain = [match[0].islower() for match in found[1:] if match[0].lower() in _PLAIN_WORDS]
    in_capitals = 2 * sum(plain) < len(plain)
    tokens = []
    for match in found:
        is_quoted = any(start < match.start() and match.end() < end for start, end in quoted)
        if is_quoted and _ASKS_FOR_PART.search(question):
            continue
        looks_so = not match[0].islower() and not match[0].isdecimal() and not in_capitals
        begins = bool(_BEGINS.search(question[: match.start()]))
        is_name = is_quoted or (looks_so and (not begins or not match[0][1:].islower()))
        tokens.append(_Token(match[0], *match.span(), is_quoted, is_name))
    return tuple(tokens)


def _key(span: _Span) -> str:
    return value_key([word for token in span for word in fold_words(token.text)])


def _catalog_words(catalog: Catalog) -> frozenset[str]:
    names = (name for table in catalog.tables for name in (table.name, *(c.name for c in table.columns)))
    return frozenset(word for name in names for word in _name_words(name))


def _name_words(name: str) -> frozenset[str]:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return frozenset(value_key(fold_words(spaced)).split())
