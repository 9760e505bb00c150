"""The knowledge base port."""

from typing import Protocol

from text2sql.messages import Passage


class KnowledgeBase(Protocol):
    """Finds what has been written down about a datasource."""

    def retrieve(self, question: str, limit: int) -> tuple[Passage, ...]:
        """Return at most `limit` passages, the best first; none when nothing fits.

        Raises:
            KnowledgeBaseUnavailable: the service did not answer.
        """
        ...
