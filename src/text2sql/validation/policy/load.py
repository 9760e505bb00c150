"""Reads an access policy and holds it against a catalog: a policy that does not fit is refused whole."""

import re
from collections.abc import Iterator
from pathlib import Path

from text2sql.datasource.catalog import Catalog, Column, Table
from text2sql.datasource.policy.access import Mask
from text2sql.datasource.policy.file import GroupEntry, PolicyFile, TableEntry, read_policy_file
from text2sql.datasource.policy.grants import Grant, Policy
from text2sql.datasource.policy.personal import holds_personal_data
from text2sql.messages import Dialect
from text2sql.validation.policy.rows import RowsRefused, attributes_in, resolve_rows
from text2sql.yaml_file import Place, YamlFile

_DATE = re.compile(r"date|timestamp|^year", re.IGNORECASE)
_DATE_OR_TEXT = re.compile(r"date|timestamp|char|text|clob|^$", re.IGNORECASE)
"""SQLite keeps dates as text."""


def load_policy(path: Path, catalog: Catalog) -> Policy:
    """Read the policy, and check every name in it against the catalog.

    Raises:
        InvalidPolicy: with the file and the line of what is wrong.
    """
    return _Loader(read_policy_file(path), catalog).load()


class _Loader:
    """Checks one file against one catalog."""

    def __init__(self, source: YamlFile[PolicyFile], catalog: Catalog) -> None:
        self._source = source
        self._content = source.content
        self._catalog = catalog
        self._tables = {table.key: table for table in catalog.tables}

    def load(self) -> Policy:
        own = {name: self._own_grants(name, entry) for name, entry in self._content.groups.items()}
        for name in own:
            self._refuse_cycle(name, (name,))
        groups = {name: dict(self._granted(name, own)) for name in own}
        return Policy(attributes=self._content.attributes, groups=groups)

    # ── groups ───────────────────────────────────────────────────────────────────────────────────

    def _refuse_cycle(self, name: str, trail: tuple[str, ...]) -> None:
        for number, parent in enumerate(self._content.groups[name].inherits):
            place: Place = ("groups", name, "inherits", number)
            if parent not in self._content.groups:
                self._source.refuse(place, f"there is no group {parent}.")
            if parent in trail:
                self._source.refuse(place, f"the groups inherit in a cycle: {' > '.join((*trail, parent))}.")
            if parent in self._content.groups[name].inherits[:number]:
                self._source.refuse(place, f"{parent} stands there twice.")
            self._refuse_cycle(parent, (*trail, parent))

    def _granted(self, name: str, own: dict[str, dict[str, Grant]]) -> Iterator[tuple[str, Grant]]:
        """Yield the tables of a group, inherited ones first."""
        inherited: dict[str, Grant] = {}
        for number, parent in enumerate(self._content.groups[name].inherits):
            for table, grant in self._granted(parent, own):
                if table not in own[name] and inherited.get(table, grant) != grant:
                    place: Place = ("groups", name, "inherits", number)
                    self._source.refuse(
                        place, f"{name} inherits two different rules for {table}; give it one of its own."
                    )
                inherited[table] = grant
        masks = self._content.groups[name].personal_data == "masked"
        for table, grant in (inherited | own[name]).items():
            yield table, self._without_personal_data(grant, self._tables[table]) if masks else grant

    def _without_personal_data(self, grant: Grant, table: Table) -> Grant:
        """Return the grant with the columns of personal data masked; one that has a mask keeps it."""
        masks: dict[str, Mask] = {
            column.name: "full" for column in table.columns if holds_personal_data(column)
        }
        return grant.model_copy(update={"masks": {**masks, **grant.masks}, "masks_personal_data": True})

    def _own_grants(self, name: str, entry: GroupEntry) -> dict[str, Grant]:
        return {
            table: self._grant(("groups", name, "tables", table), table, told)
            for table, told in entry.tables.items()
        }

    # ── one table of one group ───────────────────────────────────────────────────────────────────

    def _grant(self, place: Place, name: str, entry: TableEntry) -> Grant:
        table = self._tables.get(name)
        if table is None:
            self._source.refuse(place, f"the database has no table {name}.")
        columns = {column.name: column for column in table.columns}
        for key in ("deny", "filter_by"):
            self._check_list((*place, key), getattr(entry, key), columns)
        for column, mask in entry.mask.items():
            self._check_mask((*place, "mask", column), column, mask, columns, entry)
        for number, column in enumerate(entry.filter_by):
            if column not in entry.mask:
                self._source.refuse((*place, "filter_by", number), f"{column} is not masked.")
        if len(entry.deny) == len(columns):
            self._source.refuse((*place, "deny"), f"all of {name} is denied; leave the table out instead.")
        return Grant(
            denied=frozenset(entry.deny),
            masks=entry.mask,
            raw_filters=frozenset(entry.filter_by),
            rows=self._rows((*place, "rows"), entry.rows, table),
            needs=attributes_in(entry.rows),
        )

    def _check_list(self, place: Place, names: tuple[str, ...], columns: dict[str, Column]) -> None:
        for number, name in enumerate(names):
            if name not in columns:
                self._source.refuse((*place, number), f"the table has no column {name}.")
            if name in names[:number]:
                self._source.refuse((*place, number), f"{name} stands there twice.")

    def _check_mask(
        self, place: Place, name: str, mask: Mask, columns: dict[str, Column], entry: TableEntry
    ) -> None:
        if name not in columns:
            self._source.refuse(place, f"the table has no column {name}.")
        if name in entry.deny:
            self._source.refuse(place, f"{name} is denied as well as masked.")
        if mask == "year_only" and not _may_hold_dates(columns[name].type, self._catalog.dialect):
            self._source.refuse(place, f"{name} holds no dates, so it has no year.")

    def _rows(self, place: Place, condition: str, table: Table) -> str:
        if self._source.holds(place) and not condition.strip():
            self._source.refuse(place, "the condition is empty; leave it out where all rows are visible.")
        if not condition:
            return ""
        try:
            return resolve_rows(condition, table, self._catalog, self._content.attributes)
        except RowsRefused as refused:
            self._source.refuse(place, f"rows: {refused}")


def _may_hold_dates(declared: str, dialect: Dialect) -> bool:
    return bool((_DATE_OR_TEXT if dialect == "sqlite" else _DATE).search(declared))
