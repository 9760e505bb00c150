"""Finds what a question asks for in so many words, and the statement does not do.

The cues are English; a question in another language meets none. Measured on the gold statements of shared
questions (docs/accuracy.md): what is told here is almost never told of a right statement.
"""

import re
from collections.abc import Callable, Iterator
from typing import TypeAlias

from sqlglot import exp

from text2sql.datasource.catalog import Table
from text2sql.validation.grammar import GRAMMARS
from text2sql.validation.refusal import Refusal
from text2sql.validation.statement import Statement

_QUOTED = re.compile(r"""(?<!\w)["'\u201c\u2018].+?["'\u201d\u2019](?!\w)""")
_NUMBER = re.compile(r"(?<![\w.,/:-])\d+(?:,\d{3})*(?:\.\d+)?(?![\w/:-])")
_OF_A_TIME = re.compile(r"\s*(?:second|minute|hour|day|week|month|quarter|year)s?\b", re.IGNORECASE)
_SPELLED = {word: n for n, word in enumerate("two three four five six seven eight nine ten".split(), 2)}
_AMOUNT = re.compile(
    rf"\b(?:at least|at most|(?:more|less|fewer) than|over|under|exactly|top) ({'|'.join(_SPELLED)})\b",
    re.IGNORECASE,
)
_UNITS = (1, 0.01, 1_000, 1_000_000)
"""What a number may stand for in the statement: itself, a percentage, thousands, millions."""

_A_YEAR = 1000
"""From here on a number may be a year, which ends before the first of January of the next."""

_BOTH = re.compile(r"\bboth\b.+\band\b", re.IGNORECASE)
_NOT = re.compile(r"\b(?:not|never|no|without|nor)\b|n't\b", re.IGNORECASE)
_NEVER = re.compile(r"\b(?:never|(?:do|does|did|has|have|had) not)\b|n't\b", re.IGNORECASE)
_DIFFERENT = re.compile(r"\b(?:different|distinct|unique)\b", re.IGNORECASE)
_AVERAGE = re.compile(r"\baverage\b", re.IGNORECASE)
_TOTAL = re.compile(r"\b(?:total|sum)\b", re.IGNORECASE)
_SORTED = re.compile(r"\b(?:sort(?:ed)? (?:by|in)|alphabetical\w*|descending|ascending)\b", re.IGNORECASE)

Rule: TypeAlias = Callable[[str, Statement], str]
"""Returns what to tell the model, a sentence for people first; empty where there is nothing to tell."""


def find_unmet(question: str, statement: Statement) -> Refusal | None:
    """Return the first thing that the question asks for and the statement, which has passed, does not do.

    To be asked of first drafts as a refusal: who keeps a statement after being told may mean it. Of others
    it is a doubt.
    """
    for rule in _RULES:
        if told := rule(question, statement):
            message, *_ = told.partition(". ")
            return Refusal(reason="QUESTION_NOT_MET", message=f"{message.rstrip('.')}.", feedback=told)
    return None


def _uses_its_numbers(question: str, statement: Statement) -> str:
    texts = [node.name for node in statement.nodes if isinstance(node, exp.Literal)]
    texts += [node.name for node in statement.nodes if isinstance(node, exp.Column)]  # address_line_1
    used = {number for text in texts if (number := _read_number(text)) is not None}
    for number in _numbers_of(question):
        if not number:
            continue  # more than none
        near = {number - 1, number + 1, *(number * unit for unit in _UNITS)}  # over 9 is at least 10
        written = f"{number:.12g}"
        parts = {written, f"{number + 1:.12g}"} if number >= _A_YEAR else {written}
        if not (used.intersection(near) or any(part in text for part in parts for text in texts)):
            return (
                f"The question says {written}, which the statement does not use."
                f" Compare or limit with {written}."
            )
    return ""


def _numbers_of(question: str) -> Iterator[float]:
    bare = _QUOTED.sub(" ", question)
    for found in _NUMBER.finditer(bare):
        if not _OF_A_TIME.match(bare, found.end()):
            yield float(found[0].replace(",", ""))
    for found in _AMOUNT.finditer(bare):
        if not _OF_A_TIME.match(bare, found.end()):
            yield float(_SPELLED[found[1].lower()])


def _read_number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _finds_both(question: str, statement: Statement) -> str:
    counts_or_compares = exp.SetOperation | exp.Having
    if not _BOTH.search(question) or any(isinstance(node, counts_or_compares) for node in statement.nodes):
        return ""
    for node in statement.nodes:
        column, first, second = _two_values(node)
        if column:
            both = " AND ".join(
                f"... IN (SELECT ... WHERE {column} = {_written(value, statement)})"
                for value in (first, second)
            )
            return (
                f"The question asks for both, and one row has only one {column}."
                f" Write one subquery for each: {both}."
            )
    return ""


