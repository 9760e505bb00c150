"""Writes the statement from its tree; this text, and never the model's, is what runs."""

from collections import Counter

from sqlglot import exp, parse
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ErrorLevel, SqlglotError

from text2sql.validation.grammar import GRAMMARS
from text2sql.validation.refusal import Refusal
from text2sql.validation.rules.constructs import find_refused_construct
from text2sql.validation.rules.functions import find_refused_function
from text2sql.validation.statement import Statement


def emit(statement: Statement) -> Refusal | None:
    """Set the emitted text; refuse it unless it parses to an allowed tree that emits the same text."""
    grammar = GRAMMARS[statement.dialect]
    try:
        sql = _write(statement.tree, grammar)
        again = parse(sql, read=grammar)
    except SqlglotError:
        return _not_emitted()
    if len(again) != 1 or again[0] is None:
        return _not_emitted()
    if find_refused_construct(again[0]) or find_refused_function(again[0], statement.dialect):
        return _not_emitted()
    if _names(again[0]) != _names(statement.tree) or _write(again[0], grammar) != sql:
        return _not_emitted()
    statement.sql = sql
    return None


def _write(tree: exp.Expr, grammar: type[Dialect]) -> str:
    return tree.sql(dialect=grammar, comments=False, pretty=True, unsupported_level=ErrorLevel.RAISE)


def _names(tree: exp.Expr) -> Counter[tuple[str, str]]:
    """Count the tables and columns that are named: the text must name what the rules have seen."""
    tables = ((node.db, node.name) for node in tree.find_all(exp.Table))
    columns = ((node.table, f".{node.name}") for node in tree.find_all(exp.Column))
    return Counter((*tables, *columns))


def _not_emitted() -> Refusal:
    return Refusal(reason="NOT_EMITTED", message="The statement cannot be written anew without a change.")
