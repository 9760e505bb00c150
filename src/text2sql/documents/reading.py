"""Turns a document's bytes into text, or says why that cannot be."""

import csv
import io
import re
from collections.abc import Callable, Iterator

from text2sql.documents.port import Section
from text2sql.documents.sections import cut_markdown, cut_text, join_row
from text2sql.errors import InvalidDocument

MAX_BYTES = 10_000_000
"""A longer PDF is refused."""
MAX_TEXT_BYTES = 2_000_000
"""A longer document of another kind is refused."""
MAX_SECTIONS = 2_000
"""A document of more sections is refused."""
NAME_BYTES = 200
"""In UTF-8; file systems take 255."""

CONTENT_TYPES = {"md": "text/markdown", "txt": "text/plain", "csv": "text/csv", "pdf": "application/pdf"}
"""By a name's ending."""

_NAME = re.compile(r"\w[\w .()+&,-]*\.(?:md|txt|csv|pdf)")
_CELLS = 100
_HIDING = re.compile(r"<(!--|(?:script|style|template|iframe|object)\b)", re.IGNORECASE)
_CLOSING = {
    "!--": re.compile("-->"),
    **{
        name: re.compile(f"</{name}>", re.IGNORECASE)
        for name in ("script", "style", "template", "iframe", "object")
    },
}
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,1000}>")


def check_name(name: str) -> str:
    """Return the name of a document as it is, where it can be one.

    Raises:
        InvalidDocument: it has another ending than .md, .txt, .csv or .pdf, or is no plain file name.
    """
    if not _NAME.fullmatch(name) or ".." in name or len(name.encode("utf-8", "replace")) > NAME_BYTES:
        raise InvalidDocument(
            f"A document cannot be called {name[:NAME_BYTES]!r}.",
            remedy="Use letters, digits, blanks, - and _, no folders, and one of .md, .txt, .csv and .pdf.",
        )
    return name


def largest(name: str) -> int:
    """Return how many bytes a document of this name may have."""
    return MAX_BYTES if name.endswith(".pdf") else MAX_TEXT_BYTES


def content_type(name: str) -> str:
    """Return the media type of a document of this name."""
    return CONTENT_TYPES[name.rsplit(".", 1)[1]]


def check_size(name: str, size: int) -> None:
    """Refuse what is too long, or empty.

    Raises:
        InvalidDocument: it is.
    """
    if size > largest(name):
        raise InvalidDocument(
            f"The document is longer than {largest(name) // 1_000_000} MB.", remedy="Split it into several."
        )
    if not size:
        raise InvalidDocument("The document is empty.", remedy="Put something into it, or delete it.")


def read_document(name: str, content: bytes) -> tuple[Section, ...]:
    """Return the document's sections.

    Raises:
        InvalidDocument: it cannot be read, holds no text, or is longer than is told.
    """
    check_name(name)
    check_size(name, len(content))
    sections = tuple(_READERS[name.rsplit(".", 1)[1]](content))
    if not sections:
        raise InvalidDocument(
            "The document holds no text.",
            remedy="Let a scanned PDF's pictures be recognised as text.",
        )
    if len(sections) > MAX_SECTIONS:
        raise InvalidDocument(
            f"The document has more than {MAX_SECTIONS:,} sections.", remedy="Split it into several."
        )
    return sections


def _read_markdown(content: bytes) -> Iterator[Section]:
    return cut_markdown(_without_html(_decode(content)))


def _read_text(content: bytes) -> Iterator[Section]:
    return cut_text("", _decode(content))


def _read_csv(content: bytes) -> Iterator[Section]:
    """Give a section to each row: its first cell is the title, the others bear their columns' names."""
    text = _decode(content)
    try:
        dialect: type[csv.Dialect] | csv.Dialect = csv.Sniffer().sniff(text[:4000], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), dialect) if any(map(str.strip, row))]
    except csv.Error as error:
        raise InvalidDocument("The CSV cannot be read.", remedy="Save it anew as CSV in UTF-8.") from error
    if rows and max(map(len, rows)) > _CELLS:
        raise InvalidDocument(
            f"The CSV has more than {_CELLS} columns.", remedy="Keep the columns that explain something."
        )
    for row in rows[1:]:
        yield from cut_text(row[0].strip(), join_row(rows[0], row))


def _read_pdf(content: bytes) -> Iterator[Section]:
    from text2sql.documents.pdf import read_pages

    for number, page in enumerate(read_pages(content), 1):
        yield from cut_text(f"page {number}", page)


_READERS: dict[str, Callable[[bytes], Iterator[Section]]] = {
    "md": _read_markdown,
    "txt": _read_text,
    "csv": _read_csv,
    "pdf": _read_pdf,
}


def _decode(content: bytes) -> str:
    is_utf16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = content.decode("utf-16" if is_utf16 else "utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise InvalidDocument("The document is no text in UTF-8.", remedy="Save it anew as UTF-8.")
    return text


def _without_html(text: str) -> str:
    """Return the Markdown without tags and comments, and without what a reader of the page would not see.

    Python's own parser takes a time that grows with the square of a text of open brackets.
    """
    kept, start = list[str](), 0
    for found in _HIDING.finditer(text):
        if found.start() < start:
            continue
        kept.append(text[start : found.start()])
        closing = _CLOSING[found[1].lower()].search(text, found.end())
        start = closing.end() if closing else len(text)
    kept.append(text[start:])
    return _TAG.sub("", "".join(kept))
