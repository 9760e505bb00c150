"""Row conditions bound to one caller: attributes become literals of a tree, never text that is pasted."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache

from sqlglot import exp, parse_one

from text2sql.datasource.catalog import Catalog, Table
from text2sql.datasource.policy.access import AttributeValue, Scalar
from text2sql.messages import Dialect
from text2sql.validation.grammar import GRAMMARS

PLACEHOLDER = re.compile(r"\{caller\.(\w+)\}")
_PLAIN_TEXT = re.compile(r"[\w .,:;/+@#()&-]*", re.ASCII)
"""Text that is written the same in every database and under every setting; other text is written in hex."""


def bind_rows(condition: str, attributes: Mapping[str, AttributeValue], dialect: Dialect) -> exp.Expr:
    """Return the tree of a resolved condition with the attributes' values as literals."""
    tree = _parsed(condition, dialect).copy()
    for placeholder, name in list(find_placeholders(tree)):
        value = attributes[name]
        if isinstance(value, tuple):
            literals = [_literal(each, dialect) for each in value]
            placeholder.parent.set("expressions", literals or [exp.null()])  # type: ignore[union-attr]
        else:
            placeholder.replace(_literal(value, dialect))
    return tree


def find_placeholders(tree: exp.Expr) -> Iterator[tuple[exp.Literal, str]]:
    """Yield the texts that stand for attributes, with the attributes' names."""
    for literal in tree.find_all(exp.Literal):
        if literal.is_string and (found := PLACEHOLDER.fullmatch(literal.name)):
            yield literal, found[1]


@lru_cache(maxsize=1024)
def _parsed(condition: str, dialect: Dialect) -> exp.Paren:
    return exp.Paren(this=parse_one(condition, read=GRAMMARS[dialect], into=exp.Condition))


def schema_name(table: Table, catalog: Catalog) -> exp.Identifier:
    """Return the name that a statement gives the table's schema; behind it no other name can be meant."""
    own = "main" if catalog.dialect == "sqlite" else catalog.name
    return exp.to_identifier(table.schema_name or own, quoted=True)


def _literal(value: Scalar, dialect: Dialect) -> exp.Expr:
    """Return the value as a literal that means the same under every setting of the server."""
    if isinstance(value, bool):
        return exp.Literal.number(int(value))
    if isinstance(value, int | Decimal):
        number = exp.Literal.number(f"{abs(value):f}" if isinstance(value, Decimal) else str(abs(value)))
        return exp.Paren(this=exp.Neg(this=number)) if value < 0 else number
    text = value.isoformat() if isinstance(value, date) else value
    if _PLAIN_TEXT.fullmatch(text):
        return exp.Literal.string(text)
    digits = exp.HexString(this=text.encode().hex().upper())
    if dialect == "sqlite":
        return exp.cast(digits, "TEXT")
    return exp.Introducer(this=exp.var("_utf8mb4"), expression=digits)
