import csv
import errno
import os
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from text2sql.answer.csv_file import write_csv
from text2sql.errors import OutputNotWritten
from text2sql.messages import ResultColumn

COLUMNS = (ResultColumn(name="n", type="unknown"),)


def write(path: Path, *rows: tuple[Any, ...], names: str = "n") -> bytes:
    write_csv(path, [ResultColumn(name=name, type="unknown") for name in names.split("|")], rows)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("cell", "field"),
    [
        (None, '""'),
        (-5, "-5"),
        (1234.5, "1234.5"),
        (float("nan"), '""'),
        (Decimal("-1234.50"), "-1234.50"),
        (Decimal("1E+3"), "1000"),
        (Decimal("NaN"), '""'),
        (True, "true"),
        (date(2024, 5, 1), "2024-05-01"),
        (datetime(2024, 5, 1, 1, 2, 3), "2024-05-01 01:02:03"),  # noqa: DTZ001 — databases give naive times
        (timedelta(hours=30), "30:00:00"),
        (timedelta(hours=-1), "'-01:00:00"),
        (b"\x01\xff", "01ff"),
        ("a,b", '"a,b"'),
        ('say "hi"', '"say ""hi"""'),
        ("two\r\nlines", '"two\r\nlines"'),
        ("日本 🏕️", "日本 🏕️"),
        ("half \ud800", "half \\ud800"),
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", '"\'\r=1"'),
        ("\n=1", '"\'\n=1"'),
        ("=HYPERLINK(\"x\",\"y\")", "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\""),
        ("a=1", "a=1"),
        ("a\0b", "a\0b"),
    ],
)  # fmt: skip
def test_cell_is_written_as(tmp_path: Path, cell: Any, field: str) -> None:
    assert write(tmp_path / "a.csv", (cell,)).decode() == f"n\r\n{field}\r\n"


def test_headers_are_guarded_and_rows_read_back(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", ("x\ny", None), ("", 2), names="=cmd|b")
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as stream:
        assert list(csv.reader(stream)) == [["'=cmd", "b"], ["x\ny", ""], ["", "2"]]


def test_existing_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("old")
    assert write(tmp_path / "a.csv", (1,)) == b"n\r\n1\r\n"
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_link_stays_and_its_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    write(tmp_path / "link.csv", (1,))
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_bytes() == b"n\r\n1\r\n"


def test_file_follows_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write(tmp_path / "a.csv", (1,))
    finally:
        os.umask(before)
    assert (tmp_path / "a.csv").stat().st_mode & 0o777 == 0o640


def test_folder_and_device_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", Path(os.devnull)):
        with pytest.raises(OutputNotWritten, match=r"is a folder|is no ordinary file") as raised:
            write_csv(path, COLUMNS, [])
        assert raised.value.remedy


def test_missing_folder_says_to_create_it(tmp_path: Path) -> None:
    with pytest.raises(OutputNotWritten) as raised:
        write_csv(tmp_path / "missing" / "a.csv", COLUMNS, [(1,)])
    assert raised.value.remedy == "Create the folder first."


@pytest.mark.parametrize(
    ("number", "remedy"),
    [(errno.ENOSPC, "Free some room"), (errno.EACCES, "may write"), (errno.EIO, "Choose another file")],
)
def test_failure_in_the_middle_leaves_the_old_file(tmp_path: Path, number: int, remedy: str) -> None:
    (tmp_path / "a.csv").write_text("old")

    def rows() -> Iterator[tuple[Any, ...]]:
        yield (1,)
        raise OSError(number, os.strerror(number))

    with pytest.raises(OutputNotWritten) as raised:
        write_csv(tmp_path / "a.csv", COLUMNS, rows())
    assert remedy in raised.value.remedy
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_interrupt_leaves_nothing_behind(tmp_path: Path) -> None:
    def rows() -> Iterator[tuple[Any, ...]]:
        yield (1,)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_csv(tmp_path / "a.csv", COLUMNS, rows())
    assert list(tmp_path.iterdir()) == []
