"""Whether verified queries still hold: on the database as it is, and with the model as it is."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from threading import Event
from typing import Literal, TypeAlias

from text2sql.datasource.policy.access import Access
from text2sql.errors import DatabaseError, SqlRejected, Text2SqlError
from text2sql.evaluation.judging import ROWS, LeftOpen, judge
from text2sql.evaluation.questions import GoldQuestion
from text2sql.execution.step import execute_sql
from text2sql.messages import VerifiedQuery
from text2sql.pipeline import Services
from text2sql.retrieval.time_words import explain_time_words
from text2sql.retrieval.verified import VerifiedIndex, read_verified

Standing: TypeAlias = Literal["holds", "does_not_run", "differs", "open"]
"""`differs` when the model comes to other rows, `open` when it could not be asked."""


@dataclass(frozen=True)
class Checked:
    """What became of one verified query."""

    query: VerifiedQuery
    standing: Standing
    detail: str
    """The reason in words, or how many rows there are."""


def check_all(services: Services, *, ask_model: bool) -> Iterator[Checked]:
    """Yield what becomes of each verified query, for somebody who may see all.

    Raises:
        DatabaseError: the database cannot be used at all.
    """
    for query in services.verified.queries():
        checked = check_one(query, services)
        yield _ask(query, services) if ask_model and checked.standing == "holds" else checked


def check_one(query: VerifiedQuery, services: Services) -> Checked:
    """Run the statement as the product would.

    Raises:
        DatabaseError: the database cannot be used at all.
    """
    try:
        valid = read_verified(query, Access(catalog=services.catalog()), services.limits.rows)
        count = len(execute_sql(valid, services.database, services.limits).result.rows)
    except DatabaseError:
        raise
    except SqlRejected as error:
        return Checked(query, "does_not_run", f"{error.message} [{error.reason}]")
    except Text2SqlError as error:
        return Checked(query, "does_not_run", f"{error.message} [{error.code}]")
    detail = f"{count:,} {'row' if count == 1 else 'rows'}"
    if explain_time_words(query.question, services.today):
        detail += "; only an example to the model, for its time counts from the day of the question"
    return Checked(query, "holds", detail)


def _ask(query: VerifiedQuery, services: Services) -> Checked:
    """Ask the question while nobody knows of its own query, and compare the rows."""
    others = tuple(each for each in services.verified.queries() if each is not query)
    asked = replace(
        services,
        policy=None,
        verified=VerifiedIndex(lambda: others),
        limits=services.limits.model_copy(update={"rows": ROWS}),
    )
    judged = judge(GoldQuestion(database="", question=query.question, sql=query.sql), asked, Event())
    if isinstance(judged, LeftOpen):
        return Checked(query, "open", f"{judged.why.message} [{judged.why.code}]")
    if judged.correct:
        return Checked(query, "holds", "The model comes to the same rows.")
    wrote = f" It wrote: {judged.sql}" if judged.sql else ""
    return Checked(query, "differs", f"The model does not come to the same rows: {judged.failure}.{wrote}")
