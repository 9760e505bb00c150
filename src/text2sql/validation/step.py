"""ValidateSql: scan, parse, allow, resolve, doubt, limit, emit, in this order; the first refusal ends it."""

import logging

from sqlglot import exp, parse
from sqlglot.errors import ErrorLevel, SqlglotError

from text2sql.datasource.catalog import Catalog
from text2sql.errors import SqlRejected
from text2sql.messages import Dialect, SqlDraft, ValidSql
from text2sql.validation.comparisons import refuse_comparison
from text2sql.validation.constructs import refuse_construct
from text2sql.validation.grouping import refuse_ungrouped
from text2sql.validation.names import NameResolver
from text2sql.validation.quoting import quote_bare_names
from text2sql.validation.refusal import Reason, Refusal
from text2sql.validation.scan import scan

logging.getLogger("sqlglot").setLevel(logging.CRITICAL)  # its warnings quote the statement


def validate_sql(draft: SqlDraft, catalog: Catalog, row_limit: int) -> ValidSql:
    """Return the statement as emitted from its checked tree, fetching at most `row_limit` + 1 rows.

    Raises:
        SqlRejected: with the reason of the first rule that refuses it.
    """
    try:
        return _validate(draft.sql, catalog, row_limit)
    except RecursionError:
        raise SqlRejected("STATEMENT_TOO_LARGE", "The statement is nested too deeply.") from None


def _validate(sql: str, catalog: Catalog, row_limit: int) -> ValidSql:
    _refuse(scan(sql))
    tree = _parse(quote_bare_names(sql, catalog), catalog.dialect)
    _refuse(refuse_construct(tree, catalog.dialect))
    resolver = NameResolver(catalog)
    _refuse(resolver.resolve(tree))
    _refuse(refuse_ungrouped(tree, catalog.dialect))
    _refuse(refuse_comparison(tree, catalog.dialect))
    _spell_cross_joins(tree)
    changes = (*resolver.changes, *_put_limit(tree, row_limit))
    return ValidSql(
        sql=_emit(tree, catalog.dialect),
        dialect=catalog.dialect,
        tables=tuple(resolver.used),
        row_limit=row_limit,
        changes=changes,
    )


def _refuse(refusal: Refusal | None) -> None:
    if refusal:
        raise SqlRejected(refusal.reason, refusal.message, feedback=refusal.feedback)


def _reject(reason: Reason, message: str, feedback: str = "") -> SqlRejected:
    return SqlRejected(reason, message, feedback=feedback)


def _parse(sql: str, dialect: Dialect) -> exp.Query:
    try:
        trees = [tree for tree in parse(sql, read=dialect) if tree is not None]
    except SqlglotError as error:
        raise _reject("NOT_PARSED", "The statement is not valid SQL.", _where(error, sql, dialect)) from error
    if len(trees) != 1:
        raise _reject(
            "NOT_ONE_STATEMENT",
            "There must be exactly one statement." if trees else "There is no statement.",
            "Write exactly one SELECT statement.",
        )
    tree = trees[0]
    if not isinstance(tree, exp.Select | exp.SetOperation | exp.Subquery):
        raise _reject(
            "NOT_A_SELECT",
            f"Only SELECT statements may run, not {tree.key.upper()}.",
            "Write one SELECT statement; nothing may be changed.",
        )
    return tree


def _where(error: SqlglotError, sql: str, dialect: Dialect) -> str:
    if dialect == "sqlite" and "\\'" in sql:
        return "Inside a text in single quotes write a single quote twice, for example 'chef''s'."
    details = getattr(error, "errors", None)
    if not details:
        return "The SQL could not be parsed. Write one valid SELECT statement."
    near = f"{details[0].get('start_context', '')[-40:]}{details[0].get('highlight', '')}".strip()
    return f"The SQL could not be parsed near: {near}" if near else "The SQL could not be parsed."


def _spell_cross_joins(tree: exp.Query) -> None:
    """Keep `a JOIN b JOIN c ON …` from being emitted with a comma, which binds less tightly than JOIN."""
    for select in tree.find_all(exp.Select):
        joins = select.args.get("joins") or []
        if any(join.side in {"RIGHT", "FULL"} for join in joins):
            continue  # beside an outer join to the right the two spellings differ in meaning
        for join in joins:
            if not (join.args.get("on") or join.args.get("using") or join.kind or join.side or join.method):
                join.set("kind", "CROSS")


def _put_limit(tree: exp.Query, row_limit: int) -> tuple[str, ...]:
    limit = tree.args.get("limit")
    if limit is None:
        tree.set("limit", exp.Limit(expression=exp.Literal.number(row_limit + 1)))
        return (f"At most {row_limit:,} rows are returned.",)
    count = limit.args.get("count") if isinstance(limit, exp.Fetch) else limit.expression
    if not (isinstance(count, exp.Literal) and count.is_int):
        raise _reject("CONSTRUCT_NOT_ALLOWED", "LIMIT must be a whole number.", "Write LIMIT with a number.")
    if int(count.this) <= row_limit:
        return ()
    tree.set("limit", exp.Limit(expression=exp.Literal.number(row_limit + 1)))
    return (f"LIMIT {count.this} was lowered to {row_limit:,} rows.",)


def _emit(tree: exp.Query, dialect: Dialect) -> str:
    try:
        sql = tree.sql(dialect=dialect, comments=False, pretty=True, unsupported_level=ErrorLevel.RAISE)
        again = parse(sql, read=dialect)
    except SqlglotError as error:
        raise _reject("NOT_EMITTED", "The statement cannot be written anew.") from error
    if len(again) != 1 or again[0] is None or refuse_construct(again[0], dialect):
        raise _reject("NOT_EMITTED", "The statement changes when it is written anew.")
    if again[0].sql(dialect=dialect, comments=False, pretty=True) != sql:
        raise _reject("NOT_EMITTED", "The statement changes when it is written anew.")
    return sql
