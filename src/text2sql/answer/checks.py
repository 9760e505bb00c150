"""The reasons to trust an answer or to doubt it; each is something that was looked at."""

from collections.abc import Iterable

from text2sql.answer.certainty import is_certain, is_mostly_unknown
from text2sql.messages import Check, Context, Coverage, Executed, ResultSet, Screening, ValidSql


def list_checks(
    executed: Executed,
    repairs: int,
    context: Context,
    screening: Screening,
) -> tuple[Check, ...]:
    """Return the checks in the order in which the steps did them."""
    valid, result = executed.valid, executed.result
    checks = [
        _check_statement(valid),
        Check(
            name="tables and columns exist",
            passed=True,
            detail=f"Reads {_join(valid.tables)}." if valid.tables else "Reads no table.",
        ),
        _check_complete(valid, result),
        _check_rows(result),
        _check_repairs(valid, repairs),
        *_check_certainty(executed, context.coverage),
        *_check_words(context.coverage),
        *_check_asked(valid),
    ]
    if verified := valid.verified:
        detail = f"{verified.approved_by} approved it for this question on {verified.approved_on}."
        checks.append(Check(name="verified query", passed=True, detail=detail))
    elif context.passages:
        sources = _join(passage.source for passage in context.passages)
        checks.append(Check(name="knowledge used", passed=True, detail=f"The model was told: {sources}."))
    masked = [finding.kind for finding in screening.findings if finding.action == "masked"]
    if masked:
        detail = f"Hidden from the model: {_join(masked)}."
        checks.append(Check(name="question masked", passed=True, detail=detail))
    return tuple(checks)


def _check_repairs(valid: ValidSql, repairs: int) -> Check:
    if valid.by_person:
        detail = "You wrote the statement; whether it answers the question was not looked at."
        return Check(name="your own statement", passed=True, detail=detail)
    if not repairs:
        return Check(name="repairs", passed=True, detail="The first draft ran.")
    detail = f"The model needed {repairs} {'repair' if repairs == 1 else 'repairs'}."
    return Check(name="repairs", passed=False, detail=detail)


def _check_statement(valid: ValidSql) -> Check:
    changes = " ".join(change.rstrip(".") + "." for change in valid.changes)
    detail = "It was parsed and checked; the database got a text written anew from it."
    return Check(name="one read-only SELECT", passed=True, detail=f"{detail} {changes}".rstrip())


def _check_complete(valid: ValidSql, result: ResultSet) -> Check:
    if result.truncated:
        size = ", which are as large as an answer may be" if result.cut_by == "bytes" else ""
        detail = f"Cut after {len(result.rows):,} rows{size}; totals and rankings may miss what follows."
        return Check(name="complete", passed=False, detail=detail)
    detail = f"The database had no more rows; the limit is {valid.row_limit:,}."
    return Check(name="complete", passed=True, detail=detail)


def _check_rows(result: ResultSet) -> Check:
    if not result.rows:
        detail = "No row matches; a name or a date of the question may be stored differently."
    elif all(cell is None for row in result.rows for cell in row):
        detail = "Every cell is null; probably nothing matched."
    else:
        count = len(result.rows)
        return Check(name="rows found", passed=True, detail=f"{count:,} {'row' if count == 1 else 'rows'}.")
    return Check(name="rows found", passed=False, detail=detail)


def _check_certainty(executed: Executed, coverage: Coverage) -> tuple[Check, ...]:
    """Return one check, or none where nothing is known: one draft of a model that does not tell."""
    vote, probability = executed.vote, executed.valid.probability
    if vote.drafts > 1:
        detail = f"{vote.agreeing} of {vote.drafts} drafts came to these rows."
    elif probability is not None:
        detail = f"The model held each word of its draft for {probability:.0%} likely, on average."
    else:
        return ()
    return (Check(name="certain", passed=is_certain(executed, coverage), detail=detail),)


def _check_words(coverage: Coverage) -> tuple[Check, ...]:
    """Return a check that fails, or none where enough of the question is known."""
    if not is_mostly_unknown(coverage):
        return ()
    detail = f"Nothing in this database is called {_join(coverage.unknown)}."
    return (Check(name="words known", passed=False, detail=detail),)


def _check_asked(valid: ValidSql) -> tuple[Check, ...]:
    """Return a check that fails, or none where nothing speaks against the statement."""
    if not valid.unmet:
        return ()
    return (Check(name="does what the question says", passed=False, detail=valid.unmet),)


def _join(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names))
