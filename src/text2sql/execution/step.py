"""ExecuteSql: hands a validated statement, and nothing else, to the database."""

from text2sql.execution.port import Database, QueryLimits
from text2sql.messages import ResultSet, ValidSql


def execute_sql(valid: ValidSql, database: Database, limits: QueryLimits) -> ResultSet:
    """Return at most `valid.row_limit` rows.

    Raises:
        QueryFailed, QueryTimedOut, QueryTooExpensive, DatabaseError: as the port says.
    """
    return database.query(valid.sql, limits.model_copy(update={"rows": valid.row_limit}))
