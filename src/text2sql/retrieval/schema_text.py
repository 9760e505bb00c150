"""Writes the catalog as compact text for a model, and leaves out the least fitting tables of a large one."""

import re
from collections.abc import Sequence
from functools import lru_cache

from text2sql.datasource.catalog import Catalog, Column, Table, quote_name
from text2sql.retrieval.table_ranking import choose_tables

_PLAIN = re.compile(r"-?\d+(?:\.\d+)?|\d{4}-\d\d-\d\d(?:[T ][\d:.+Z-]*)?")
"""A number or an ISO date: its type says enough, and its digits cost a token each."""

_TEMPORAL = re.compile(r"\b(?:date|datetime|timestamp|time|year)\b|_(?:date|year|at)\b|year$", re.IGNORECASE)


def render_schema(catalog: Catalog, question: str, max_characters: int, hints: Sequence[str] = ()) -> str:
    """Return at most about `max_characters`; the same text for every question while all tables fit.

    Where the room is short, column descriptions go first, then the tables, and columns of wide tables, that
    fit the question and its `hints` least; what is missing is said. A token is about 3.5 characters.
    """
    for described in (True, False):
        rendered = [_render_table(table, described=described) for table in catalog.tables]
        if sum(map(len, rendered)) <= max_characters:
            return "\n".join(rendered)
    shown = choose_tables(catalog, question, hints, max_characters, _measure)
    columns = {table.key: len(table.columns) for table in catalog.tables}
    lines = []
    for table in shown:
        left_out = columns[table.key] - len(table.columns)
        told = f" -- {left_out} more columns are not shown" if left_out else ""
        lines.append(_render_table(table, described=False) + told)
    if left_out := len(catalog.tables) - len(shown):
        lines.append(f"({left_out} more tables are not shown.)")
    return "\n".join(lines)


def _measure(table: Table) -> int:
    return len(_render_table(table, described=False))


@lru_cache(maxsize=4096)
def _render_table(table: Table, *, described: bool) -> str:
    references = {
        key.columns[0]: f"{quote_name(key.table)}({key.references[0]})"
        for key in table.foreign_keys
        if len(key.columns) == 1
    }
    remarks = [_one_line(table.description)] if table.description else []
    if described and table.row_count is not None:
        remarks.append(f"{table.row_count:,} {'row' if table.row_count == 1 else 'rows'}")
    lines = [f"CREATE TABLE {quote_name(table.name)} ({_told(remarks)}"]
    for column in table.columns:
        remarks = [_one_line(column.description)] if described and column.description else []
        remarks += _list_samples(column)
        if described and (period := _period(column)):
            remarks.append(period)
        told = _told(remarks)
        lines.append(f"{_render_column(column, table, references.get(column.name, ''))},{told}")
    for key in table.foreign_keys:
        if len(key.columns) > 1:
            target = f"{quote_name(key.table)} ({', '.join(key.references)})"
            lines.append(f"  FOREIGN KEY ({', '.join(key.columns)}) REFERENCES {target}")
    return "\n".join([*lines, ");"])


def _render_column(column: Column, table: Table, reference: str) -> str:
    text = f"  {quote_name(column.name)} {column.type.partition('(')[0]}".rstrip()
    if table.primary_key == (column.name,):
        text += " PRIMARY KEY"
    return f"{text} REFERENCES {reference}" if reference else text


def _list_samples(column: Column) -> list[str]:
    """Return one remark: all the values where they are few, else two as examples."""
    if not column.samples or all(map(_PLAIN.fullmatch, column.samples)):
        return []
    if column.distinct == len(column.samples):
        return [", ".join(f"'{_one_line(sample)}'" for sample in column.samples)]
    return ["e.g. " + ", ".join(f"'{_one_line(sample)}'" for sample in column.samples[:2])]


def _period(column: Column) -> str:
    """Return from when to when the column goes; the range of other numbers costs more than it tells."""
    if column.lowest is None or not _TEMPORAL.search(f"{column.type} {column.name}"):
        return ""
    return f"{column.lowest} to {column.highest}"


def _told(remarks: Sequence[str]) -> str:
    return f" -- {'; '.join(remarks)}" if remarks else ""


def _one_line(text: str) -> str:
    return " ".join(text.split())
