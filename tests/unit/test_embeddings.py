"""The sentence embeddings, with the real model."""

from pathlib import Path

import pytest

from text2sql.embeddings import EmbeddingSimilarity, SentenceEmbeddings, are_installed

np = pytest.importorskip("numpy")
pytestmark = pytest.mark.skipif(not are_installed(), reason="the extra `embeddings` is not installed")

ASKED = "How many customers live in each city?"


@pytest.fixture(scope="module")
def embeddings(tmp_path_factory: pytest.TempPathFactory) -> SentenceEmbeddings:
    return SentenceEmbeddings(tmp_path_factory.mktemp("embeddings"))


def test_vectors_have_length_one_and_do_not_depend_on_their_batch(embeddings: SentenceEmbeddings) -> None:
    texts = [ASKED, "Who?", "", "word " * 500, *(f"Text {number}" for number in range(40))]
    vectors = embeddings.embed(texts)
    assert vectors.shape == (44, 384)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert float(vectors[0] @ embeddings.embed([ASKED])[0]) > 0.99
    assert embeddings.embed([]).shape == (0, 384)


def test_same_meaning_is_nearer_than_the_same_words(embeddings: SentenceEmbeddings) -> None:
    scores = EmbeddingSimilarity(embeddings).score(
        ASKED, ("Count the customers per town", "How many cars live in each garage?", "What is the weather?")
    )
    assert scores[0] == max(scores)
    assert scores[0] > EmbeddingSimilarity.least > scores[2]


def test_vectors_are_kept_for_the_same_texts(tmp_path: Path, embeddings: SentenceEmbeddings) -> None:
    kept = SentenceEmbeddings(tmp_path / "kept")
    first = kept.embed_once(("a", "b"))
    assert np.array_equal(kept.embed_once(("a", "b")), first)
    (file,) = (tmp_path / "kept").iterdir()
    file.write_bytes(b"broken")
    assert np.allclose(kept.embed_once(("a", "b")), embeddings.embed(("a", "b")), atol=1e-6)


def test_kept_vectors_are_read_without_the_model(tmp_path: Path) -> None:
    SentenceEmbeddings(tmp_path).embed_once(("a",))
    again = SentenceEmbeddings(tmp_path)
    again.embed_once(("a",))
    assert "_infer" not in vars(again)
