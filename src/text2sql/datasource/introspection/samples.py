"""Which stored values of a table a catalog shows, and how they are chosen; reading rows is not done here.

Samples go into prompts. So nothing that looks like a person's address, number or secret is taken, by the
column's name or by a value's shape.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal

from text2sql.datasource.catalog import Catalog, Column, Table
from text2sql.messages import Cell

ROWS_FROM_START = 300
"""Rows read of each table; a table with fewer is counted by it as well."""
ROWS_FROM_END = 100
"""Rows read from the other end of a larger one, where the newest usually are."""
SAMPLE_CHARACTERS = 40
LISTED_VALUES = 8
"""A column with at most so many different values has all of them listed."""
SHOWN_VALUES = 5
KEY_CHARACTERS = 12
"""The longest value of a key that is still a code for people, like a currency, and no identifier."""

_UNSAMPLED_TYPE = re.compile(
    r"blob|binary|bytea|json|geometry|point|polygon|linestring|collection|vector|^bit", re.IGNORECASE
)
_PRIVATE_NAME = re.compile(
    r"e_?mail|phone|mobile|fax|(^|_)tel($|_)|telephone|passw|pwd|secret|token|api_?key|hash|salt|ssn|social_?sec"
    r"|iban|credit_?card|card_?n|cvv|passport|licen[cs]e_?n|tax_?id|birth|(^|_)dob($|_)|(^|_)ip(_|$)"
    r"|street|address",
    re.IGNORECASE,
)
_PRIVATE_VALUE = re.compile(
    r"[^@\s]+@[^@\s]+\.[^@\s]+"  # an e-mail address
    r"|\d{3}-\d{2}-\d{4}"  # a social security number
    r"|[A-Z]{2}\d{2}[A-Z0-9]{11,30}"  # an IBAN
    r"|[0-9a-fA-F-]{24,}"  # a hash, a token, a UUID
    r"|\+?[\d().][\d\s().-]{7,}\d"  # a phone or card number; dates are looked for first
)
_PRIVATE_DESCRIPTION = re.compile(
    r"\b(?:PII|GDPR|confidential|sensitive|secret"
    r"|(?:personal(?:ly)?|private) (?:data|information|identif\w+))\b",
    re.IGNORECASE,
)
_DATE_VALUE = re.compile(r"\d{4}[-/.]\d\d?[-/.]\d\d?([ T].*)?|\d\d?[-/.]\d\d?[-/.]\d{4}([ T].*)?")


def worth_sampling(name: str, declared_type: str) -> bool:
    """Tell whether a column's values may be looked at, by its name and type."""
    return not has_private_name(name) and not _UNSAMPLED_TYPE.search(declared_type)


def has_private_name(name: str) -> bool:
    """Tell whether a column is called as those of people's addresses, numbers and secrets are."""
    return bool(_PRIVATE_NAME.search(split_words(name)))


def split_words(name: str) -> str:
    """Return a name such as eMail or cardNumber with its words apart: e_Mail, card_Number."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)


def tells_private(description: str) -> bool:
    """Tell whether a column's description says that its values are nobody else's business."""
    return bool(_PRIVATE_DESCRIPTION.search(description))


def without_private_values(catalog: Catalog) -> Catalog:
    """Return the catalog without stored values of the columns whose descriptions call them private."""
    unseen = {"samples": (), "distinct": None, "lowest": None, "highest": None}
    tables = [
        table.model_copy(
            update={
                "columns": tuple(
                    column.model_copy(update=unseen) if tells_private(column.description) else column
                    for column in table.columns
                )
            }
        )
        for table in catalog.tables
    ]
    return catalog.model_copy(update={"tables": tuple(tables)})


def tying_columns(table: Table) -> frozenset[str]:
    """Return the columns that tie rows together: those of the primary and the foreign keys."""
    return frozenset(table.primary_key).union(*(key.columns for key in table.foreign_keys))


def with_samples(
    columns: Sequence[Column], sampled: Sequence[str], rows: Sequence[Sequence[Cell]], keys: Iterable[str]
) -> tuple[Column, ...]:
    """Return the columns with what `rows`, whose cells belong to the columns `sampled`, tell of them."""
    values = dict(zip(sampled, zip(*rows, strict=True), strict=True)) if rows and sampled else {}
    tying = frozenset(keys)
    return tuple(
        _with_summary(column, values.get(column.name, ()), is_key=column.name in tying) for column in columns
    )


def _with_summary(column: Column, values: Iterable[Cell], *, is_key: bool) -> Column:
    samples, distinct = summarise(values, is_key=is_key)
    return column.model_copy(update={"samples": samples, "distinct": distinct})


def summarise(values: Iterable[Cell], *, is_key: bool = False) -> tuple[tuple[str, ...], int | None]:
    """Return the values to show and how many different ones there are, None where nobody looked.

    Text shows its most frequent values. Numbers and dates are shown only where they are few, for then
    they are codes.
    """
    counts = Counter(values)
    counts.pop(None, None)
    counts.pop("", None)
    kinds = set(map(type, counts))
    if not counts or bytes in kinds:
        return (), None
    distinct = len(counts)
    few = distinct <= LISTED_VALUES
    if is_key and not (few and all(map(_is_code, counts))):
        return (), distinct
    if (not few and kinds != {str}) or any(map(is_private, counts)):
        return (), distinct
    texts = [cell_text(value) for value, _ in counts.most_common()]
    short = [text for text in texts if len(text) <= SAMPLE_CHARACTERS]
    is_prose = not few and 2 * len(short) < distinct
    if is_prose:
        return (), distinct
    return tuple(short if few else short[:SHOWN_VALUES]), distinct


def cell_text(value: Cell) -> str:
    """Return a value as the catalog shows it."""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _is_code(value: Cell) -> bool:
    return isinstance(value, str) and len(value) <= KEY_CHARACTERS


def is_private(value: Cell) -> bool:
    """Tell whether a value has the shape of a person's address, number or secret."""
    if not isinstance(value, str) or _DATE_VALUE.fullmatch(value):
        return False
    return bool(_PRIVATE_VALUE.fullmatch(value.strip()))
