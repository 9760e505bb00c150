"""Cuts text into sections that are short enough to be told, each with what stands above it."""

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from text2sql.documents.port import Section

SECTION_CHARACTERS = 600
"""The longest text of a section."""
TITLE_CHARACTERS = 120

_HEADING = re.compile(r"#{1,6}\s+(.{1,200}?)\s*#{0,10}")
_UNDERLINE = re.compile(r"(?:=+|-+)\s*")
_ITEM = re.compile(r"(?:[-*+]|\d+[.)])\s+")
_DEFINED = re.compile(
    r"(?:\*\*|__)?([^\W\d_][^:*|]{1,59}?)(?:\*\*|__)?\s*(?::|\u2013|\u2014| - )(?:\*\*|__)?\s+(\S.*)"
)
_RULE = frozenset("|-: ")
_LINK = re.compile(r"!?\[([^\[\]]{0,300})\]\([^()\s]{0,1000}\)")
_MARKS = re.compile(r"\*\*|__")
_FENCE = re.compile(r"(?:```|~~~)\w*\s*")
_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+")


def cut_markdown(text: str) -> Iterator[Section]:
    """Yield the sections of Markdown: what stands under a heading, and each definition by itself.

    A definition is a list's item or a paragraph that begins `term: `, or the row of a table.
    """
    heading, kept = "", list[str]()
    header: list[str] | None = None
    for block in _blocks(text):
        if found := _HEADING.fullmatch(block):
            yield from cut_text(heading, "\n".join(kept))
            heading, kept, header = _plain(found[1]), [], None
        elif block.startswith("|"):
            if _RULE.issuperset(block):
                continue
            cells = [_plain(cell) for cell in block.strip("|").split("|")]
            if header is None:
                header = cells
            else:
                yield from cut_text(cells[0], join_row(header, cells))
        elif found := _DEFINED.fullmatch(_ITEM.sub("", block, count=1)):
            header = None
            yield from cut_text(_plain(found[1]), _plain(found[2]))
        else:
            header = None
            kept.append(_plain(_ITEM.sub("", block, count=1)))
    yield from cut_text(heading, "\n".join(kept))


def cut_text(title: str, text: str) -> Iterator[Section]:
    """Yield the text as sections, cut between sentences where it is too long for one."""
    title = " ".join(title.split())[:TITLE_CHARACTERS]
    room = ""
    for sentence in _SENTENCE_END.split(" ".join(text.split())):
        for start in range(0, len(sentence), SECTION_CHARACTERS):
            piece = sentence[start : start + SECTION_CHARACTERS]
            if room and len(room) + 1 + len(piece) > SECTION_CHARACTERS:
                yield Section(title, room)
                room = ""
            room = f"{room} {piece}" if room else piece
    if room:
        yield Section(title, room)


def join_row(header: Sequence[str], row: Sequence[str]) -> str:
    """Return the cells after the first, each after the name of its column; of one column, the cell."""
    pairs = [
        (name.strip(), cell.strip()) for name, cell in zip_longest(header, row, fillvalue="") if cell.strip()
    ]
    told = pairs[1:] or pairs
    if len(told) == 1:
        return told[0][1]
    return "; ".join(f"{name}: {cell}" if name else cell for name, cell in told)


def _blocks(text: str) -> Iterator[str]:
    """Yield headings, rows of tables, items of lists and paragraphs, each as one line."""
    kept: list[str] = []
    for line in [*map(str.strip, text.splitlines()), ""]:
        is_alone = bool(_HEADING.fullmatch(line)) or line.startswith("|")
        if kept and _UNDERLINE.fullmatch(line):
            yield f"# {' '.join(kept)}"
            kept = []
            continue
        is_empty = not line or _FENCE.fullmatch(line) or _UNDERLINE.fullmatch(line)
        if kept and (is_empty or is_alone or _ITEM.match(line)):
            yield " ".join(kept)
            kept = []
        if is_alone:
            yield line
        elif not is_empty:
            kept.append(line)


def _plain(text: str) -> str:
    """Return Markdown's text without its marks, but for those of code."""
    return _MARKS.sub("", _LINK.sub(r"\1", text)).strip()
