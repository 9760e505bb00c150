"""The gate before a statement runs: what its plan says it takes, against what the datasource allows.

A plan is an estimate. What it gets wrong, or does not show, ends at the statement's time limit.
"""

from text2sql.errors import QueryTooExpensive
from text2sql.execution.port import QueryLimits
from text2sql.execution.statement import stops_at_its_limit
from text2sql.messages import Dialect, Message

UNKNOWN_ROWS = 1_000
"""What a subquery's own result counts as, at most: plans guess its size from before it is grouped."""


class Estimate(Message):
    """What a plan expects a statement to take."""

    scan_rows: int = 0
    """Rows that are read: a scanned table counts once, a lookup as often as it is done."""
    join_rows: int = 0
    """Combinations of rows that scans inside of loops go through."""
    tables: int = 0


def refuse_expensive(estimate: Estimate, sql: str, dialect: Dialect, limits: QueryLimits) -> None:
    """Refuse a statement whose plan is above the limits.

    Raises:
        QueryTooExpensive: with the numbers, and the settings that hold the limits.
    """
    if estimate.tables <= 1 and stops_at_its_limit(sql, dialect):
        return
    if estimate.scan_rows > limits.scan_rows:
        raise QueryTooExpensive(
            f"The statement would read about {estimate.scan_rows:,} rows; {limits.scan_rows:,} are allowed.",
            remedy="Ask for less, for example for a shorter time, or raise TEXT2SQL_SCAN_ROWS.",
        )
    if estimate.join_rows > limits.join_rows:
        raise QueryTooExpensive(
            f"The statement would compare about {estimate.join_rows:,} combinations of rows; "
            f"{limits.join_rows:,} are allowed.",
            remedy="Ask for less, join the tables by indexed columns, or raise TEXT2SQL_JOIN_ROWS.",
        )


class Tally:
    """Adds up an estimate while somebody walks a plan."""

    def __init__(self) -> None:
        self._scanned = 0.0
        self._joined = 0.0
        self._tables = 0

    def scan(self, rows: float, times: float) -> None:
        """Count a table that is read from end to end, and compared with `times` rows before it."""
        self._tables += 1
        self._scanned += rows
        self._joined += rows * times

    def read(self, rows: float) -> None:
        """Count rows that are read without being compared with all those before."""
        self._tables += 1
        self._scanned += rows

    @property
    def estimate(self) -> Estimate:
        """What was counted so far."""
        return Estimate(scan_rows=round(self._scanned), join_rows=round(self._joined), tables=self._tables)
