"""The index of a database's stored texts: a file of the cache folder that is built in the background."""

import hashlib
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from threading import Lock, Thread
from typing import Any, NamedTuple

from text2sql import __version__
from text2sql.datasource.catalog import Catalog
from text2sql.datasource.values import (
    ColumnTexts,
    TextColumn,
    TextLimits,
    choose_text_columns,
    fold_words,
    value_key,
)
from text2sql.errors import Text2SqlError
from text2sql.private_file import replacing

FRESH_SECONDS = 6 * 3600.0
"""An older index is still used while a new one is built: rows change."""
WAIT_SECONDS = 2.0
"""How long a question waits for the first index."""
RETRY_SECONDS = 300.0
"""How long nobody tries again where building has failed."""
KEYS_AT_ONCE = 500

_TABLES = """
CREATE TABLE about (wanted TEXT, built REAL);
CREATE TABLE columns (
  id INTEGER PRIMARY KEY, table_key TEXT, name TEXT, texts INTEGER, is_complete INTEGER, is_exact INTEGER
);
CREATE TABLE texts (column_id INTEGER, text TEXT, text_key TEXT);
"""
_INDEXES = "CREATE INDEX by_key ON texts (text_key); CREATE INDEX by_column ON texts (column_id);"
_STORED = (
    "SELECT c.table_key, c.name, t.text, t.text_key, c.texts "
    "FROM texts AS t JOIN columns AS c ON c.id = t.column_id WHERE "
)

_log = logging.getLogger(__name__)


class StoredText(NamedTuple):
    """A text that is stored in a column."""

    table: str
    column: str
    text: str
    key: str
    """See `value_key`."""
    column_texts: int
    """How many different texts the column holds."""


class StoredValues:
    """The texts that were stored when the index was built.

    An index that is damaged or gone holds nothing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def find(self, keys: Iterable[str]) -> list[StoredText]:
        """Return the stored texts that have one of the keys."""
        wanted = list(dict.fromkeys(keys))
        found: list[StoredText] = []
        for start in range(0, len(wanted), KEYS_AT_ONCE):
            some = wanted[start : start + KEYS_AT_ONCE]
            places = ", ".join("?" * len(some))
            found += self._stored(f"t.text_key IN ({places})", some)
        return found

    def starting(self, prefix: str, most: int) -> list[StoredText]:
        """Return at most so many stored texts whose keys start with `prefix`."""
        end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        return self._stored("t.text_key >= ? AND t.text_key < ? LIMIT ?", (prefix, end, most))

    def column(self, table: str, column: str) -> ColumnTexts | None:
        """Return all that is known of a column; None where it was not read."""
        known = self._rows(
            "SELECT id, is_complete, is_exact FROM columns WHERE table_key = ? AND name = ?", (table, column)
        )
        for number, is_complete, is_exact in known:
            texts = self._rows("SELECT text FROM texts WHERE column_id = ?", (number,))
            return ColumnTexts(
                table=table,
                column=column,
                texts=tuple(text for (text,) in texts),
                is_complete=bool(is_complete),
                is_exact=bool(is_exact),
            )
        return None

    def _stored(self, condition: str, parameters: Sequence[object]) -> list[StoredText]:
        return [StoredText(*row) for row in self._rows(_STORED + condition, parameters)]

    def _rows(self, sql: str, parameters: Sequence[object]) -> list[Any]:
        return _read(self._path, sql, parameters)


class ValuesIndex:
    """Keeps the index of one database as new as it must be."""

    def __init__(
        self,
        path: Path,
        read_texts: Callable[[Sequence[TextColumn], TextLimits], tuple[ColumnTexts, ...]],
        limits: TextLimits | None = None,
    ) -> None:
        """`path` is the index's file; whoever holds the same path shares it."""
        self._path = path
        self._read_texts = read_texts
        self._limits = limits or TextLimits()
        self._lock = Lock()
        self._building: Thread | None = None
        self._rests_until = 0.0

    def open(self, catalog: Catalog, wait: float | None = WAIT_SECONDS) -> StoredValues | None:
        """Return what is stored in the columns of the whole catalog; None where that is not known yet.

        What is missing or old is read in the background; `wait` are the seconds that a missing index is
        waited for, None for as long as it takes.
        """
        wanted = choose_text_columns(catalog)
        digest = _digest(wanted)
        built = self._built(digest)
        if built is None or time.time() - built > FRESH_SECONDS:
            building = self._start(wanted, digest)
            if built is None and building:
                building.join(wait)
                built = self._built(digest)
        return StoredValues(self._path) if built is not None else None

    def _built(self, digest: str) -> float | None:
        """Return when the index was built, in seconds since 1970; None where none fits."""
        rows = _read(self._path, "SELECT built FROM about WHERE wanted = ?", (digest,))
        return float(rows[0][0]) if rows else None

    def _start(self, wanted: Sequence[TextColumn], digest: str) -> Thread | None:
        """Return the thread that builds; None while a failure is not long ago."""
        with self._lock:
            if self._building is None or not self._building.is_alive():
                if time.monotonic() < self._rests_until:
                    return None
                self._building = Thread(target=self._build, args=(wanted, digest), daemon=True)
                self._building.start()
            return self._building

    def _build(self, wanted: Sequence[TextColumn], digest: str) -> None:
        try:
            read = self._read_texts(wanted, self._limits)
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with replacing(self._path) as new:
                _write(new, digest, read)
        except (Text2SqlError, OSError) as error:
            _log.warning("stored values could not be read", extra={"code": getattr(error, "code", "OS")})
            self._rests_until = time.monotonic() + RETRY_SECONDS


def index_path(identity: str, folder: Path) -> Path:
    """Return the file of a database's index; `identity` tells databases apart, as for its catalog."""
    digest = hashlib.sha256(f"{__version__} {identity}".encode()).hexdigest()[:24]
    return folder / f"{digest}.sqlite"


def _read(path: Path, sql: str, parameters: Sequence[object]) -> list[Any]:
    """Return the rows of an index; none where it is damaged or gone."""
    import sqlite3

    uri = f"{path.absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            return connection.execute(sql, parameters).fetchall()
    except sqlite3.DatabaseError:
        return []


def _digest(wanted: Sequence[TextColumn]) -> str:
    """Return another one where other columns are worth reading: one was added, or is called private now."""
    names = sorted((each.table, each.column) for each in wanted)
    return hashlib.sha256(repr(names).encode()).hexdigest()[:24]


def _write(path: Path, digest: str, read: Sequence[ColumnTexts]) -> None:
    import sqlite3

    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {_TABLES}")
        for number, each in enumerate(read):
            row = (number, each.table, each.column, len(each.texts), each.is_complete, each.is_exact)
            connection.execute("INSERT INTO columns VALUES (?, ?, ?, ?, ?, ?)", row)
            rows = ((number, text, value_key(fold_words(text))) for text in each.texts)
            connection.executemany("INSERT INTO texts VALUES (?, ?, ?)", rows)
        connection.executescript(_INDEXES)
        connection.execute("INSERT INTO about VALUES (?, ?)", (digest, time.time()))
