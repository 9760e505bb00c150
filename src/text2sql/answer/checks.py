"""The reasons to trust an answer or to doubt it; each is something that was looked at."""

from collections.abc import Iterable

from text2sql.messages import Check, Passage, ResultSet, Screening, ValidSql


def list_checks(
    valid: ValidSql,
    result: ResultSet,
    repairs: int,
    passages: tuple[Passage, ...],
    screening: Screening,
) -> tuple[Check, ...]:
    """Return the checks in the order in which the steps did them."""
    checks = [
        _check_statement(valid),
        Check(
            name="tables and columns exist",
            passed=True,
            detail=f"Reads {_join(valid.tables)}." if valid.tables else "Reads no table.",
        ),
        _check_complete(valid, result),
        _check_rows(result),
        Check(
            name="repairs",
            passed=repairs == 0,
            detail=f"The model needed {repairs} {'repair' if repairs == 1 else 'repairs'}."
            if repairs
            else "The first draft ran.",
        ),
    ]
    if passages:
        sources = _join(passage.source for passage in passages)
        checks.append(Check(name="knowledge used", passed=True, detail=f"The model was told: {sources}."))
    masked = [finding.kind for finding in screening.findings if finding.action == "masked"]
    if masked:
        detail = f"Hidden from the model: {_join(masked)}."
        checks.append(Check(name="question masked", passed=True, detail=detail))
    return tuple(checks)


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


def _join(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names))
