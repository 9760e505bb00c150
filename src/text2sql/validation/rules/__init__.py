"""The rules, in order; one rule a file. The first refusal ends a statement's way."""

from collections.abc import Callable
from typing import TypeAlias

from text2sql.validation.refusal import Refusal
from text2sql.validation.rules.access import restrict_access
from text2sql.validation.rules.columns import resolve_columns
from text2sql.validation.rules.comments import refuse_executable_comments
from text2sql.validation.rules.comparisons import refuse_impossible_comparisons
from text2sql.validation.rules.constructs import allow_constructs
from text2sql.validation.rules.emission import emit
from text2sql.validation.rules.functions import allow_functions
from text2sql.validation.rules.grouping import refuse_ungrouped_columns
from text2sql.validation.rules.recursion import bound_recursion
from text2sql.validation.rules.row_limit import limit_rows
from text2sql.validation.rules.shadowing import qualify_shadowed_tables
from text2sql.validation.rules.size import refuse_oversize
from text2sql.validation.rules.syntax import parse_one_query
from text2sql.validation.rules.tables import resolve_tables
from text2sql.validation.rules.unresolved import refuse_unresolved_names
from text2sql.validation.statement import Statement

Rule: TypeAlias = Callable[[Statement], Refusal | None]
"""Reads the statement, may change its tree, and says no with a refusal."""

RULES: tuple[Rule, ...] = (
    refuse_oversize,
    refuse_executable_comments,
    parse_one_query,
    allow_constructs,
    allow_functions,
    bound_recursion,
    resolve_tables,
    resolve_columns,
    refuse_unresolved_names,
    qualify_shadowed_tables,
    refuse_ungrouped_columns,
    refuse_impossible_comparisons,
    restrict_access,
    limit_rows,
    emit,
)
