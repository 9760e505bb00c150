"""Row conditions: read from a policy, with every name resolved, before any caller is known.

A condition is SQL by whoever wrote the policy. It may read other tables as they are stored, and it goes
through the same rules as a model's statement.
"""

import re
from collections.abc import Mapping

from sqlglot import TokenType, exp
from sqlglot.dialects.dialect import Dialect as SqlglotDialect
from sqlglot.errors import SqlglotError

from text2sql.datasource.catalog import Catalog, Table, quote_name
from text2sql.datasource.policy.access import Access
from text2sql.datasource.policy.file import AttributeType, element_type
from text2sql.messages import Dialect
from text2sql.validation.binding import PLACEHOLDER, find_placeholders, schema_name
from text2sql.validation.grammar import GRAMMARS
from text2sql.validation.rules import RULES
from text2sql.validation.statement import Statement

_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.In, exp.Between)
_KINDS = (
    (
        re.compile(r"int|dec|num|float|double|real|^bit|^bool|^year", re.IGNORECASE),
        {"integer", "decimal", "boolean"},
    ),
    (re.compile(r"date|timestamp", re.IGNORECASE), {"date"}),
    (re.compile(r"char|text|enum|set|blob|binary", re.IGNORECASE), {"text"}),
)
"""Which attributes a column may be compared with, by its type.

MySQL compares a text with a number as numbers, where every text without digits is 0."""


class RowsRefused(Exception):
    """A row condition that cannot be used; the message says why."""


def attributes_in(condition: str) -> frozenset[str]:
    """Return the names of the caller's attributes that a condition asks for."""
    return frozenset(PLACEHOLDER.findall(condition))


def resolve_rows(
    condition: str, table: Table, catalog: Catalog, attributes: Mapping[str, AttributeType]
) -> str:
    """Return the condition with its columns and tables named in full, and each attribute as a text.

    Raises:
        RowsRefused: it is no condition on this table that a statement could hold.
    """
    text = _quote_placeholders(condition, catalog.dialect, attributes)
    schema = f"{quote_name(table.schema_name)}." if table.schema_name else ""
    draft = f"SELECT 1 FROM {schema}{quote_name(table.name)} WHERE ({text}\n)"  # noqa: S608  # the rules read it
    statement = Statement(draft, Access(catalog=catalog), row_limit=1)
    for rule in RULES:
        refusal = rule(statement)
        if refusal:
            raise RowsRefused(refusal.message)
    tree = statement.tree
    where = tree.args.get("where")
    shape = {name for name, value in tree.args.items() if value}
    if not isinstance(tree, exp.Select) or shape != {"expressions", "from_", "where", "limit"} or not where:
        raise RowsRefused("it must be one condition, as it stands behind WHERE.")
    if tree.find(exp.With):
        raise RowsRefused("it may not hold WITH.")
    _check_placeholders(where, attributes, statement)
    _name_in_full(statement)
    return str(where.this.unnest().sql(dialect=GRAMMARS[catalog.dialect], comments=False))


def _quote_placeholders(condition: str, dialect: Dialect, attributes: Mapping[str, AttributeType]) -> str:
    """Make a text of each `{caller.name}`, and refuse one inside quotes, where it would be pasted."""
    try:
        tokens = SqlglotDialect.get_or_raise(GRAMMARS[dialect]).tokenize(condition)
    except SqlglotError:
        raise RowsRefused("the condition cannot be read.") from None
    braces = [number for number, token in enumerate(tokens) if token.token_type is TokenType.L_BRACE]
    if condition.count("{") != len(braces):
        raise RowsRefused("a brace may not stand inside quotes or a comment.")
    parts: list[str] = []
    done = 0
    for number in braces:
        start = tokens[number].start
        found = PLACEHOLDER.match(condition, start)
        if not found:
            raise RowsRefused("a brace begins {caller.name}, and nothing else.")
        if found[1] not in attributes:
            raise RowsRefused(f"the policy declares no attribute {found[1]}.")
        follows_in = number > 0 and tokens[number - 1].token_type is TokenType.IN
        parts += [condition[done:start], f"('{found[0]}')" if follows_in else f"'{found[0]}'"]
        done = found.end()
    return "".join([*parts, condition[done:]])


def _check_placeholders(
    where: exp.Where, attributes: Mapping[str, AttributeType], statement: Statement
) -> None:
    tables = {id(node): table for node, table in statement.tables}
    for placeholder, name in find_placeholders(where):
        element, is_list = element_type(attributes[name])
        parent = placeholder.parent
        if is_list and not (isinstance(parent, exp.In) and parent.expressions == [placeholder]):
            raise RowsRefused(f"{name} is a list, which stands behind IN alone.")
        if statement.dialect == "sqlite" or not isinstance(parent, _COMPARISONS):
            continue
        for column in parent.iter_expressions():
            owner = statement.owners.get(id(column))
            if isinstance(column, exp.Column) and owner:
                declared = _type_of(column.name, tables[id(owner)])
                if any(pattern.search(declared) and element not in kinds for pattern, kinds in _KINDS):
                    raise RowsRefused(
                        f"{name} is {attributes[name]}, and the column {column.name} is {declared}."
                    )


def _type_of(column: str, table: Table) -> str:
    types = {each.name.lower(): each.type.partition("(")[0] for each in table.columns}
    return types[column.lower()]


def _name_in_full(statement: Statement) -> None:
    """Leave no name that could mean something else inside another statement."""
    for node, table in statement.tables:
        node.set("db", schema_name(table, statement.catalog))
    for column in statement.tree.find_all(exp.Column):
        owner = statement.owners.get(id(column))
        if owner is not None and not column.table:
            column.set("table", exp.to_identifier(owner.alias_or_name, quoted=True))
