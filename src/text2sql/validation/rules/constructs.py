"""The allow-list of what a statement may be made of; anything that is not named here is refused."""

import re
from collections.abc import Callable, Iterable

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
        look = _LOOKS.get(type(node))
        if look and (what := look(node)):
            return _refuse(what)
    return None


# What is refused of a node whose arguments are all allowed.


def _look_at_word(word: exp.Expr) -> str | None:
    return None if _WORD.fullmatch(word.name) else "a quoted keyword"


def _look_at_column(column: exp.Expr) -> str | None:
    return None if isinstance(column.this, exp.Identifier | exp.Star) else "a column that is no name"


def _look_at_subquery(subquery: exp.Expr) -> str | None:
    is_named_table = isinstance(subquery.this, exp.Table) and subquery.alias
    return "an alias of a table in parentheses" if is_named_table else None


def _look_at_collate(collate: exp.Expr) -> str | None:
    """`BINARY x COLLATE y` is taken for a CAST that is collated, which servers refuse.

    A COLLATE inside is looked at by itself, so that each part is looked at once.
    """
    parts = collate.this.walk(prune=lambda part: isinstance(part, exp.Collate))
    is_binary = any(isinstance(part, exp.Cast) and part.to.is_type(exp.DType.BINARY) for part in parts)
    return "COLLATE behind BINARY" if is_binary else None


def _look_at_select(select: exp.Expr) -> str | None:
    modifiers = select.args.get("operation_modifiers") or ()
    words = (str(getattr(word, "name", word)).upper() for word in modifiers)
    return next((word for word in words if word not in _MODIFIERS), None)


def _look_at_join(join: exp.Expr) -> str | None:
    words = ((part, str(join.args.get(part) or "").upper()) for part in _JOINS)
    return next((f"{word} JOIN" for part, word in words if word and word not in _JOINS[part]), None)


def _look_at_table(table: exp.Expr) -> str | None:
    if not isinstance(table.this, exp.Identifier | exp.JSONTable):
        return "a table function"
    hints = table.args.get("hints") or ()
    return None if all(isinstance(hint, exp.IndexTableHint) for hint in hints) else "a table hint"


_LOOKS: dict[type[exp.Expr], Callable[[exp.Expr], str | None]] = {
    exp.Var: _look_at_word,
    exp.Column: _look_at_column,
    exp.Subquery: _look_at_subquery,
    exp.Collate: _look_at_collate,
    exp.Select: _look_at_select,
    exp.Join: _look_at_join,
    exp.Table: _look_at_table,
}


def _spoken(node: exp.Expr) -> str:
    return node.sql_name() if isinstance(node, exp.Func) else type(node).__name__


def _refuse(name: str) -> Refusal:
    return Refusal(
        reason="CONSTRUCT_NOT_ALLOWED",
        message=f"The statement uses {name}, which a read-only query may not.",
        feedback=f"Write one plain SELECT without {name}.",
    )
