"""Reads SQLite's query plans; the plan tells the order of the loops, the rows are counted here."""

import re
import sqlite3
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress

from text2sql.datasource.introspection.sqlite import known_counts, read_schema
from text2sql.datasource.introspection.sqlite_rows import quoted
from text2sql.execution.explain import UNKNOWN_ROWS, Estimate, Tally
from text2sql.execution.statement import aliases, identifiers

SEARCH_SHARE = 10
"""A search by something else than the row's number is taken to find one row of so many."""
ROW_BYTES = 8
"""What a row takes in the file at least: row numbers can be far larger than the number of rows."""

# `SCAN orders`; before 3.36 `SCAN TABLE orders AS o`.
_LOOP = re.compile(
    r"(SCAN|SEARCH) (?:TABLE )?(.+?)(?: AS (.+?))?( USING .+| VIRTUAL TABLE .+)?(?: LEFT-JOIN)?"
)


def row_counts(connection: sqlite3.Connection, sql: str) -> Mapping[str, int]:
    """Return about how many rows the statement's tables have, by their names and aliases in lower case.

    That is what the last ANALYZE counted, or else the largest row number. Must run before SQLite is told
    to refuse what is not reading.
    """
    schema = read_schema(connection)
    texts = [sql]
    for text in texts:
        names = identifiers(text, "sqlite")
        texts += [
            each.sql
            for each in schema
            if each.kind == "view" and each.name.casefold() in names and each.sql not in texts
        ]
    named = frozenset[str]().union(*(identifiers(text, "sqlite") for text in texts))
    analyzed = known_counts(connection)
    counts = {
        each.name.casefold(): analyzed.get(each.name) or _last_row(connection, each.name)
        for each in schema
        if each.kind == "table" and not each.is_virtual and each.name.casefold() in named
    }
    known = dict(counts)
    for text in texts:
        for alias, name in aliases(text, counts, "sqlite"):
            known[alias] = max(counts[name], known.get(alias, 0))
    return known


def estimate_plan(rows: list[tuple[int, int, int, str]], counts: Mapping[str, int]) -> Estimate:
    """Return what the rows of EXPLAIN QUERY PLAN expect."""
    children: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for number, parent, _, detail in rows:
        children[parent].append((number, detail))
    walk = _Walk(children, counts)
    walk.visit(0, 1.0)
    return walk.tally.estimate


class _Walk:
    """Walks a plan in the order of its loops."""

    def __init__(self, children: Mapping[int, list[tuple[int, str]]], counts: Mapping[str, int]) -> None:
        self._children = children
        self._counts = counts
        self.tally = Tally()

    def visit(self, parent: int, times: float) -> float:
        """Count what stands below `parent`, done `times` times; return how many rows leave it in all."""
        once = times
        for number, detail in self._children.get(parent, ()):
            loop = _LOOP.fullmatch(detail)
            if loop:
                times = self._loop(*loop.groups(), times=times)
            elif detail.startswith("MULTI-INDEX"):
                times = max(self.visit(each, times) for each, _ in self._children[number])
            else:
                self.visit(number, times if detail.startswith("CORRELATED") else once)
        return times

    def _loop(self, kind: str, table: str, alias: str | None, using: str | None, *, times: float) -> float:
        if table == "CONSTANT ROW":
            return times
        rows = float(self._counts.get(_name(alias or table), UNKNOWN_ROWS))
        if kind == "SCAN":
            self.tally.scan(rows, times)
            return times * rows
        if using is None or using.endswith("(rowid=?)"):
            self.tally.read(times)
            return times
        # A join by a key finds each row once, however often it looks.
        found = max(times, rows if "AUTOMATIC" in using else rows / SEARCH_SHARE)
        self.tally.read(found)
        return found


def _name(text: str) -> str:
    """Return a name of the plan as the counts have it; there is one schema, which is sometimes named."""
    return text.casefold().removeprefix("main.")


def _last_row(connection: sqlite3.Connection, name: str) -> int:
    """Return the largest row number, if the file has room for so many rows."""
    with suppress(sqlite3.DatabaseError, TypeError):  # a table WITHOUT ROWID, or a text column of that name
        (last,) = connection.execute(f"SELECT max(_rowid_) FROM {quoted(name)}").fetchone()  # noqa: S608  # quoted
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        return int(min(max(last or 0, 0), pages * size // ROW_BYTES))
    return UNKNOWN_ROWS
