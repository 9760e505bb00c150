"""Near names: what a name that does not exist may have meant, as evidence for the repair prompt."""

from collections.abc import Iterable
from difflib import get_close_matches

from text2sql.datasource.catalog import Catalog, Table


def near_names(name: str, names: Iterable[str], most: int = 3) -> list[str]:
    """Return up to `most` of `names` that look like `name`, nearest first, case aside."""
    by_lower = {candidate.lower(): candidate for candidate in names}
    return [by_lower[match] for match in get_close_matches(name.lower(), list(by_lower), most, 0.6)]


def suggest_table(name: str, catalog: Catalog) -> str:
    """Say which tables there are instead of `name`."""
    names = [table.name for table in catalog.tables]
    near = near_names(name, names)
    if near:
        return f"There is no table {name}. Did you mean {' or '.join(near)}?"
    return f"There is no table {name}. The tables are: {', '.join(names[:40])}."


def suggest_column(name: str, tables: list[Table], catalog: Catalog) -> str:
    """Say where a column of that name lives, or what the tables in use have instead."""
    owners = [t for t in catalog.tables if any(c.name.lower() == name.lower() for c in t.columns)]
    if owners:
        links = [link for owner in owners[:3] if (link := _join_path(owner, tables))]
        where = " and in ".join(owner.name for owner in owners[:3])
        return f"{name} is a column of table {where}." + "".join(f" {link}" for link in links)
    names = [column.name for table in tables for column in table.columns]
    near = near_names(name, names)
    if near:
        return f"Did you mean {' or '.join(near)}?"
    return " ".join(
        f"Table {table.name} has the columns {', '.join(c.name for c in table.columns)}."
        for table in tables[:4]
    )


def _join_path(owner: Table, tables: list[Table]) -> str:
    for table in tables:
        for one, other in ((owner, table), (table, owner)):
            for key in one.foreign_keys:
                if key.table == other.name:
                    pairs = zip(key.columns, key.references, strict=True)
                    on = " AND ".join(f"{one.name}.{a} = {other.name}.{b}" for a, b in pairs)
                    return f"Join it with {on}."
    return ""
