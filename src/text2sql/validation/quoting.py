"""Quotes names with a space in them that a model wrote bare, before the parser takes them apart."""

import re

from text2sql.datasource.catalog import Catalog, quote_name

_QUOTED = re.compile(r"""('(?:[^']|'')*'|"[^"]*"|`[^`]*`|\[[^\]]*\])""")


def quote_bare_names(sql: str, catalog: Catalog) -> str:
    """Return the statement with such names in backticks, where they stand outside quotes as a whole."""
    spaced = catalog.spaced_names
    if not spaced:
        return sql
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, spaced))})(?!\w)", re.IGNORECASE)
    parts = _QUOTED.split(sql)
    parts[::2] = [pattern.sub(lambda match: quote_name(match[0]), part) for part in parts[::2]]
    return "".join(parts)
