"""ValidateSql: a draft goes through the rules in their order; the first refusal ends it."""

from collections import Counter
from functools import partial
from typing import Protocol

from text2sql.datasource.policy.access import Access
from text2sql.errors import SqlRejected
from text2sql.messages import SqlDraft, ValidSql
from text2sql.validation.literals import compared_texts
from text2sql.validation.refusal import Refusal
from text2sql.validation.rules import RULES
from text2sql.validation.statement import Statement


class _Check(Protocol):
    def __call__(self, text: str, *, is_first: bool) -> ValidSql | Refusal: ...


def validate_sql(
    draft: SqlDraft, access: Access, row_limit: int, question: str = "", *, is_first: bool = False
) -> ValidSql:
    """Return the statement as emitted from its checked tree, fetching at most `row_limit` + 1 rows.

    The draft's alternatives that pass come with it; where it does not pass itself, they come instead. One
    that does not pass for its names has a vote if these can be read otherwise. A first draft is held to
    more: it does not pass where it most likely means something else, or does not do what the question asks
    for in so many words. What a person approved or wrote is compared with no question, and read as it is.

    Raises:
        SqlRejected: with the reason of the first rule that refuses the draft; no alternative passes either.
    """
    if draft.verified or draft.by_person:
        question = ""
    is_first = is_first and not draft.by_person
    check = partial(_check, access=access, row_limit=row_limit, question=question)
    passed: dict[str, ValidSql] = {}
    votes = Counter[str]()
    refused: list[tuple[str, Refusal]] = []
    for text in (draft.sql, *draft.alternatives):
        checked = check(text, is_first=is_first)
        if isinstance(checked, Refusal):
            refused.append((text, checked))
        else:
            votes[checked.sql] += 1
            passed.setdefault(checked.sql, checked)
    if not passed:  # so what a person wrote is never read otherwise
        _, refusal = refused[0]
        raise SqlRejected(refusal.reason, refusal.message, feedback=refusal.feedback)
    read_otherwise = [_read_otherwise(text, access, check) for text, _ in refused]
    for reading in filter(None, read_otherwise):
        votes[reading.sql] += 1
        passed.setdefault(reading.sql, reading)
    first, *others = (valid.model_copy(update={"votes": votes[sql]}) for sql, valid in passed.items())
    others.sort(key=lambda valid: -valid.votes)
    return first.model_copy(
        update={
            "probability": draft.probability,
            "verified": draft.verified,
            "by_person": draft.by_person,
            "refused": read_otherwise.count(None),
            "alternatives": tuple(others),
        }
    )


def _read_otherwise(text: str, access: Access, check: _Check) -> ValidSql | None:
    """Return what passes when each name that does not resolve is moved to the only place that has it."""
    from text2sql.validation.resolution import read_otherwise

    reading = read_otherwise(text, access)
    if reading is None:
        return None
    sql, changes = reading
    checked = check(sql, is_first=False)
    if isinstance(checked, Refusal):
        return None
    return checked.model_copy(
        update={"draft": text, "is_other_reading": True, "changes": (*changes, *checked.changes)}
    )


def _check(text: str, *, access: Access, row_limit: int, question: str, is_first: bool) -> ValidSql | Refusal:
    from text2sql.validation.lone_groups import find_lone_groups
    from text2sql.validation.unmet import find_unmet

    statement = Statement(text, access, row_limit)
    refusal = _first_refusal(statement) or (find_lone_groups(statement) if is_first else None)
    if refusal:
        return refusal
    unmet = find_unmet(question, statement) if question else None
    if unmet and is_first:
        return unmet
    rules = access.rules
    return ValidSql(
        draft=text,
        sql=statement.sql,
        dialect=statement.dialect,
        tables=tuple(dict.fromkeys(table.name for _, table in statement.tables)),
        row_limit=row_limit,
        changes=tuple(statement.changes),
        compared=compared_texts(statement),
        unmet=unmet.message if unmet else "",
        masks_personal_data=bool(rules)
        and any(rules[table.key].masks_personal_data for _, table in statement.tables),
    )


def _first_refusal(statement: Statement) -> Refusal | None:
    try:
        return next((refusal for rule in RULES if (refusal := rule(statement))), None)
    except RecursionError:
        return Refusal(reason="STATEMENT_TOO_LARGE", message="The statement is nested too deeply.")
