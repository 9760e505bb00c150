"""Writes the catalog as compact text for a model, and leaves out the least fitting tables of a large one."""

import re

from text2sql.datasource.catalog import Catalog, Column, Table

MAX_CHARACTERS = 16_000
"""About 5,000 tokens; what is left out of a larger schema is said in its last line."""


def render_schema(catalog: Catalog, question: str) -> str:
    """Return one block of text; the same for every question while the whole catalog fits."""
    rendered = {table.name: _render_table(table) for table in catalog.tables}
    names = [table.name for table in catalog.tables]
    if sum(map(len, rendered.values())) > MAX_CHARACTERS:
        names = _choose_tables(catalog, rendered, question)
    text = "\n".join(rendered[name] for name in names)
    left_out = len(catalog.tables) - len(names)
    return f"{text}\n({left_out} more tables are not shown.)" if left_out else text


def _render_table(table: Table) -> str:
    references = {
        key.columns[0]: f"{key.table}.{key.references[0]}"
        for key in table.foreign_keys
        if len(key.columns) == 1
    }
    lines = [f"CREATE TABLE {_quote(table.name)} ("]
    if table.description:
        lines[0] += f" -- {_one_line(table.description)}"
    lines += [_render_column(column, table, references.get(column.name, "")) for column in table.columns]
    lines += [
        f"  FOREIGN KEY ({', '.join(key.columns)}) REFERENCES {key.table} ({', '.join(key.references)})"
        for key in table.foreign_keys
        if len(key.columns) > 1
    ]
    return "\n".join([*lines, ");"])


def _render_column(column: Column, table: Table, reference: str) -> str:
    text = f"  {_quote(column.name)} {column.type}".rstrip()
    if table.primary_key == (column.name,):
        text += " PRIMARY KEY"
    if reference:
        text += f" REFERENCES {reference.replace('.', '(', 1)})"
    remarks = [_one_line(column.description)] if column.description else []
    if column.samples:
        listed = ", ".join(f"'{_one_line(sample)}'" for sample in column.samples)
        remarks.append(listed if column.distinct == len(column.samples) else f"e.g. {listed}")
    return f"{text}, -- {'; '.join(remarks)}" if remarks else f"{text},"


def _choose_tables(catalog: Catalog, rendered: dict[str, str], question: str) -> list[str]:
    """Return the names of the tables that fit the question best, in the catalog's order."""
    words = _words(question)
    ranked = sorted(catalog.tables, key=lambda table: -_score(table, words))
    chosen: dict[str, None] = {}
    room = MAX_CHARACTERS
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


def _quote(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) else f"`{name}`"


def _one_line(text: str) -> str:
    return " ".join(text.split())
