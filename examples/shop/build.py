"""Builds the sample shop as a SQLite file, a MySQL script, or both.

python examples/shop/build.py --sqlite shop.sqlite --mysql shop.sql
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import yaml
from shop_calendar import AS_OF
from shop_ddl import Descriptions, mysql_table, mysql_text, sqlite_indexes, sqlite_table
from shop_rows import SEED, generate_rows
from shop_schema import HUNDREDTHS, TABLES, Row, Table

__all__ = ["AS_OF", "SEED", "build_sqlite", "write_mysql_script"]

Rows = Mapping[str, Sequence[Row]]

CATALOG = Path(__file__).with_name("catalog.yaml")
# Servers refuse statements above max_allowed_packet, 1 MiB on the smallest set-ups.
MYSQL_STATEMENT_BYTES = 500_000


def build_sqlite(path: Path, rows: Rows | None = None) -> int:
    """Write the shop as a SQLite database and return how many rows it holds."""
    rows = generate_rows() if rows is None else rows
    with _replacing(path) as unfinished:
        connection = sqlite3.connect(unfinished)
        try:
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute("PRAGMA synchronous = OFF")
            for table in TABLES:
                connection.execute(sqlite_table(table))
                marks = ", ".join("?" for _ in table.columns)
                connection.executemany(
                    f"INSERT INTO {table.name} VALUES ({marks})",  # noqa: S608 - our own names
                    _sqlite_rows(table, rows[table.name]),
                )
                for index in sqlite_indexes(table):
                    connection.execute(index)
            # No ANALYZE: its figures lead SQLite 3.40 to far slower plans for some joins.
            connection.commit()
        finally:
            connection.close()
    return _count(rows)


def write_mysql_script(path: Path, rows: Rows | None = None) -> int:
    """Write the shop as a script for MySQL and MariaDB and return how many rows it holds.

    The script replaces the shop's tables in whatever database it is run against.
    """
    rows = generate_rows() if rows is None else rows
    descriptions = _read_descriptions()
    with _replacing(path) as unfinished, unfinished.open("w", encoding="utf-8") as script:
        script.write(f"-- Sample shop, invented data up to {AS_OF}. Made by build.py.\n")
        script.write("SET NAMES utf8mb4;\nSET FOREIGN_KEY_CHECKS = 0;\n")
        for table in reversed(TABLES):
            script.write(f"DROP TABLE IF EXISTS {table.name};\n")
        script.write("SET FOREIGN_KEY_CHECKS = 1;\n")
        for table in TABLES:
            script.write(f"\n{mysql_table(table, descriptions[table.name])};\n")
            for statement in _mysql_inserts(table, rows[table.name]):
                script.write(statement)
    return _count(rows)


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """Give a file beside path to write, and put it in path's place only when it is complete."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".unfinished", dir=path.parent)
    os.close(handle)
    unfinished = Path(name)
    try:
        yield unfinished
        unfinished.chmod(0o644)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _sqlite_rows(table: Table, rows: Iterable[Row]) -> Iterator[tuple[int | float | str | None, ...]]:
    scaled = [column.kind in HUNDREDTHS for column in table.columns]
    for row in rows:
        yield tuple(
            value / 100 if hundredths and isinstance(value, int) else value
            for value, hundredths in zip(row, scaled, strict=True)
        )


def _mysql_inserts(table: Table, rows: Iterable[Row]) -> Iterator[str]:
    """Yield INSERT statements of many rows each, ending in a semicolon and a line break."""
    scaled = [column.kind in HUNDREDTHS for column in table.columns]
    columns = ", ".join(column.name for column in table.columns)
    head = f"INSERT INTO {table.name} ({columns}) VALUES\n"
    lines: list[str] = []
    size = 0
    for row in rows:
        values = []
        for value, hundredths in zip(row, scaled, strict=True):
            if value is None:
                values.append("NULL")
            elif isinstance(value, str):
                values.append(mysql_text(value))
            else:
                values.append(f"{value // 100}.{value % 100:02d}" if hundredths else str(value))
        line = f"({','.join(values)})"
        lines.append(line)
        size += len(line.encode()) + 2
        if size >= MYSQL_STATEMENT_BYTES:
            yield head + ",\n".join(lines) + ";\n"
            lines, size = [], 0
    if lines:
        yield head + ",\n".join(lines) + ";\n"


def _read_descriptions() -> dict[str, Descriptions]:
    catalog = yaml.safe_load(CATALOG.read_text(encoding="utf-8"))
    return {
        name: Descriptions(entry["description"], entry["columns"])
        for name, entry in catalog["tables"].items()
    }


def _count(rows: Rows) -> int:
    return sum(len(table) for table in rows.values())


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Build the sample shop database.")
    parser.add_argument("--sqlite", type=Path, metavar="PATH", help="write a SQLite file")
    parser.add_argument("--mysql", type=Path, metavar="PATH", help="write a MySQL script")
    options = parser.parse_args(arguments)
    if not (options.sqlite or options.mysql):
        parser.error("say what to build: --sqlite PATH, --mysql PATH or both")
    started = time.perf_counter()
    rows = generate_rows()
    if options.sqlite:
        build_sqlite(options.sqlite, rows)
    if options.mysql:
        write_mysql_script(options.mysql, rows)
    print(f"{_count(rows):,} rows in {time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()
