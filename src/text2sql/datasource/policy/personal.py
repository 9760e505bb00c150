"""Which columns hold personal data, by name, type and description; no stored value is looked at here."""

import re

from text2sql.datasource.catalog import Column
from text2sql.datasource.introspection.samples import has_private_name, split_words, tells_private

_PERSONS_NAME = re.compile(
    r"(?:^|_)(?:first|last|middle|given|family|full|maiden|nick|sur|fore|user)_?name", re.IGNORECASE
)
_NUMBER_OR_TIME = re.compile(
    r"\b(?:(?:tiny|small|medium|big)?int(?:eger)?\d*|dec(?:imal)?|num(?:eric|ber)?|float\d*|double|real|bit"
    r"|bool(?:ean)?|date(?:time)?|time(?:stamp)?|year)\b",
    re.IGNORECASE,
)


def holds_personal_data(column: Column) -> bool:
    """Tell whether a column is one of people's names, addresses, numbers or secrets.

    One whose type is of numbers, dates or times never is.
    """
    if _NUMBER_OR_TIME.search(column.type.partition("(")[0]):
        return False
    return (
        has_private_name(column.name)
        or bool(_PERSONS_NAME.search(split_words(column.name)))
        or tells_private(column.description)
    )
