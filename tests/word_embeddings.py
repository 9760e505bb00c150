"""Embeddings that need no model."""

import hashlib
import math
from collections.abc import Sequence

from text2sql.retrieval.table_ranking import split_words


class WordEmbeddings:
    """Vectors of length 1 that are alike where texts share words."""

    def __init__(self, model: str = "words", dimension: int = 1024) -> None:
        self.model = model
        self.dimension = dimension

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        return [self._embed(text) for text in texts]

    def _embed(self, text: str) -> list[float]:
        assert text.strip()  # Titan refuses an empty one
        vector = [0.0] * self.dimension
        for word in split_words(text):
            vector[int(hashlib.sha256(word.encode()).hexdigest(), 16) % self.dimension] += 1
        length = math.hypot(*vector) or 1.0
        return [number / length for number in vector]
