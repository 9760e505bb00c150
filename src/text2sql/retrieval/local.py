"""What people wrote down: terms and metrics, found by the words of the question, and documents."""

import re
from collections.abc import Callable
from typing import NamedTuple, Protocol

from text2sql.datasource.knowledge import Knowledge, Metric, Term
from text2sql.datasource.planted import shorten
from text2sql.messages import Passage
from text2sql.retrieval.phrases import find_phrase

MAX_SECTIONS = 2
"""Of documents, so many sections are told at most."""
PASSAGE_CHARACTERS = 2_000
"""The room of all passages together; what is less fit is left out where it is short."""

_NAME = re.compile(r"\w+")
_QUALIFIED = re.compile(r"\w+\.\w+")
_CODE = re.compile(r"\w*_\w+")
_MARKED = re.compile(r"`([^`]{1,200})`")
_AGGREGATE = re.compile(r"[\d.\s*(]*(?:SUM|COUNT|AVG|MIN|MAX)\s*\(", re.IGNORECASE)


class DocumentSearch(Protocol):
    """Finds sections of documents."""

    def search(self, question: str, limit: int) -> tuple[Passage, ...]:
        """Return at most `limit` sections that fit the question, the best first.

        Raises:
            KnowledgeBaseUnavailable: the index does not answer.
        """
        ...


class LocalKnowledgeBase:
    """Searches terms, metrics and their synonyms as whole words, case and plural aside, and documents."""

    def __init__(self, terms: tuple[Term | Metric, ...], documents: DocumentSearch | None = None) -> None:
        self._terms = terms
        self._entries = tuple(map(_read_entry, terms))
        self._documents = documents

    def retrieve(
        self, question: str, limit: int, hidden: frozenset[str] = frozenset()
    ) -> tuple[Passage, ...]:
        """Return the terms that the question uses, and after them what documents say.

        A term's score is the longest match's share of the question.
        """
        found = []
        for entry in self._entries:
            if entry.names & hidden:
                continue
            length = max(len(find_phrase(phrase, question)) for phrase in entry.phrases)
            if length:
                score = round(length / max(len(question), 1), 4)
                found.append(Passage(source=entry.source, text=entry.text, score=score, tables=entry.tables))
        found.sort(key=lambda passage: -passage.score)
        return _fit((*found, *self._search(question, hidden)), limit)

    def measures(self, tables: frozenset[str], hidden: frozenset[str] = frozenset()) -> tuple[str, ...]:
        """Return the terms whose SQL begins with an aggregate."""
        return tuple(
            entry.phrases[0]
            for entry in self._entries
            if _AGGREGATE.match(entry.sql) and tables.issuperset(entry.tables) and not entry.names & hidden
        )

    def entries(
        self, tables: frozenset[str], hidden: frozenset[str] = frozenset()
    ) -> tuple[Term | Metric, ...]:
        """Return those that name nothing else and nothing hidden, the first written first."""
        return tuple(
            term
            for term, entry in zip(self._terms, self._entries, strict=True)
            if tables.issuperset(entry.tables) and not entry.names & hidden
        )

    def _search(self, question: str, hidden: frozenset[str]) -> tuple[Passage, ...]:
        if self._documents is None:
            return ()
        sections = self._documents.search(question, MAX_SECTIONS)
        return tuple(section for section in sections if not _names_in(section.text) & hidden)


class CurrentKnowledge:
    """The local knowledge base of files that may change between two questions."""

    def __init__(self, read: Callable[[], Knowledge], documents: DocumentSearch | None = None) -> None:
        self._read = read
        self._documents = documents

    def retrieve(
        self, question: str, limit: int, hidden: frozenset[str] = frozenset()
    ) -> tuple[Passage, ...]:
        """Return what LocalKnowledgeBase finds in the files as they are now."""
        return self._now().retrieve(question, limit, hidden)

    def measures(self, tables: frozenset[str], hidden: frozenset[str] = frozenset()) -> tuple[str, ...]:
        """Return what LocalKnowledgeBase does of the files as they are now."""
        return self._now().measures(tables, hidden)

    def entries(
        self, tables: frozenset[str], hidden: frozenset[str] = frozenset()
    ) -> tuple[Term | Metric, ...]:
        """Return what LocalKnowledgeBase does of the files as they are now."""
        return self._now().entries(tables, hidden)

    def _now(self) -> LocalKnowledgeBase:
        knowledge = self._read()
        return LocalKnowledgeBase((*knowledge.glossary.terms, *knowledge.metrics.metrics), self._documents)


class _Entry(NamedTuple):
    """A term or a metric, ready to be found and told."""

    source: str
    phrases: tuple[str, ...]
    text: str
    sql: str
    tables: tuple[str, ...]
    names: frozenset[str]
    """What may be names of tables and columns: all words of the SQL, and in prose what looks it."""


def _read_entry(term: Term | Metric) -> _Entry:
    if isinstance(term, Metric):
        kind, phrase, grain = "metric", term.metric, f" Grain: {shorten(term.grain)}." if term.grain else ""
    else:
        kind, phrase, grain = "glossary", term.term, ""
    told = shorten(term.meaning)
    text = f"{phrase}: {told}{grain}" + (f" SQL: {term.sql}" if term.sql else "")
    prose = " ".join((phrase, *term.synonyms, term.meaning, grain))
    names = {*term.tables, *_NAME.findall(term.sql), *_QUALIFIED.findall(term.sql)}
    return _Entry(
        source=f"{kind}: {phrase}",
        phrases=(phrase, *term.synonyms),
        text=text,
        sql=term.sql,
        tables=term.tables,
        names=frozenset(name.lower() for name in names) | _names_in(prose),
    )


def _names_in(prose: str) -> frozenset[str]:
    """Return what looks like names of tables and columns: words with a _ or a dot in them, and code."""
    code = [name for marked in _MARKED.findall(prose) for name in _NAME.findall(marked)]
    return frozenset(name.lower() for name in (*_CODE.findall(prose), *_QUALIFIED.findall(prose), *code))


def _fit(passages: tuple[Passage, ...], limit: int) -> tuple[Passage, ...]:
    """Return the first passages, leaving out those that there is no room for."""
    told: list[Passage] = []
    room = PASSAGE_CHARACTERS
    for passage in passages:
        if len(told) < limit and (len(passage.text) <= room or not told):
            told.append(passage)
            room -= len(passage.text)
    return tuple(told)
