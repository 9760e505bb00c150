"""The index that needs no service: an SQLite file with FTS5, and vectors where embeddings are installed."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from text2sql.documents.port import IndexedDocument, Section
from text2sql.documents.telling import passage
from text2sql.embeddings import SentenceEmbeddings
from text2sql.errors import KnowledgeBaseUnavailable
from text2sql.messages import Passage
from text2sql.private_file import replacing
from text2sql.retrieval.coverage import EMPTY
from text2sql.retrieval.phrases import find_phrase
from text2sql.retrieval.table_ranking import split_words

if TYPE_CHECKING:
    from text2sql.embeddings import Vectors

LEAST_COSINE = 0.5
"""A section that is less like the question is not told."""
LEAST_SHARE = 0.6
"""So many of the question's words must a section hold, where no meanings can be compared."""
LEAST_WORDS = 2
NAMED = 1.0
"""What a section scores whose title the question names; more than any other."""
_FORMAT = 1
_CANDIDATES = 50
_TABLES = """
CREATE TABLE about (made_with TEXT, policy TEXT, state TEXT);
CREATE TABLE documents (name TEXT PRIMARY KEY, about TEXT);
CREATE TABLE sections (id INTEGER PRIMARY KEY, document TEXT, title TEXT, text TEXT, vector BLOB);
CREATE INDEX by_document ON sections (document);
CREATE VIRTUAL TABLE words USING fts5 (title, text);
"""


class _Vectors(NamedTuple):
    state: str
    """Of the file that they were read from."""
    ids: tuple[int, ...]
    rows: "Vectors"


