"""What differs between MySQL 8 and later and MariaDB; the only module that knows which is which."""

import re
from typing import Literal

from text2sql.execution.recursion import RECURSION_STEPS
from text2sql.messages import Dialect, Message


class Flavour(Message):
    """One server product and its release."""

    product: Literal["MySQL", "MariaDB"]
    version: tuple[int, ...]

    @property
    def server(self) -> str:
        """The product and its version for people."""
        return f"{self.product} {'.'.join(map(str, self.version))}"

    @property
    def is_mariadb(self) -> bool:
        """Whether this is MariaDB."""
        return self.product == "MariaDB"

    @property
    def dialect(self) -> Dialect:
        """The SQL that it speaks."""
        return "mariadb" if self.is_mariadb else "mysql"

    def statement_limit(self, seconds: float) -> str:
        """Return the assignment that limits each following SELECT of the session; at least a millisecond."""
        if self.is_mariadb:
            return f"max_statement_time = {max(seconds, 0.001):.3f}"
        return f"max_execution_time = {max(round(seconds * 1000), 1)}"

    @property
    def recursion_limit(self) -> str:
        """The assignment that limits recursive CTEs."""
        if self.is_mariadb:
            return f"max_recursive_iterations = {RECURSION_STEPS}"
        return f"cte_max_recursion_depth = {RECURSION_STEPS}"

    @property
    def catalog_settings(self) -> tuple[str, ...]:
        """Assignments for reading the catalog: MySQL else tells row counts that may be a day old."""
        return () if self.is_mariadb else ("information_schema_stats_expiry = 0",)

    @property
    def plan_settings(self) -> tuple[str, ...]:
        """Assignments for reading plans: later releases of MySQL know a second format, and prefer it."""
        return () if self.is_mariadb or self.version < (8, 3) else ("explain_json_format_version = 1",)

    @property
    def recursion_warning(self) -> int | None:
        """The warning, not an error, that goes with a recursive CTE's rows when its limit cut them."""
        return 1931 if self.is_mariadb else None


def detect_flavour(version: str) -> Flavour:
    """Read the answer of `SELECT VERSION()`.

    MariaDB says so in it, some builds after a `5.5.5-` that old replicas want; all others speak as MySQL.
    """
    text = version.removeprefix("5.5.5-")
    numbers = re.match(r"\d+(?:\.\d+)*", text)
    return Flavour(
        product="MariaDB" if "mariadb" in text.lower() else "MySQL",
        version=tuple(int(number) for number in numbers.group().split(".")) if numbers else (),
    )
