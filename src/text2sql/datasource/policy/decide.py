"""Decides what one caller sees: joins the grants of the caller's groups, and cuts the catalog to them."""

from collections.abc import Iterable, Sequence
from typing import get_args

from text2sql.datasource.catalog import Catalog, Column, Table
from text2sql.datasource.policy.access import Access, AttributeValue, Caller, Mask, TableRules
from text2sql.datasource.policy.file import is_of_type
from text2sql.datasource.policy.grants import Grant, Policy
from text2sql.datasource.policy.masks import holds_bytes
from text2sql.errors import AccessDenied

_STRICTEST_FIRST: tuple[Mask, ...] = get_args(Mask)
_SHOWN: dict[Mask, str] = {
    "full": "masked",
    "hash": "masked: a hash of the value",
    "last_four": "masked: the last four characters",
    "year_only": "masked: the year, a number",
}


def access_for(policy: Policy, caller: Caller, catalog: Catalog) -> Access:
    """Return what the caller may see of the catalog that the policy was checked against.

    A row is visible where one of the caller's groups allows it. A column is visible only where every
    group that sees the table shows it, and the strictest mask wins; personal data is masked where one of
    them masks it. So nobody sees a cell that no single group allows.

    Raises:
        AccessDenied: nothing is visible, or an attribute that decides is missing or of another type.
    """
    groups = [policy.groups[name] for name in dict.fromkeys(caller.groups) if name in policy.groups]
    grants = {
        table.key: found
        for table in catalog.tables
        if (found := [group[table.key] for group in groups if table.key in group])
    }
    visible = {table.key: cut for table in catalog.tables if (cut := _cut(table, grants.get(table.key, [])))}
    if not visible:
        raise AccessDenied(
            "The access policy shows you nothing of this database.",
            remedy="Ask with a group that the policy names (--group), or ask whoever keeps the policy.",
        )
    rules = {key: _join(visible[key], grants[key]) for key in visible}
    tables = tuple(_without_traces(table, rules, visible) for table in visible.values())
    needed = {name for key in visible if rules[key].rows for grant in grants[key] for name in grant.needs}
    return Access(
        # A copy would keep what the whole catalog has been asked before, such as its names with spaces.
        catalog=Catalog(name=catalog.name, dialect=catalog.dialect, server=catalog.server, tables=tables),
        rules=rules,
        attributes={name: _attribute(name, policy, caller) for name in sorted(needed)},
        hidden=frozenset(_names(catalog.tables) - _names(tables)),
    )


def _cut(table: Table, grants: Sequence[Grant]) -> Table | None:
    """Return the table with the columns that every grant shows; None where there is none."""
    denied = frozenset[str]().union(*(grant.denied for grant in grants))
    columns = tuple(column for column in table.columns if column.name not in denied)
    return table.model_copy(update={"columns": columns}) if grants and columns else None


def _join(table: Table, grants: Sequence[Grant]) -> TableRules:
    masks: dict[str, Mask] = {}
    raw_filters = set()
    for column in table.columns:
        found = {grant.masks[column.name] for grant in grants if column.name in grant.masks}
        if found:
            masks[column.name] = min(found, key=_STRICTEST_FIRST.index)
            if all(column.name in grant.raw_filters or column.name not in grant.masks for grant in grants):
                raw_filters.add(column.name)
    every_row = any(not grant.rows for grant in grants)
    rows = () if every_row else tuple(dict.fromkeys(grant.rows for grant in grants))
    return TableRules(
        masks=masks,
        of_bytes=frozenset(c.name for c in table.columns if c.name in masks and holds_bytes(c.type)),
        raw_filters=frozenset(raw_filters),
        rows=rows,
        masks_personal_data=any(grant.masks_personal_data for grant in grants),
    )


def _attribute(name: str, policy: Policy, caller: Caller) -> AttributeValue:
    declared = policy.attributes[name]
    if name not in caller.attributes:
        raise AccessDenied(
            f"The access policy decides by your {name}, which is not known.",
            remedy=f"Ask with {name} (--attribute {name}=…): {declared}.",
        )
    value = caller.attributes[name]
    if not is_of_type(value, declared):
        raise AccessDenied(
            f"The access policy decides by your {name}, which must be {declared}.",
            remedy=f"Correct {name} where it is given.",
        )
    return value


# ── the visible catalog ──────────────────────────────────────────────────────────────────────────


def _without_traces(table: Table, rules: dict[str, TableRules], visible: dict[str, Table]) -> Table:
    """Return the table without keys that need what is hidden, and without samples of hidden values."""
    own = rules[table.key]
    stored = {each.name: _stored(each, rules[key]) for key, each in visible.items()}
    return table.model_copy(
        update={
            "columns": tuple(_column(column, own) for column in table.columns),
            "primary_key": table.primary_key if stored[table.key].issuperset(table.primary_key) else (),
            "foreign_keys": tuple(
                key
                for key in table.foreign_keys
                if stored[table.key].issuperset(key.columns)
                and key.table in stored
                and stored[key.table].issuperset(key.references)
            ),
            "row_count": None if own.rows else table.row_count,
        }
    )


def _stored(table: Table, rules: TableRules) -> set[str]:
    """Return the columns that show what is stored."""
    return {column.name for column in table.columns if column.name not in rules.masks}


def _column(column: Column, rules: TableRules) -> Column:
    mask = rules.masks.get(column.name)
    is_cut = mask or not rules.tells_values
    update: dict[str, object] = dict.fromkeys(("distinct", "lowest", "highest")) if is_cut else {}
    if is_cut:
        update["samples"] = ()
    if mask:
        told = f"{column.description} ({_SHOWN[mask]})" if column.description else _SHOWN[mask]
        update |= {"type": "INTEGER" if mask == "year_only" else "TEXT", "description": told}
    return column.model_copy(update=update)


def _names(tables: Iterable[Table]) -> set[str]:
    """Return the names of tables and of columns, alone and behind their tables', in lower case."""
    names: set[str] = set()
    for table in tables:
        names.add(table.name.lower())
        for column in table.columns:
            names |= {column.name.lower(), f"{table.name}.{column.name}".lower()}
    return names
