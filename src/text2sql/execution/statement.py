"""A lexical look at a statement's text: its names, and what no reading statement holds; no grammar here.

The validator decides what may run. This repeats the little that a database session cannot refuse by itself.
"""

import re
from collections.abc import Container, Iterable, Iterator
from itertools import pairwise
from typing import Literal

from text2sql.errors import QueryFailed
from text2sql.messages import Dialect

_Kind = Literal["string", "name", "comment", "word", "sign"]

# An unclosed quote or comment reaches to the end: no form can fail half-way, so no text is read twice.
_MYSQL_TOKENS = re.compile(
    r"""(?P<string> '(?:[^'\\]|\\.|'')*(?:'|\\?\Z) | "(?:[^"\\]|\\.|"")*(?:"|\\?\Z) )
    | (?P<name> `(?:[^`]|``)*(?:`|\Z) )
    | (?P<comment> --(?=\s|\Z)[^\n]* | \#[^\n]* | /\*(?:[^*]|\*(?!/))*(?:\*/|\Z) )
    | (?P<word> [\w$]+ )
    | (?P<sign> \S )""",
    re.VERBOSE | re.DOTALL,
)
_SQLITE_TOKENS = re.compile(
    r"""(?P<string> '(?:[^']|'')*(?:'|\Z) )
    | (?P<name> "(?:[^"]|"")*(?:"|\Z) | `(?:[^`]|``)*(?:`|\Z) | \[[^\]]*(?:\]|\Z) )
    | (?P<comment> --[^\n]* | /\*(?:[^*]|\*(?!/))*(?:\*/|\Z) )
    | (?P<word> [\w$]+ )
    | (?P<sign> \S )""",
    re.VERBOSE | re.DOTALL,
)
_TOKENS: dict[Dialect, re.Pattern[str]] = {
    "mysql": _MYSQL_TOKENS,
    "mariadb": _MYSQL_TOKENS,
    "sqlite": _SQLITE_TOKENS,
}
_READING = {"SELECT", "WITH", "VALUES", "TABLE"}
_LOCKING = {("FOR", "UPDATE"), ("FOR", "SHARE"), ("LOCK", "IN")}
# What makes a statement read on when it has rows enough, or rows that nobody sees.
_READING_ON = frozenset("where group order distinct having union intersect except window with offset".split())


def _tokens(sql: str, dialect: Dialect) -> Iterator[tuple[_Kind, str]]:
    for match in _TOKENS[dialect].finditer(sql):
        yield match.lastgroup, match.group()  # type: ignore[misc]  # the groups are the kinds


def identifiers(sql: str, dialect: Dialect) -> frozenset[str]:
    """Return the words and quoted names of a statement in lower case; nothing of its string literals."""
    return frozenset(_name(kind, text) for kind, text in _tokens(sql, dialect) if kind in ("word", "name"))


def aliases(sql: str, names: Container[str], dialect: Dialect) -> Iterator[tuple[str, str]]:
    """Yield each word that follows one of the tables' `names`, and that name; both in lower case.

    That is an alias, or a word of the grammar, which this does not know.
    """
    name = ""
    for kind, text in _tokens(sql, dialect):
        word = _name(kind, text) if kind in ("word", "name") else ""
        if name and word and word != "as":
            yield word, name
        if word != "as":
            name = word if word in names else ""


def stops_at_its_limit(sql: str, dialect: Dialect) -> bool:
    """Tell whether a statement over one table reads no more rows than its LIMIT says; no when in doubt."""
    tokens = list(_tokens(sql, dialect))
    words = {text.casefold() for kind, text in tokens if kind == "word"}
    return "limit" in words and not words & _READING_ON and ("sign", "(") not in tokens


def names_within(candidates: Iterable[str], sql: str, dialect: Dialect) -> tuple[str, ...]:
    """Keep of a server's own words those that the statement names as well.

    A server puts its schema's name before a column (`shop.orders.total`): the longest end of a dotted
    candidate that the statement names is kept.
    """
    known = identifiers(sql, dialect)
    kept: list[str] = []
    for candidate in candidates:
        parts = candidate.split(".")
        while parts and not all(part.casefold() in known for part in parts):
            parts = parts[1:]
        if parts and ".".join(parts) not in kept:
            kept.append(".".join(parts))
    return tuple(kept)


def refuse_unreadable_text(sql: str) -> None:
    """Refuse what a driver would choke on.

    Raises:
        QueryFailed: a NUL, or half of a surrogate pair.
    """
    if "\0" in sql or any("\ud800" <= character <= "\udfff" for character in sql):
        text = "The statement holds characters that are no text."
        raise QueryFailed(text, feedback=text)


def refuse_side_effects(sql: str) -> None:
    """Refuse a MySQL statement that a read-only transaction lets through although it does more than read.

    That is a file or a variable written by INTO, a lock, a temporary table, a second statement,
    and whatever stands in a comment that the server runs.

    Raises:
        QueryFailed: it is such a statement.
    """
    tokens = [token for token in _tokens(sql, "mysql") if not (token[0] == "comment" and not _runs(token[1]))]
    words = [text.upper() for kind, text in tokens if kind == "word"]
    signs = [text if kind == "sign" else kind for kind, text in tokens]
    first = next((text.upper() for kind, text in tokens if text != "("), "")
    while signs and signs[-1] == ";":
        signs.pop()
    if (
        first not in _READING
        or "INTO" in words
        or _LOCKING & set(pairwise(words))
        or ";" in signs
        or "comment" in signs
        or (":", "=") in set(pairwise(signs))
    ):
        text = "Only one SELECT may run, without INTO, FOR UPDATE and the like."
        raise QueryFailed(text, feedback=text)


def _name(kind: _Kind, text: str) -> str:
    """Return a word or a quoted name as it is compared: without quotes, in lower case."""
    if kind == "name":
        text = text[1:-1].replace(text[-1] * 2, text[-1])
    return text.casefold()


def _runs(comment: str) -> bool:
    return comment.startswith(("/*!", "/*M!"))
