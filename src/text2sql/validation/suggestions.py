"""Near names, owners and join paths: what a name that does not resolve may have meant.

This is evidence for the repair prompt; nothing here changes a statement.
"""

from collections import deque
from collections.abc import Iterable

from text2sql.datasource.catalog import Catalog, Table, quote_name

MAX_JOINS = 3


def near_names(name: str, names: Iterable[str], most: int = 3) -> list[str]:
    """Return up to `most` of `names` that look like `name`, nearest first, case aside."""
    from difflib import get_close_matches

    by_lower = {candidate.lower(): candidate for candidate in names}
    return [by_lower[match] for match in get_close_matches(name.lower(), list(by_lower), most, 0.6)]


def suggest_table(name: str, catalog: Catalog) -> str:
    """Say which tables there are instead of `name`."""
    names = [table.name for table in catalog.tables]
    near = near_names(name, names)
    if near:
        return f"There is no table {name}. Did you mean {' or '.join(map(quote_name, near))}?"
    return f"There is no table {name}. The tables are: {', '.join(map(quote_name, names[:40]))}."


def suggest_column(name: str, scope: dict[str, Table], catalog: Catalog) -> str:
    """Say where a column of that name lives and which join reaches it, or what is there instead.

    `scope` holds the tables of the FROM clause by their aliases.
    """
    for alias, table in scope.items():
        if table.has_column(name):
            return f"Write {quote_name(alias)}.{name}."
    paths = [path for t in catalog.tables if t.has_column(name) and (path := _find_joins(scope, t, catalog))]
    if paths:
        owner, joins = min(paths, key=lambda path: len(path[1]))
        return f"Table {owner} has it: add {' '.join(joins)} and write {owner}.{name}."
    owners = [table.name for table in catalog.tables if table.has_column(name)]
    if owners:
        return f"It is a column of {' and of '.join(owners[:3])}."
    near = near_names(name, [column.name for table in scope.values() for column in table.columns])
    if near:
        return f"Did you mean {' or '.join(near)}?"
    return " ".join(
        f"Table {table.name} has the columns {', '.join(column.name for column in table.columns)}."
        for table in list(scope.values())[:4]
    )


def suggest_join(table: Table, scope: dict[str, Table], catalog: Catalog) -> str:
    """Say which join reaches `table` from the tables of the FROM clause; empty where no key does."""
    path = _find_joins(scope, table, catalog)
    return f"Add {' '.join(path[1])}." if path and path[1] else ""


def suggest_link(alias: str, table: Table, other_alias: str, other: Table, catalog: Catalog) -> str:
    """Say how foreign keys lead from one table of the FROM clause to another; empty where none do."""
    path = _find_joins({alias: table}, other, catalog, called=other_alias)
    if not path or not path[1]:
        return ""
    begin = _named(table.name, alias)
    return f"Link {quote_name(table.name)} and {quote_name(other.name)} so: FROM {begin} {' '.join(path[1])}."


def find_only_join(column: str, scope: dict[str, Table], catalog: Catalog) -> tuple[Table, list[str]] | None:
    """Return the table that has the column and the JOIN clauses that reach it; None where several do.

    `scope` is as `suggest_column` says.
    """
    owners = [table for table in catalog.tables if table.has_column(column)]
    paths = [(table, path[1]) for table in owners if (path := _find_joins(scope, table, catalog))]
    return paths[0] if len(paths) == 1 else None


def _find_joins(
    scope: dict[str, Table], owner: Table, catalog: Catalog, called: str = ""
) -> tuple[str, list[str]] | None:
    """Return the fewest JOIN clauses that lead from the scope to `owner`, along foreign keys.

    The owner's alias is `called`, or else its name.
    """
    waiting = deque((quote_name(alias), table.name, list[str]()) for alias, table in scope.items())
    seen = {table.name for table in scope.values()}
    while waiting:
        alias, name, joins = waiting.popleft()
        if name == owner.name:
            return alias, joins
        if len(joins) == MAX_JOINS:
            continue
        for other, pairs in _neighbours(name, catalog):
            if other not in seen:
                seen.add(other)
                alias_there = called if called and other == owner.name else other
                written = quote_name(alias_there)
                on = " AND ".join(f"{alias}.{here} = {written}.{there}" for here, there in pairs)
                waiting.append((written, other, [*joins, f"JOIN {_named(other, alias_there)} ON {on}"]))
    return None


def _named(table: str, alias: str) -> str:
    return quote_name(table) + (f" AS {quote_name(alias)}" if alias != table else "")


def _neighbours(name: str, catalog: Catalog) -> Iterable[tuple[str, list[tuple[str, str]]]]:
    """Yield the tables that a foreign key links to `name`, those it points at first, with the key's pairs."""
    for table in catalog.tables:
        if table.name == name:
            for key in table.foreign_keys:
                yield key.table, list(zip(key.columns, key.references, strict=True))
    for table in catalog.tables:
        for key in table.foreign_keys:
            if key.table == name:
                yield table.name, list(zip(key.references, key.columns, strict=True))
