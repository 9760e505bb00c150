"""Compares the text literals of a checked statement with what is stored."""

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from sqlglot import exp

from text2sql.datasource.catalog import quote_name
from text2sql.errors import SqlRejected
from text2sql.messages import ComparedText, ValidSql
from text2sql.validation.refusal import Refusal
from text2sql.validation.statement import Statement

if TYPE_CHECKING:
    from text2sql.datasource.values import ColumnTexts
    from text2sql.datasource.values_index import StoredValues

_COMPARISONS = (exp.EQ, exp.NEQ, exp.In, exp.Like)
MAX_NEARBY = 40
MAX_HOLDERS = 2
_WILDCARDS = frozenset("%_\\")


def compared_texts(statement: Statement) -> tuple[ComparedText, ...]:
    """Return the literals with a letter that are compared with a column that the caller sees as stored."""
    shown = statement.access.stored_columns()
    found = (each for node in statement.nodes for each in _read(node, statement))
    compared = tuple(dict.fromkeys(each for each in found if (each.table, each.column) in shown))
    if not compared:
        return ()
    nearby = (each for each in _columns_nearby(statement) if each in shown)
    update = {"nearby": tuple(islice(nearby, MAX_NEARBY))}
    return tuple(each.model_copy(update=update) for each in compared)


def without_unstored(valid: ValidSql, values: "StoredValues | None") -> ValidSql:
    """Return the statement and its alternatives without those that compare a column with what it lacks.

    It lacks a text that it does not hold while it holds exactly one that is close to it, or while another
    column nearby holds the text. To be asked of the first drafts only: who keeps a literal after being told
    asks for what is not there.

    Raises:
        SqlRejected: VALUE_NOT_STORED, with the text that is stored; no statement is left.
    """
    if values is None or valid.verified or valid.by_person:
        return valid
    passed: list[ValidSql] = []
    refused: list[Refusal] = []
    for each in (valid, *valid.alternatives):
        refusal = _find_unstored(each.compared, values)
        if refusal:
            refused.append(refusal)
        else:
            passed.append(each)
    if not passed:
        raise SqlRejected(refused[0].reason, refused[0].message)
    return passed[0].model_copy(
        update={
            "probability": valid.probability,
            "refused": valid.refused
            + sum(each.votes for each in (valid, *valid.alternatives))
            - sum(each.votes for each in passed),
            "alternatives": tuple(passed[1:]),
        }
    )


def _find_unstored(compared: tuple[ComparedText, ...], values: "StoredValues") -> Refusal | None:
    from text2sql.datasource.values import fold_words
    from text2sql.datasource.values_match import closest

    told = []
    for each in compared:
        known = values.column(each.table, each.column)
        if known is None or not known.is_complete or _holds(known, each):
            continue
        near = closest(fold_words(each.text), {text: fold_words(text) for text in known.texts})
        name = _name(each.table, each.column)
        if len(near) == 1:
            told.append(f"{name} has no {_quoted(each.text)}, but {_quoted(near[0])}.")
        elif holders := _holders(each, values):
            told.append(f"{name} has no {_quoted(each.text)}, but {' and '.join(holders)} has.")
    if not told:
        return None
    return Refusal(reason="VALUE_NOT_STORED", message=" ".join(told))


def _holders(compared: ComparedText, values: "StoredValues") -> list[str]:
    """Return the first two columns nearby that hold the text, as a statement names them."""
    from text2sql.datasource.values import fold_text, fold_words, value_key

    found = values.find([value_key(fold_words(compared.text))])
    same = [each for each in found if fold_text(each.text) == fold_text(compared.text)]
    places = dict.fromkeys((each.table, each.column) for each in same)
    others = [place for place in places if place != (compared.table, compared.column)]
    return [_name(*place) for place in others if place in compared.nearby][:MAX_HOLDERS]


def _columns_nearby(statement: Statement) -> Iterator[tuple[str, str]]:
    """Yield the columns of text of the statement's tables and of those that a foreign key links to them."""
    from text2sql.datasource.values import holds_text

    named = {table.name for _, table in statement.tables}
    linked = {key.table for _, table in statement.tables for key in table.foreign_keys}
    for table in statement.catalog.tables:
        if table.name in named | linked or any(key.table in named for key in table.foreign_keys):
            yield from ((table.key, column.name) for column in table.columns if holds_text(column))


def _name(table: str, column: str) -> str:
    return f"{quote_name(table)}.{quote_name(column)}"


def _holds(known: "ColumnTexts", compared: ComparedText) -> bool:
    from text2sql.datasource.values import fold_text

    if known.is_exact and not compared.by_pattern:
        return compared.text in known.texts
    return fold_text(compared.text) in map(fold_text, known.texts)


def _read(node: exp.Expr, statement: Statement) -> Iterator[ComparedText]:
    if not isinstance(node, _COMPARISONS):
        return
    operands = list(node.iter_expressions())
    columns = [each for each in operands if isinstance(each, exp.Column)]
    place = statement.owners.get(id(columns[0])) if len(columns) == 1 else None
    table = next((table for at, table in statement.tables if at is place), None)
    if place is None or table is None:
        return
    spelling = {column.name.lower(): column.name for column in table.columns}
    by_pattern = isinstance(node, exp.Like)
    for each in operands:
        if not isinstance(each, exp.Literal) or not each.is_string or not any(map(str.isalpha, each.this)):
            continue
        if not (by_pattern and _WILDCARDS & set(each.this)):
            name = spelling[columns[0].name.lower()]
            yield ComparedText(table=table.key, column=name, text=each.this, by_pattern=by_pattern)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
