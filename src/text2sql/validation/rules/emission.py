"""Writes the statement from its tree; this text, and never the model's, is what runs."""

import re
from collections import Counter

from sqlglot import exp, parse
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ErrorLevel, SqlglotError

from text2sql.validation.function_names import MASK_FUNCTIONS
from text2sql.validation.grammar import GRAMMARS, ParserExhausted
from text2sql.validation.refusal import Refusal
from text2sql.validation.rules.constructs import find_refused_construct
from text2sql.validation.rules.functions import find_refused_function
from text2sql.validation.spelling import settle_spelling
from text2sql.validation.statement import Statement

_LEXEME = re.compile(
    r"""[A-Za-z_][A-Za-z0-9_]*(?!['\w$@]) | \d+(?:\.\d+)?(?![\w.$@]) | '[^'\\]*'(?!')
    | <=(?!>) | >= | <> | != | =(?![=>]) | [(),.*+%] | <(?![<=>]) | >(?![>=]) | -(?!-) | /(?!\*)""",
    re.VERBOSE | re.ASCII,
)
_TEXT_OF_LEXEMES = re.compile(rf"(?:\s*(?:{_LEXEME.pattern}))*\s*;?\s*", re.VERBOSE | re.ASCII)


def emit(statement: Statement) -> Refusal | None:
    """Set the emitted text; refuse it unless it means the tree that was checked."""
    grammar = GRAMMARS[statement.dialect]
    try:
        sql = _write(statement.tree, grammar)
        if not (_reads_alike(statement.text, sql) or _parses_alike(sql, statement)):
            return _not_emitted()
    except (SqlglotError, ParserExhausted):
        return _not_emitted()
    statement.sql = sql
    return None


def _reads_alike(text: str, sql: str) -> bool:
    """Tell whether both are the same words and signs, but for AS, the case of words and the added LIMIT.

    Then one parses to what the other has been parsed to, and need not be parsed once more. Texts with
    anything but plain words, numbers, strings and signs in them are not compared in this way.
    """
    if not (_TEXT_OF_LEXEMES.fullmatch(text) and _TEXT_OF_LEXEMES.fullmatch(sql)):
        return False
    before, after = _lexemes(text), _lexemes(sql)
    return after == before or (after[-2:-1] == ["LIMIT"] and after[:-2] == before)


def _lexemes(text: str) -> list[str]:
    found = (lexeme if lexeme[0] == "'" else lexeme.upper() for lexeme in _LEXEME.findall(text))
    return ["<>" if lexeme == "!=" else lexeme for lexeme in found if lexeme != "AS"]


def _parses_alike(sql: str, statement: Statement) -> bool:
    """Tell whether the text parses to the statement's tree, or to one as good.

    Some forms have two spellings, `a -> b` and `JSON_EXTRACT(a, b)`. Then the second tree must be allowed,
    too, name the same tables and columns, and write the same text.
    """
    grammar = GRAMMARS[statement.dialect]
    again = parse(sql, read=grammar)
    (tree,) = again if len(again) == 1 else (None,)
    if isinstance(tree, exp.Query):
        settle_spelling(tree)
    return tree is not None and (
        tree == statement.tree
        or (
            not find_refused_construct(tree.walk())
            and not find_refused_function(tree.walk(), statement.dialect, also=MASK_FUNCTIONS)
            and _names(tree) == _names(statement.tree)
            and _write(tree, grammar) == sql
        )
    )


def _write(tree: exp.Expr, grammar: type[Dialect]) -> str:
    # To write may change the tree a little, for good; a copy would take as long as the writing itself.
    return tree.sql(
        dialect=grammar, comments=False, pretty=True, unsupported_level=ErrorLevel.RAISE, copy=False
    )


def _names(tree: exp.Expr) -> Counter[tuple[str, str]]:
    """Count the tables and columns that are named."""
    tables = ((node.db, node.name) for node in tree.find_all(exp.Table))
    columns = ((node.table, f".{node.name}") for node in tree.find_all(exp.Column))
    return Counter((*tables, *columns))


def _not_emitted() -> Refusal:
    return Refusal(reason="NOT_EMITTED", message="The statement cannot be written anew without a change.")
