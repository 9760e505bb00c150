"""An index of stored values made of given texts, for tests."""

from collections.abc import Sequence
from pathlib import Path

from text2sql.datasource.catalog import Catalog, Column, ForeignKey, Table
from text2sql.datasource.values import ColumnTexts, TextColumn, TextLimits
from text2sql.datasource.values_index import StoredValues, ValuesIndex
from text2sql.messages import Dialect

Texts = dict[str, Sequence[str]]
"""By `table.column`."""


def catalog_of(texts: Texts, dialect: Dialect = "mysql", **keys: str) -> Catalog:
    """Return a catalog of those tables, each with the columns in their order.

    `keys` say which other table a table's first column points at.
    """
    columns: dict[str, list[Column]] = {}
    for name in texts:
        table, column = name.split(".")
        columns.setdefault(table, []).append(Column(name=column, type="VARCHAR(40)"))
    tables = tuple(
        Table(
            name=table,
            columns=tuple(found),
            foreign_keys=(
                (ForeignKey(columns=(found[0].name,), table=keys[table], references=(found[0].name,)),)
                if table in keys
                else ()
            ),
        )
        for table, found in columns.items()
    )
    return Catalog(name="test", dialect=dialect, server="test", tables=tables)


def write_values(
    folder: Path, texts: Texts, *, is_exact: bool = False, incomplete: Sequence[str] = ()
) -> StoredValues:
    """Return the index of those texts; the columns named in `incomplete` may hold others as well."""

    def read_texts(wanted: Sequence[TextColumn], _limits: TextLimits) -> tuple[ColumnTexts, ...]:
        names = [f"{each.table}.{each.column}" for each in wanted]
        return tuple(
            ColumnTexts(
                table=name.split(".")[0],
                column=name.split(".")[1],
                texts=tuple(texts[name]),
                is_complete=name not in incomplete,
                is_exact=is_exact,
            )
            for name in names
        )

    values = ValuesIndex(folder / "values.sqlite", read_texts).open(catalog_of(texts), None)
    assert values is not None
    return values
