"""A result as a CSV file: RFC 4180, UTF-8, and no cell that a spreadsheet would run."""

import csv
import errno
import io
import itertools
import math
import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TextIO

from text2sql.answer.cell_text import iso_text
from text2sql.errors import OutputNotWritten
from text2sql.messages import Cell, ResultColumn

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What makes Excel, LibreOffice or Google Sheets read a text as a formula."""
_REMEDIES = {
    errno.ENOENT: "Create the folder first.",
    errno.ENOTDIR: "Create the folder first.",
    errno.EACCES: "Choose a folder that you may write to.",
    errno.EPERM: "Choose a folder that you may write to.",
    errno.EROFS: "Choose a folder that you may write to.",
    errno.ENOSPC: "Free some room on the disk.",
    errno.EDQUOT: "Free some room on the disk.",
    errno.ENAMETOOLONG: "Choose a shorter name.",
}


def write_csv(path: Path, columns: Sequence[ResultColumn], rows: Iterable[Sequence[Cell]]) -> None:
    """Write the whole file or nothing: it appears under its name only when it is complete.

    Raises:
        OutputNotWritten: the place cannot be written, or is no ordinary file.
    """
    try:
        target = Path(os.path.realpath(path))
        if target.exists() and not target.is_file():
            kind = "a folder" if target.is_dir() else "no ordinary file"
            raise OutputNotWritten(f"{path} is {kind}.", remedy="Name a file, for example answer.csv.")
        with _replacing(target) as stream:
            stream.writelines(csv_lines(columns, rows))
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0, "Choose another file.")
        raise OutputNotWritten(f"{path} could not be written.", remedy=remedy) from error


def csv_lines(columns: Sequence[ResultColumn], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """Yield the header and the rows, each with its line end."""
    line = io.StringIO()
    writer = csv.writer(line, lineterminator="\r\n")
    header = [_guard(column.name) for column in columns]
    for fields in itertools.chain([header], ([_field(cell) for cell in row] for row in rows)):
        writer.writerow(fields)
        yield line.getvalue()
        line.seek(0)
        line.truncate()


@contextmanager
def _replacing(target: Path) -> Iterator[TextIO]:
    """Open a hidden file beside the target that takes its place when the block ends well."""
    part = target.with_name(f".{secrets.token_hex(6)}.part")
    try:
        # A lone surrogate is no character; it is written as its escape, so that the rest can be.
        with part.open("x", encoding="utf-8", errors="backslashreplace", newline="") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _field(cell: Cell) -> str:
    if cell is None or (isinstance(cell, float) and not math.isfinite(cell)):
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, Decimal):
        return f"{cell:f}" if cell.is_finite() else ""
    if isinstance(cell, int | float):
        return str(cell)
    if isinstance(cell, bytes):
        return cell.hex()
    return _guard(cell if isinstance(cell, str) else iso_text(cell))


def _guard(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
