"""What a model is never told: stored values, comments and documents that give it orders.

Such text is data of others. It is taken out before a prompt is built; the statements that a model writes
go through the validator all the same, so this saves bad drafts rather than data.
"""

from text2sql.datasource.catalog import Catalog, Column, Table
from text2sql.guardrail.prompt_attack import is_prompt_attack

DESCRIPTION_CHARACTERS = 300
"""The longest description of a table or a column that is told; the rest of a longer one is not."""

_FEWEST_WORDS = 3
"""No order to a model is shorter, but for a chat template's marks."""


def gives_orders(text: str) -> bool:
    """Tell whether the text reads as an order to the model that is to be told it."""
    return ("<|" in text or "[" in text or len(text.split()) >= _FEWEST_WORDS) and is_prompt_attack(text)


def without_orders(catalog: Catalog) -> Catalog:
    """Return the catalog without descriptions and samples that give orders, and with short descriptions."""
    return catalog.model_copy(update={"tables": tuple(map(_clean_table, catalog.tables))})


def shorten(text: str, characters: int = DESCRIPTION_CHARACTERS) -> str:
    """Return the text, or its first words where it is longer."""
    return text if len(text) <= characters else f"{text[:characters].rsplit(' ', 1)[0]} …"


def _clean_table(table: Table) -> Table:
    columns = tuple(map(_clean_column, table.columns))
    return table.model_copy(update={"columns": columns, "description": _clean(table.description)})


def _clean_column(column: Column) -> Column:
    samples = tuple(sample for sample in column.samples if not gives_orders(sample))
    return column.model_copy(update={"description": _clean(column.description), "samples": samples})


def _clean(description: str) -> str:
    return "" if gives_orders(description) else shorten(description)
