"""ExecuteSql: hands validated statements, and nothing else, to the database, and lets their rows vote."""

import time
from threading import Event

from text2sql.errors import QueryFailed, QueryTimedOut, QueryTooExpensive, SchemaChanged, Text2SqlError
from text2sql.execution.election import Election
from text2sql.execution.port import Database, QueryLimits
from text2sql.messages import Executed, ResultSet, ValidSql

SLOW_SECONDS = 1.0
"""Up to here all statements run, for how many agree tells how certain the answer is."""
LEAST_SECONDS = 0.1
_OF_THE_STATEMENT = (QueryFailed, QueryTimedOut, QueryTooExpensive, SchemaChanged)


def execute_sql(
    valid: ValidSql, database: Database, limits: QueryLimits, cancelled: Event | None = None
) -> Executed:
    """Return at most `valid.row_limit` rows; another thread may set `cancelled`.

    Where there are alternatives, those rows win to which most drafts came. All together they may take the
    time of one, and when they are slow none is run that can no longer change who wins.

    Raises:
        QueryFailed, QueryTimedOut, QueryTooExpensive, SchemaChanged, QueryCancelled, DatabaseError: as the
            port says; of several statements, when none of them ran.
    """
    started = time.monotonic()
    election = Election(valid)
    failures: list[Text2SqlError] = []
    for candidate in (valid, *valid.alternatives):
        spent = time.monotonic() - started
        if spent > SLOW_SECONDS and election.is_decided():
            break
        left = max(limits.seconds - spent, LEAST_SECONDS)
        try:
            result = _run(candidate, database, limits.model_copy(update={"seconds": left}), cancelled)
        except _OF_THE_STATEMENT as error:
            failures.append(error)
            election.fail(candidate)
        else:
            election.count(candidate, result)
    executed = election.winner()
    if executed is None:
        raise failures[0]
    return executed


def _run(valid: ValidSql, database: Database, limits: QueryLimits, cancelled: Event | None) -> ResultSet:
    return database.query(valid.sql, limits.model_copy(update={"rows": valid.row_limit}), cancelled)
