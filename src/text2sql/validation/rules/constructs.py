"""The allow-list of what a statement may be made of; anything that is not named here is refused."""

import re
from collections.abc import Iterable

from sqlglot import exp

from text2sql.validation.refusal import Refusal
from text2sql.validation.statement import Statement

_VALUES = frozenset(
    # values
    "Literal Boolean Null Tuple Interval Var HexString BitString National Introducer Concat "
    # operators
    "And Or Not Xor EQ NEQ NullSafeEQ NullSafeNEQ GT GTE LT LTE Is Between Like Glob RegexpLike Escape "
    "Add Sub Mul Div IntDiv Mod Neg Paren BitwiseAnd BitwiseOr BitwiseXor BitwiseNot BitwiseLeftShift "
    "BitwiseRightShift DPipe Collate Exists Any All Case If Binary Soundex Distinct "
    # calls with a syntax of their own, and those without parentheses
    "Anonymous Chr Extract GroupConcat JSONValue MatchAgainst StrPosition Substring Trim WeightString "
    "CurrentDate CurrentTime CurrentTimestamp Localtime Localtimestamp "
    # JSON operators and paths
    "JSONExtract JSONExtractScalar JSONArrayContains JSONPath JSONPathRoot JSONPathKey JSONPathSubscript "
    "JSONPathWildcard "
    # JSON tables
    "JSONSchema".split()
)
"""Nodes that may hold whatever sqlglot lets them hold: all of it stands in child nodes that are looked at."""

_PARTS: dict[str, frozenset[str]] = {
    name: frozenset(arguments.split())
    for name, arguments in {
        "Select": "with_ expressions distinct from_ joins where group having windows order limit offset "
        "operation_modifiers",
        "Union": "with_ this expression distinct order limit offset",
        "Intersect": "with_ this expression distinct order limit offset",
        "Except": "with_ this expression distinct order limit offset",
        "Subquery": "this alias with_ joins order limit offset",
        "With": "expressions recursive",
        "CTE": "this alias",
        "From": "this",
        "Table": "this alias db joins hints partition",
        "Join": "this on using side kind method",
        "Lateral": "this alias",
        "TableAlias": "this columns",
        "IndexTableHint": "this expressions target",
        "Partition": "expressions",
        "Where": "this",
        "Group": "expressions rollup",
        "Rollup": "expressions",
        "Having": "this",
        "Window": "this partition_by order spec alias over",
        "WindowSpec": "kind start start_side end end_side",
        "RespectNulls": "this",
        "IgnoreNulls": "this",
        "Order": "this expressions",
        "Ordered": "this desc nulls_first",
        "Limit": "expression offset",
        "Offset": "expression",
        "Fetch": "direction count limit_options",
        "In": "this expressions query",
        "Alias": "this alias",
        "Star": "",
        "Column": "this table db",
        "Identifier": "this quoted",
        "Cast": "this to",
        "DataType": "this expressions kind nullable",
        "DataTypeParam": "this",
        "JSONTable": "this schema path",
        "JSONColumnDef": "this kind path ordinality nested_schema",
    }.items()
}
"""Nodes that shape the query, each with the arguments that it may have. sqlglot keeps what a query does
besides reading (INTO, FOR UPDATE, hints) in arguments, where a look at node classes does not see it."""

_JOINS = {
    "side": frozenset(("LEFT", "RIGHT", "FULL")),
    "kind": frozenset(("INNER", "CROSS", "OUTER", "STRAIGHT_JOIN")),
    "method": frozenset(("NATURAL",)),
}
"""SEMI, ANTI and ASOF are joins elsewhere; MySQL takes the word for an alias."""

_WORD = re.compile(r"[A-Za-z0-9_]+", re.ASCII)
"""A keyword is written into the statement as it is."""

_MODIFIERS = frozenset("STRAIGHT_JOIN SQL_SMALL_RESULT SQL_BIG_RESULT SQL_BUFFER_RESULT SQL_NO_CACHE".split())
"""What may stand behind SELECT: advice to the optimizer. SQL_CALC_FOUND_ROWS would change the session."""


def allow_constructs(statement: Statement) -> Refusal | None:
    """Refuse the first node or argument that is not on the allow-list."""
    return find_refused_construct(statement.nodes)


def find_refused_construct(nodes: Iterable[exp.Expr]) -> Refusal | None:
    """Return the refusal of the first construct that may not run."""
    for node in nodes:
        name = type(node).__name__
        if name not in _VALUES:
            allowed = _PARTS.get(name)
            if allowed is None:
                return _refuse(_spoken(node))
            for argument, value in node.args.items():
                if value and argument not in allowed:
                    return _refuse(argument.strip("_").replace("_", " "))
        if what := _refused_value(node):
            return _refuse(what)
    return None


def _refused_value(node: exp.Expr) -> str | None:
    """Name what is refused of a node whose arguments are all allowed."""
    if isinstance(node, exp.Var) and not _WORD.fullmatch(node.name):
        return "a quoted keyword"
    if isinstance(node, exp.Select):
        return next((word for word in _modifiers(node) if word not in _MODIFIERS), None)
    if isinstance(node, exp.Join):
        words = ((word, str(node.args.get(word) or "").upper()) for word in _JOINS)
        return next((f"{value} JOIN" for word, value in words if value and value not in _JOINS[word]), None)
    if isinstance(node, exp.Table):
        if not isinstance(node.this, exp.Identifier | exp.JSONTable):
            return "a table function"
        return next(
            ("a table hint" for hint in _hints(node) if not isinstance(hint, exp.IndexTableHint)), None
        )
    is_odd_column = isinstance(node, exp.Column) and not isinstance(node.this, exp.Identifier | exp.Star)
    return "a column that is no name" if is_odd_column else None


def _modifiers(select: exp.Select) -> list[str]:
    return [str(getattr(word, "name", word)).upper() for word in select.args.get("operation_modifiers") or ()]


def _hints(table: exp.Table) -> list[exp.Expr]:
    return table.args.get("hints") or []


def _spoken(node: exp.Expr) -> str:
    return node.sql_name() if isinstance(node, exp.Func) else type(node).__name__


def _refuse(name: str) -> Refusal:
    return Refusal(
        reason="CONSTRUCT_NOT_ALLOWED",
        message=f"The statement uses {name}, which a read-only query may not.",
        feedback=f"Write one plain SELECT without {name}.",
    )
