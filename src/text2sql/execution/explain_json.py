"""Reads the JSON plans of MySQL (in its first format) and MariaDB, which are cousins; asks no server."""

import json
import re
from typing import Any

from text2sql.execution.explain import UNKNOWN_ROWS, Estimate, Tally

_SCANS = frozenset({"ALL", "index"})
_MATERIALIZED = frozenset({"materialized_from_subquery", "materialized"})
_EQUAL_COLUMNS = re.compile(r"`([^`]+)`\.`[^`]+` = (?:`[^`]+`\.)?`([^`]+)`\.`[^`]+`")


def estimate_json(text: str) -> Estimate | None:
    """Return what the plan expects; None where it cannot be read."""
    try:
        walk = _Walk()
        walk.visit(json.loads(text), 1.0)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    return walk.tally.estimate


class _Walk:
    """Walks a plan in the order of its loops."""

    def __init__(self) -> None:
        self.tally = Tally()

    def visit(self, node: dict[str, Any], times: float) -> float:
        """Count what `node` does when it is done `times` times; return how many rows leave it in all."""
        leaving = times
        for key, child in node.items():
            if key == "table":
                leaving = self._table(child, leaving, hashed=_is_hashed(child, node))
            elif key == "nested_loop":
                for each in child:
                    leaving = self.visit(each, leaving)
            elif key == "query_specifications":
                leaving = sum(self.visit(each, times) for each in child)
            elif key.endswith("subqueries"):
                for each in child:
                    self.visit(each, leaving if _is_dependent(each) else 1.0)
            elif key in _MATERIALIZED:
                self.visit(child, 1.0)
            elif isinstance(child, dict):
                leaving = self.visit(child, leaving)
        return leaving

    def _table(self, table: dict[str, Any], times: float, *, hashed: bool) -> float:
        if "message" in table:  # there is nothing to read, for example behind an impossible WHERE
            return times
        rows = float(table.get("rows_examined_per_scan", table.get("rows", 0)))
        if str(table.get("table_name")).startswith("<") or not _MATERIALIZED.isdisjoint(table):
            rows = min(rows, UNKNOWN_ROWS)
        leaving = times * rows * float(table.get("filtered", 100)) / 100
        if table.get("access_type") not in _SCANS:
            self.tally.read(rows * times)
        elif hashed:
            # Each side is read once; by a key, no more rows match than the larger side has.
            self.tally.read(rows)
            leaving = max(rows, times)
        else:
            self.tally.scan(rows, times)
        self.visit(table, times * rows)  # its subqueries, and what it is made of
        return leaving


def _is_dependent(subquery: dict[str, Any]) -> bool:
    """Tell whether it runs for each row: MySQL says so, MariaDB puts a cache before it."""
    return bool(subquery.get("dependent", "expression_cache" in subquery))


def _is_hashed(table: dict[str, Any], join: dict[str, Any]) -> bool:
    """Tell whether a hash of equal values finds the matches; MySQL calls a join without a key so too."""
    condition = str(table.get("attached_condition", ""))
    equal = any(one != other for one, other in _EQUAL_COLUMNS.findall(condition))
    return join.get("join_type") == "BNLH" or (equal and table.get("using_join_buffer") == "hash join")
