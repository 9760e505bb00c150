"""How a run can end, as the fields of the reply that says so; `pipeline` and RecordOutcome share them."""

from collections.abc import Sequence

from text2sql.errors import Text2SqlError
from text2sql.messages import (
    Answer,
    Clarification,
    Declined,
    Executed,
    Failure,
    Feedback,
)

Ending = dict[str, object]
"""Fields of a `Reply`: `outcome`, `sentence`, and what else this outcome has."""

_UNKNOWN_NAMES = frozenset({"UNKNOWN_TABLE", "UNKNOWN_COLUMN"})


def blocked(message: str) -> Ending:
    """The guardrail did not let the question through."""
    return {"outcome": "blocked", "sentence": message}


def answered(executed: Executed, answer: Answer) -> Ending:
    """There are rows, though perhaps none matched, or the rows are a guess that is not shown."""
    if answer.is_guess:
        return {"outcome": "declined", "sentence": answer.sentence, "checks": answer.checks}
    valid, result = executed.valid, executed.result
    return {
        "outcome": "answered",
        "sql": valid.sql,
        "draft": valid.draft,
        "columns": result.columns,
        "rows": result.rows,
        "truncated": result.truncated,
        "sentence": answer.sentence,
        "certain": answer.certain,
        "chart": answer.chart,
        "checks": answer.checks,
    }


def not_drafted(generation: Clarification | Declined) -> Ending:
    """The model asks back, or says that the database does not hold the answer."""
    if isinstance(generation, Declined):
        return {"outcome": "declined", "sentence": generation.reason}
    return {
        "outcome": "clarification_needed",
        "sentence": generation.question,
        "choices": generation.choices,
    }


def gave_up(feedback: Sequence[Feedback], message: str) -> Ending:
    """No draft would do; it counts as declined when each looked for something that the database has not.

    `message` says what was wrong with the last one.
    """
    if all(item.code in _UNKNOWN_NAMES for item in feedback):
        sentence = f"The database does not seem to hold what this question needs. {message}"
        return {"outcome": "declined", "sentence": sentence}
    return failed(
        Failure(
            code="NO_VALID_SQL",
            message=f"No usable SQL came of {len(feedback)} attempts. {message}",
            remedy="Ask it in other words, or name the tables and columns you mean.",
        )
    )


def refused(failure: Failure) -> Ending:
    """The statement that the person wrote may not run, or did not."""
    remedy = failure.remedy or "Change the statement, or leave it out and let the model write one."
    return failed(failure.model_copy(update={"remedy": remedy}))


def failed(failure: Failure) -> Ending:
    """A step could not do its work."""
    return {"outcome": "failed", "sentence": failure.message, "error": failure}


def failure_of(error: Text2SqlError) -> Failure:
    """Return what is told of an error of ours."""
    return Failure(code=error.code, message=error.message, remedy=error.remedy)


def broken() -> Failure:
    """What is told of an error that nobody expects; its own text goes to the log alone."""
    return Failure(
        code="INTERNAL_ERROR",
        message="Something broke inside text2sql.",
        remedy="Run again with TEXT2SQL_LOG=debug and report what it prints.",
    )
