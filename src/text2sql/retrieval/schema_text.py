"""Writes the catalog as compact text for a model, and leaves out the least fitting tables of a large one."""

import re

from text2sql.datasource.catalog import Catalog, Column, Table, quote_name

_PLAIN = re.compile(r"-?\d+(?:\.\d+)?|\d{4}-\d\d-\d\d(?:[T ][\d:.+Z-]*)?")
"""A number or an ISO date: its type says enough, and its digits cost a token each."""


def render_schema(catalog: Catalog, question: str, max_characters: int) -> str:
    """Return at most about `max_characters`; the same text for every question while all tables fit.

    Where the room is short, column descriptions go first, then the tables that fit the question least;
    that tables are missing is said in the last line. A token is about 3.5 characters.
    """
    for described in (True, False):
        rendered = {table.name: _render_table(table, described=described) for table in catalog.tables}
        if sum(map(len, rendered.values())) <= max_characters:
            return "\n".join(rendered.values())
    names = _choose_tables(catalog, rendered, question, max_characters)
    left_out = len(catalog.tables) - len(names)
    return "\n".join([*(rendered[name] for name in names), f"({left_out} more tables are not shown.)"])


def _render_table(table: Table, *, described: bool) -> str:
    references = {
        key.columns[0]: f"{quote_name(key.table)}({key.references[0]})"
        for key in table.foreign_keys
        if len(key.columns) == 1
    }
    lines = [f"CREATE TABLE {quote_name(table.name)} ("]
    if table.description:
        lines[0] += f" -- {_one_line(table.description)}"
    for column in table.columns:
        remarks = [_one_line(column.description)] if described and column.description else []
        remarks += _list_samples(column)
        told = f" -- {'; '.join(remarks)}" if remarks else ""
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


def _choose_tables(catalog: Catalog, rendered: dict[str, str], question: str, room: int) -> list[str]:
    """Return the names of the tables that fit the question best, in the catalog's order."""
    words = _words(question)
    ranked = sorted(catalog.tables, key=lambda table: -_score(table, words))
    chosen: dict[str, None] = {}
    for table in ranked:
        wanted = [table.name, *(key.table for key in table.foreign_keys if _score(table, words) > 0)]
        for name in wanted:
            if name in rendered and name not in chosen and len(rendered[name]) <= room:
                chosen[name] = None
                room -= len(rendered[name])
    return [table.name for table in catalog.tables if table.name in chosen]


def _score(table: Table, words: set[str]) -> float:
    in_name = len(words & _words(table.name))
    in_columns = len(words & _words(" ".join(column.name for column in table.columns)))
    told = " ".join([table.description, *(column.description for column in table.columns)])
    values = " ".join(sample for column in table.columns for sample in column.samples)
    return 4 * in_name + 2 * in_columns + len(words & _words(told)) + len(words & _words(values))


def _words(text: str) -> set[str]:
    """Return lower-case words, split at underscores and capitals, without a plural's s."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return {re.sub(r"(?<=[^s])s$", "", word) for word in re.findall(r"[^\W_]{2,}", spaced.lower())}


def _one_line(text: str) -> str:
    return " ".join(text.split())
