"""ExecuteSql: hands a validated statement, and nothing else, to the database."""

from threading import Event

from text2sql.execution.port import Database, QueryLimits
from text2sql.messages import ResultSet, ValidSql


def execute_sql(
    valid: ValidSql, database: Database, limits: QueryLimits, cancelled: Event | None = None
) -> ResultSet:
    """Return at most `valid.row_limit` rows; another thread may set `cancelled`.

    Raises:
        QueryFailed, QueryTimedOut, QueryTooExpensive, QueryCancelled, DatabaseError: as the port says.
    """
    return database.query(valid.sql, limits.model_copy(update={"rows": valid.row_limit}), cancelled)
