"""Stored texts of a database: which columns are worth reading, and what was read; as frozen messages."""

import re
import unicodedata
from collections.abc import Iterable

from text2sql.datasource.catalog import Catalog, Column
from text2sql.datasource.introspection.samples import tells_private, worth_sampling
from text2sql.messages import Message

_TEXT_TYPE = re.compile(r"char|text|clob|enum", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")
_PLURAL = re.compile(r"(?<=[^\Ws])s$")


class TextColumn(Message):
    """A column whose stored texts are worth knowing."""

    table: str
    column: str
    rows: int | None = None
    """About how many the table has; None where nobody counted."""


class ColumnTexts(Message):
    """What a column holds, as its database tells it."""

    table: str
    column: str
    texts: tuple[str, ...]
    """Different ones, each of one line, with a letter in it, and of at most `TextLimits.characters`."""
    is_complete: bool
    """Whether no other text with a letter in it is stored."""
    is_exact: bool
    """Whether the database tells upper from lower case when it compares the column."""


class TextLimits(Message):
    """How much is read."""

    characters: int = 60
    """A longer text is left out, and a column of mostly longer ones."""
    column_texts: int = 5_000
    """A column with more different texts is left out."""
    texts: int = 100_000
    """Of all columns together."""
    rows: int = 50_000
    """Of a table with more, only so many are looked at."""
    seconds: float = 20.0
    """For all columns together."""


def choose_text_columns(catalog: Catalog) -> tuple[TextColumn, ...]:
    """Return the columns of text that nothing marks as private, those of small tables first."""
    chosen = [
        TextColumn(table=table.name, column=column.name, rows=table.row_count)
        for table in catalog.tables
        if table.kind == "table" and not table.schema_name
        for column in table.columns
        if holds_text(column)
        and worth_sampling(column.name, column.type)
        and not tells_private(column.description)
    ]
    return tuple(sorted(chosen, key=lambda each: (each.rows is None, each.rows or 0)))


def holds_text(column: Column) -> bool:
    """Tell whether the column's type is one of text."""
    return bool(_TEXT_TYPE.search(column.type))


def fold_text(text: str) -> str:
    """Return the text without case, accents and blanks at its end, as most collations compare it."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(each for each in plain if not unicodedata.combining(each)).rstrip()


def fold_words(text: str) -> list[str]:
    """Return the words without case, accents and punctuation."""
    return _WORD.findall(fold_text(text))


def value_key(words: Iterable[str]) -> str:
    """Return what texts share that differ in case, accents, punctuation and plural; from folded words."""
    return " ".join(_PLURAL.sub("", word) for word in words)
