"""The local knowledge base: a glossary's terms, found by the words of the question."""

import re
from collections.abc import Callable

from text2sql.datasource.knowledge import Term
from text2sql.datasource.planted import shorten
from text2sql.messages import Passage

_NAME = re.compile(r"\w+")
_QUALIFIED = re.compile(r"\w+\.\w+")
_CODE = re.compile(r"\w*_\w+")
_AGGREGATE = re.compile(r"[\d.\s*(]*(?:SUM|COUNT|AVG|MIN|MAX)\s*\(", re.IGNORECASE)


class LocalKnowledgeBase:
    """Searches terms and their synonyms as whole words, case and plural aside."""

    def __init__(self, terms: tuple[Term, ...]) -> None:
        self._entries = tuple(
            (term, tuple(map(_pattern, (term.term, *term.synonyms))), _names(term)) for term in terms
        )

    def retrieve(
        self, question: str, limit: int, hidden: frozenset[str] = frozenset()
    ) -> tuple[Passage, ...]:
        """Return the terms that the question uses; the score is the longest match's share of it."""
        found = []
        for term, patterns, names in self._entries:
            if names & hidden:
                continue
            lengths = [len(match[0]) for pattern in patterns if (match := pattern.search(question))]
            if lengths:
                text = f"{term.term}: {shorten(term.meaning)}" + (f" SQL: {term.sql}" if term.sql else "")
                score = max(lengths) / max(len(question), 1)
                source = f"glossary: {term.term}"
                found.append(Passage(source=source, text=text, score=round(score, 4), tables=term.tables))
        found.sort(key=lambda passage: -passage.score)
        return tuple(found[:limit])

    def measures(self, tables: frozenset[str], hidden: frozenset[str] = frozenset()) -> tuple[str, ...]:
        """Return the terms whose SQL begins with an aggregate."""
        return tuple(
            term.term
            for term, _, names in self._entries
            if _AGGREGATE.match(term.sql) and tables.issuperset(term.tables) and not names & hidden
        )


class CurrentGlossary:
    """The local knowledge base of terms that may change between two questions."""

    def __init__(self, terms: Callable[[], tuple[Term, ...]]) -> None:
        self._terms = terms

    def retrieve(
        self, question: str, limit: int, hidden: frozenset[str] = frozenset()
    ) -> tuple[Passage, ...]:
        """Return what LocalKnowledgeBase finds in the terms as they are now."""
        return LocalKnowledgeBase(self._terms()).retrieve(question, limit, hidden)

    def measures(self, tables: frozenset[str], hidden: frozenset[str] = frozenset()) -> tuple[str, ...]:
        """Return what LocalKnowledgeBase does of the terms as they are now."""
        return LocalKnowledgeBase(self._terms()).measures(tables, hidden)


def _names(term: Term) -> frozenset[str]:
    """Return what may be names of tables and columns: all words of the SQL, and in prose what looks it."""
    prose = " ".join((term.term, *term.synonyms, term.meaning))
    names = [*term.tables, *_NAME.findall(term.sql), *_QUALIFIED.findall(term.sql)]
    return frozenset(name.lower() for name in (*names, *_CODE.findall(prose), *_QUALIFIED.findall(prose)))


def _pattern(phrase: str) -> re.Pattern[str]:
    words = r"[\s_-]+".join(re.escape(word) for word in phrase.split())
    return re.compile(rf"\b{words}(?:s|es)?\b", re.IGNORECASE)
