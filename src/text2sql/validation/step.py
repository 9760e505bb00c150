"""ValidateSql: a draft goes through the rules in their order; the first refusal ends it."""

from collections import Counter

from text2sql.datasource.policy.access import Access
from text2sql.errors import SqlRejected
from text2sql.messages import SqlDraft, ValidSql
from text2sql.validation.literals import compared_texts
from text2sql.validation.refusal import Refusal
from text2sql.validation.rules import RULES
from text2sql.validation.statement import Statement


def validate_sql(draft: SqlDraft, access: Access, row_limit: int) -> ValidSql:
    """Return the statement as emitted from its checked tree, fetching at most `row_limit` + 1 rows.

    The draft's alternatives that pass come with it; where it does not pass itself, they come instead.

    Raises:
        SqlRejected: with the reason of the first rule that refuses the draft; no alternative passes either.
    """
    passed: dict[str, ValidSql] = {}
    votes = Counter[str]()
    refused: list[SqlRejected] = []
    for text in (draft.sql, *draft.alternatives):
        try:
            valid = _validate(text, access, row_limit)
        except SqlRejected as rejected:
            refused.append(rejected)
        else:
            votes[valid.sql] += 1
            passed.setdefault(valid.sql, valid)
    if not passed:
        raise refused[0]
    first, *others = (valid.model_copy(update={"votes": votes[sql]}) for sql, valid in passed.items())
    others.sort(key=lambda valid: -valid.votes)
    return first.model_copy(
        update={
            "probability": draft.probability,
            "verified": draft.verified,
            "refused": len(refused),
            "alternatives": tuple(others),
        }
    )


def _validate(text: str, access: Access, row_limit: int) -> ValidSql:
    statement = Statement(text, access, row_limit)
    refusal = _first_refusal(statement)
    if refusal:
        raise SqlRejected(refusal.reason, refusal.message, feedback=refusal.feedback)
    return ValidSql(
        draft=text,
        sql=statement.sql,
        dialect=statement.dialect,
        tables=tuple(dict.fromkeys(table.name for _, table in statement.tables)),
        row_limit=row_limit,
        changes=tuple(statement.changes),
        compared=compared_texts(statement),
    )


def _first_refusal(statement: Statement) -> Refusal | None:
    try:
        return next((refusal for rule in RULES if (refusal := rule(statement))), None)
    except RecursionError:
        return Refusal(reason="STATEMENT_TOO_LARGE", message="The statement is nested too deeply.")
