"""Parses the text into one query's tree; what cannot be parsed does not run."""

import logging

from sqlglot import exp, parse
from sqlglot.errors import SqlglotError

from text2sql.messages import Dialect
from text2sql.validation.grammar import GRAMMARS, ParserExhausted
from text2sql.validation.quoting import quote_bare_names
from text2sql.validation.refusal import Refusal
from text2sql.validation.spelling import settle_spelling
from text2sql.validation.statement import Statement

logging.getLogger("sqlglot").setLevel(logging.CRITICAL)  # its warnings quote the statement


def parse_one_query(statement: Statement) -> Refusal | None:
    """Set the tree; refuse all that is not exactly one SELECT or set operation."""
    text = quote_bare_names(statement.text, statement.catalog)
    try:
        trees = [tree for tree in parse(text, read=GRAMMARS[statement.dialect]) if tree is not None]
    except ParserExhausted:
        return Refusal(
            reason="STATEMENT_TOO_LARGE",
            message="The statement can be read in too many ways.",
            feedback="Write a simpler statement, with ON behind each JOIN.",
        )
    except SqlglotError as error:
        return Refusal(
            reason="NOT_PARSED",
            message="The statement is not valid SQL.",
            feedback=_where(error, text, statement.dialect),
        )
    if len(trees) != 1:
        return Refusal(
            reason="NOT_ONE_STATEMENT",
            message="There must be exactly one statement." if trees else "There is no statement.",
            feedback="Write exactly one SELECT statement.",
        )
    (tree,) = trees
    if not isinstance(tree, exp.Select | exp.SetOperation | exp.Subquery):
        return Refusal(
            reason="NOT_A_SELECT",
            message=f"Only SELECT statements may run, not {tree.key.upper()}.",
            feedback="Write one SELECT statement; nothing may be changed.",
        )
    settle_spelling(tree)
    statement.tree = tree
    statement.nodes = tuple(tree.walk())
    if any(isinstance(node, exp.Select) and not node.expressions for node in statement.nodes):
        return Refusal(
            reason="NOT_PARSED",
            message="The statement is not valid SQL.",
            feedback="There is nothing between SELECT and FROM. Write what to select.",
        )
    return None


def _where(error: SqlglotError, sql: str, dialect: Dialect) -> str:
    if dialect == "sqlite" and "\\'" in sql:
        return "Inside a text in single quotes write a single quote twice, for example 'chef''s'."
    details = getattr(error, "errors", None)
    if not details:
        return "The SQL could not be parsed. Write one valid SELECT statement."
    near = f"{details[0].get('start_context', '')[-40:]}{details[0].get('highlight', '')}".strip()
    return f"The SQL could not be parsed near: {near}" if near else "The SQL could not be parsed."
