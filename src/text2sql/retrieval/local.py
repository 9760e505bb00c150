"""The local knowledge base: a glossary's terms, found by the words of the question."""

import re

from text2sql.datasource.knowledge import Term
from text2sql.messages import Passage


class LocalKnowledgeBase:
    """Searches terms and their synonyms as whole words, case and plural aside."""

    def __init__(self, terms: tuple[Term, ...]) -> None:
        self._entries = tuple((term, tuple(map(_pattern, (term.term, *term.synonyms)))) for term in terms)

    def retrieve(self, question: str, limit: int) -> tuple[Passage, ...]:
        """Return the terms that the question uses; the score is the longest match's share of it."""
        found = []
        for term, patterns in self._entries:
            lengths = [len(match[0]) for pattern in patterns if (match := pattern.search(question))]
            if lengths:
                text = f"{term.term}: {term.meaning}" + (f" SQL: {term.sql}" if term.sql else "")
                score = max(lengths) / max(len(question), 1)
                found.append(Passage(source=f"glossary: {term.term}", text=text, score=round(score, 4)))
        found.sort(key=lambda passage: -passage.score)
        return tuple(found[:limit])


def _pattern(phrase: str) -> re.Pattern[str]:
    words = r"[\s_-]+".join(re.escape(word) for word in phrase.split())
    return re.compile(rf"\b{words}(?:s|es)?\b", re.IGNORECASE)