class LocalIndex:
    """Finds sections by a title that the question names, then by meaning, or else by shared words.

    An index that is damaged, or made by another release, model or guardrail policy, is begun anew.
    """

    def __init__(
        self, path: Path, embeddings: SentenceEmbeddings | None = None, policy: str | None = None
    ) -> None:
        """`policy` is another word for each guardrail policy; None takes what was screened by any."""
        self._path = path
        self._embeddings = embeddings
        meaning = embeddings.model if embeddings else "words"
        self._made_with = f"{_FORMAT} {meaning}"
        self._policy = policy
        self._vectors: _Vectors | None = None

    def known(self) -> Mapping[str, IndexedDocument]:
        """Return what is indexed."""
        with self._open() as file:
            rows = file.execute("SELECT name, about FROM documents ORDER BY name").fetchall()
        return {name: IndexedDocument.model_validate_json(about) for name, about in rows}

    def put(self, document: IndexedDocument, sections: tuple[Section, ...]) -> None:
        """Index the document's sections in one transaction."""
        vectors: list[bytes | None] = [None] * len(sections)
        if self._embeddings and sections:
            told = [f"{section.title}: {section.text}" for section in sections]
            vectors = [row.tobytes() for row in self._embeddings.embed(told)]
        with self._open() as file:
            _forget(file, document.name)
            file.execute("INSERT INTO documents VALUES (?, ?)", (document.name, document.model_dump_json()))
            for section, vector in zip(sections, vectors, strict=True):
                row = file.execute(
                    "INSERT INTO sections (document, title, text, vector) VALUES (?, ?, ?, ?)",
                    (document.name, *section, vector),
                )
                words = (" ".join(split_words(section.title)), " ".join(split_words(section.text)))
                file.execute(
                    "INSERT INTO words (rowid, title, text) VALUES (?, ?, ?)", (row.lastrowid, *words)
                )

    def remove(self, name: str) -> None:
        """Forget the document in one transaction."""
        with self._open() as file:
            _forget(file, name)

    def search(self, question: str, limit: int) -> tuple[Passage, ...]:
        """Return the sections that fit; nothing where nothing does."""
        with self._open() as file:
            scores = self._score(file, question)
            best = sorted(scores, key=lambda number: (-scores[number], number))[:limit]
            return tuple(
                passage(name, Section(title, text), scores[number])
                for number in best
                for name, title, text in file.execute(
                    "SELECT document, title, text FROM sections WHERE id = ?", (number,)
                )
            )

    def _score(self, file: sqlite3.Connection, question: str) -> dict[int, float]:
        words = [word for word in dict.fromkeys(split_words(question)) if word not in EMPTY]
        shared = Counter(
            number
            for word in words
            for (number,) in file.execute(
                "SELECT rowid FROM words WHERE words MATCH ? ORDER BY bm25(words, 5, 1) LIMIT ?",
                (f'"{word}"', _CANDIDATES),
            )
        )
        scores = self._by_meaning(file, question)
        if scores is None:
            enough = max(LEAST_WORDS, LEAST_SHARE * len(words))
            scores = {number: count / len(words) for number, count in shared.items() if count >= enough}
        return scores | self._by_title(file, question, shared)

    def _by_title(self, file: sqlite3.Connection, question: str, numbers: Iterable[int]) -> dict[int, float]:
        """Return the sections whose titles the question names; the longest of several names wins."""
        named = {
            number: phrase.lower()
            for number in numbers
            for (title,) in file.execute("SELECT title FROM sections WHERE id = ?", (number,))
            if set(split_words(title)) - EMPTY and (phrase := find_phrase(title, question))
        }
        phrases = set(named.values())
        return {
            number: NAMED + len(phrase) / 1000
            for number, phrase in named.items()
            if not any(phrase != other and phrase in other for other in phrases)
        }

    def _by_meaning(self, file: sqlite3.Connection, question: str) -> dict[int, float] | None:
        """Return the cosines that are high enough; None without embeddings."""
        if self._embeddings is None:
            return None
        vectors = self._load_vectors(file)
        if not vectors.ids:
            return {}
        cosines = vectors.rows @ self._embeddings.embed((question,))[0]
        return {vectors.ids[place]: float(cosines[place]) for place in (cosines >= LEAST_COSINE).nonzero()[0]}

    def _load_vectors(self, file: sqlite3.Connection) -> _Vectors:
        """Return all vectors, from memory where nothing has changed."""
        import numpy as np

        ((state,),) = file.execute("SELECT state FROM about").fetchall()
        if self._vectors is None or self._vectors.state != state:
            found = file.execute("SELECT id, vector FROM sections WHERE vector IS NOT NULL").fetchall()
            joined = np.frombuffer(b"".join(vector for _, vector in found), np.float32)
            ids = tuple(number for number, _ in found)
            self._vectors = _Vectors(state, ids, joined.reshape(len(found), -1 if found else 384))
        return self._vectors

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Lend the file in one transaction; make it anew where it is missing, damaged or another's."""
        try:
            with closing(self._connect()) as file, file:
                yield file
        except sqlite3.Error as error:
            raise KnowledgeBaseUnavailable(
                "The index of documents cannot be read or written.",
                remedy=f"Make room, or delete {self._path.name} in the cache folder.",
            ) from error

    def _connect(self) -> sqlite3.Connection:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for _ in range(2):
            file = sqlite3.connect(self._path, timeout=10)
            try:
                ((made_with, policy),) = file.execute("SELECT made_with, policy FROM about").fetchall()
                if made_with == self._made_with and self._policy in {None, policy}:
                    return file
            except ValueError:
                pass  # the table is empty
            except sqlite3.DatabaseError as error:
                if error.sqlite_errorcode in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                    raise
            file.close()
            with replacing(self._path) as empty, closing(sqlite3.connect(empty)) as new, new:
                new.executescript(_TABLES)
                new.execute("INSERT INTO about VALUES (?, ?, '')", (self._made_with, self._policy or ""))
        raise sqlite3.OperationalError("the index does not stay as it was made")


def _forget(file: sqlite3.Connection, name: str) -> None:
    file.execute("UPDATE about SET state = hex(randomblob(16))")
    file.execute("DELETE FROM words WHERE rowid IN (SELECT id FROM sections WHERE document = ?)", (name,))
    file.execute("DELETE FROM sections WHERE document = ?", (name,))
    file.execute("DELETE FROM documents WHERE name = ?", (name,))
