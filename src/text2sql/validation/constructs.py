"""The allow-list of what a statement may be made of; anything that is not named here is refused."""

from sqlglot import exp

from text2sql.messages import Dialect
from text2sql.validation.functions import ALLOWED_CALLS, ALLOWED_FUNCTIONS, INSTEAD
from text2sql.validation.refusal import Refusal

_NODES = frozenset(
    # the query
    "Select Union Intersect Except Subquery CTE With From Join Where Group Having Order Ordered Limit Offset "
    "Fetch Distinct Alias TableAlias Table Column Identifier Star Rollup "
    # windows
    "Window WindowSpec RespectNulls IgnoreNulls "
    # values
    "Literal Boolean Null Tuple Array Interval Var HexString BitString National DataType DataTypeParam "
    # operators
    "And Or Not Xor EQ NEQ NullSafeEQ NullSafeNEQ GT GTE LT LTE Is In Between Like Glob RegexpLike Escape "
    "Add Sub Mul Div IntDiv Mod Neg Paren BitwiseAnd BitwiseOr BitwiseXor BitwiseNot BitwiseLeftShift "
    "BitwiseRightShift DPipe Collate Exists Any All Case If Binary SimilarTo "
    # JSON paths
    "JSONPath JSONPathRoot JSONPathKey JSONPathSubscript JSONPathWildcard JSONKeyValue".split()
)

_REFUSED_ARGS = (
    "into", "locks", "hint", "hints", "kind", "operation_modifiers", "options", "sample", "version", "when",
    "partition", "only", "ordinality", "rows_from", "changes", "pivots", "laterals", "match", "connect",
    "settings", "format", "prewhere", "cluster", "distribute", "sort", "qualify", "temporary", "joins_hint",
)  # fmt: skip
"""sqlglot keeps these as arguments of a node, where a walk over node classes does not see them."""


def refuse_construct(tree: exp.Expr, dialect: Dialect) -> Refusal | None:
    """Refuse the first node, argument or function that is not on the allow-list."""
    for node in tree.walk():
        name = type(node).__name__
        if isinstance(node, exp.Func) and (refusal := _refuse_call(node, dialect)):
            return refusal
        if not isinstance(node, exp.Func) and name not in _NODES:
            return _refuse_node(name)
        if refused := _refused_argument(node):
            return _refuse_node(refused)
    return None


def _refuse_call(node: exp.Func, dialect: Dialect) -> Refusal | None:
    if isinstance(node, exp.Anonymous | exp.AnonymousAggFunc):
        name, allowed = node.name.upper(), node.name.upper() in ALLOWED_CALLS
    else:
        kind = type(node).__name__
        name, allowed = node.sql_name().upper(), kind in ALLOWED_FUNCTIONS or kind in _NODES
    instead = INSTEAD[dialect].get(name, "")
    if allowed and not instead:
        return None
    return Refusal(
        reason="FUNCTION_NOT_ALLOWED",
        message=f"The function {name} is not on the list of allowed functions.",
        feedback=f"Do not use {name}. {instead or 'It is not available: use plain SQL functions.'}",
    )


def _refused_argument(node: exp.Expr) -> str | None:
    if isinstance(node, exp.Select | exp.SetOperation | exp.Table | exp.Subquery):
        for name in _REFUSED_ARGS:
            if node.args.get(name):
                return name.replace("_", " ")
    if isinstance(node, exp.With) and node.args.get("recursive"):
        return "WITH RECURSIVE"
    if isinstance(node, exp.Join) and (node.args.get("hint") or node.args.get("pivots")):
        return "join hint"
    if isinstance(node, exp.Table) and not isinstance(node.this, exp.Identifier):
        return "table function"
    return None


def _refuse_node(name: str) -> Refusal:
    return Refusal(
        reason="CONSTRUCT_NOT_ALLOWED",
        message=f"The statement uses {name}, which a read-only query may not.",
        feedback=f"Write one plain SELECT without {name}.",
    )
