"""The rows written so far, table by table."""

from __future__ import annotations

from shop_schema import TABLES, Row, Value


class Ledger:
    """Collects rows; a row's primary key is its place in its table, from 1."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Row]] = {table.name: [] for table in TABLES}

    def add(self, table: str, *values: Value) -> int:
        """Append a row given without its primary key, and return that key."""
        rows = self.rows[table]
        key = len(rows) + 1
        rows.append((key, *values))
        return key
