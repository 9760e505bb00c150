"""The knowledge base port."""

from typing import Protocol

from text2sql.datasource.knowledge import Metric, Term
from text2sql.messages import Passage


class KnowledgeBase(Protocol):
    """Finds what has been written down about a datasource."""

    def retrieve(
        self, question: str, limit: int, hidden: frozenset[str] = frozenset()
    ) -> tuple[Passage, ...]:
        """Return at most `limit` passages, the best first; none when nothing fits.

        `hidden` are the names of tables and columns, in lower case, that no passage may name.

        Raises:
            KnowledgeBaseUnavailable: the service did not answer.
        """
        ...

    def measures(self, tables: frozenset[str], hidden: frozenset[str] = frozenset()) -> tuple[str, ...]:
        """Return the terms whose SQL adds up or counts rows of these tables alone, the first written first.

        `hidden` is as `retrieve` says.

        Raises:
            KnowledgeBaseUnavailable: the service did not answer.
        """
        ...

    def entries(
        self, tables: frozenset[str], hidden: frozenset[str] = frozenset()
    ) -> tuple[Term | Metric, ...]:
        """Return the terms and metrics of these tables alone, as they were written; for people.

        `hidden` is as `retrieve` says.

        Raises:
            KnowledgeBaseUnavailable: the service did not answer.
        """
        ...