def _two_values(node: exp.Expr) -> tuple[str, exp.Expr, exp.Expr]:
    """Return a column that is compared with two values at once, and them; no name where there is none."""
    nothing = ("", exp.Null(), exp.Null())
    if isinstance(node, exp.In) and len(node.expressions) > 1 and isinstance(node.this, exp.Column):
        return node.this.name, node.expressions[0], node.expressions[1]
    if not isinstance(node, exp.Or | exp.And):
        return nothing
    ends = node.unnest_operands()
    if not all(isinstance(end, exp.EQ | exp.Like) and isinstance(end.this, exp.Column) for end in ends):
        return nothing
    left, right = ends
    if left.this.name.lower() != right.this.name.lower():
        return nothing
    return left.this.name, left.expression, right.expression


def _leaves_out(question: str, statement: Statement) -> str:
    """`<>` on a child's column keeps each parent that has another child as well."""
    if not _NOT.search(question):
        return ""
    for node in statement.nodes:
        if isinstance(node, exp.NEQ) and (left_out := _written_with_not_in(node, question, statement)):
            kept = f"{_written(node, statement)} also keeps who has another besides"
            return f"The question asks who has none, and {kept}. Instead of it write {left_out}."
    return ""


def _written_with_not_in(node: exp.NEQ, question: str, statement: Statement) -> str:
    """Return what most likely is meant instead of the comparison; empty where it may be right."""
    owner, select = statement.owners.get(id(node.this)), node.find_ancestor(exp.Select)
    child = next((table for found, table in statement.tables if found is owner), None)
    if child is None or select is None or isinstance(node.expression, exp.Column):
        return ""
    beside = {
        table.name: found
        for found, table in statement.tables
        if found is not owner and found.find_ancestor(exp.Select) is select
    }
    outer, inner = "", ""
    if link := _link_to_parent(child, beside):
        inner, parent, there = link
        outer = f"{beside[parent].alias_or_name}.{there}"
    elif _NEVER.search(question) and not beside and isinstance(select.expressions[0], exp.Column):
        outer = inner = select.expressions[0].name
    if not outer or child.tells_rows_apart([inner]):
        return ""
    value = _written(node.expression, statement)
    return f"{outer} NOT IN (SELECT {inner} FROM {child.name} WHERE {node.this.name} = {value})"  # noqa: S608 — told, never run


def _link_to_parent(child: Table, beside: dict[str, exp.Table]) -> tuple[str, str, str] | None:
    """Return the column that points at a table beside the child, that table, and its column."""
    for key in child.foreign_keys:
        if key.table in beside and len(key.columns) == 1 and key.columns != child.primary_key:
            return key.columns[0], key.table, key.references[0]
    return None


def _leaves_out_repeats(question: str, statement: Statement) -> str:
    apart = exp.Distinct | exp.Group | exp.SetOperation
    if not _DIFFERENT.search(question) or any(isinstance(node, apart) for node in statement.nodes):
        return ""
    tree = statement.tree
    if not isinstance(tree, exp.Select):
        return ""
    first = tree.expressions[0]
    tables = [table for _, table in statement.tables]
    if isinstance(first, exp.Anonymous) and first.name.upper() == "COUNT":
        counts_rows = len(tables) == 1 and any(isinstance(each, exp.Star) for each in first.expressions)
        return "" if counts_rows else "The question asks for different ones. Write COUNT(DISTINCT ...)."
    if len(tables) == 1 and tables[0].tells_rows_apart([first.name]):
        return ""
    return "The question asks for different ones. Write SELECT DISTINCT."


def _takes_the_average(question: str, statement: Statement) -> str:
    if not _AVERAGE.search(question) or _names(statement, "avg", "average", "mean"):
        return ""
    if _calls(statement, "AVG") or any(isinstance(node, exp.Div) for node in statement.nodes):
        return ""
    return "The question asks for an average. Write AVG(...)."


def _takes_the_total(question: str, statement: Statement) -> str:
    if not _TOTAL.search(question) or _names(statement, "total", "sum", "amount"):
        return ""
    if _calls(statement, "SUM", "COUNT", "TOTAL"):
        return ""
    return "The question asks for a total. Write SUM(...)."


def _sorts(question: str, statement: Statement) -> str:
    if not _SORTED.search(question) or any(isinstance(node, exp.Order) for node in statement.nodes):
        return ""
    return "The question asks for an order. Write ORDER BY."


def _written(node: exp.Expr, statement: Statement) -> str:
    return node.sql(GRAMMARS[statement.dialect])


def _calls(statement: Statement, *functions: str) -> bool:
    return any(isinstance(node, exp.Anonymous) and node.name.upper() in functions for node in statement.nodes)


def _names(statement: Statement, *parts: str) -> bool:
    """Tell whether a column has one of these in its name: then it may hold what is asked for."""
    names = [node.name.lower() for node in statement.nodes if isinstance(node, exp.Column)]
    return any(part in name for part in parts for name in names)


_RULES: tuple[Rule, ...] = (
    _finds_both,
    _leaves_out,
    _uses_its_numbers,
    _leaves_out_repeats,
    _takes_the_average,
    _takes_the_total,
    _sorts,
)
