"""ValidateSql: a draft goes through the rules in their order; the first refusal ends it."""

from text2sql.datasource.policy.access import Access
from text2sql.errors import SqlRejected
from text2sql.messages import SqlDraft, ValidSql
from text2sql.validation.refusal import Refusal
from text2sql.validation.rules import RULES
from text2sql.validation.statement import Statement


def validate_sql(draft: SqlDraft, access: Access, row_limit: int) -> ValidSql:
    """Return the statement as emitted from its checked tree, fetching at most `row_limit` + 1 rows.

    Raises:
        SqlRejected: with the reason of the first rule that refuses it.
    """
    statement = Statement(draft.sql, access, row_limit)
    refusal = _first_refusal(statement)
    if refusal:
        raise SqlRejected(refusal.reason, refusal.message, feedback=refusal.feedback)
    return ValidSql(
        sql=statement.sql,
        dialect=statement.dialect,
        tables=tuple(dict.fromkeys(table.name for _, table in statement.tables)),
        row_limit=row_limit,
        changes=tuple(statement.changes),
    )


def _first_refusal(statement: Statement) -> Refusal | None:
    try:
        return next((refusal for rule in RULES if (refusal := rule(statement))), None)
    except RecursionError:
        return Refusal(reason="STATEMENT_TOO_LARGE", message="The statement is nested too deeply.")
