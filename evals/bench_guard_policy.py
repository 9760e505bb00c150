"""Statements against the access policy: how many ran on twin databases, and how many told them apart.

Databases and callers are those of tests/policy_leaks.py, the statements those of tests/policy_statements.py.
"""

import random
import sys
import time
from itertools import cycle

import click

from policy_leaks import sqlite_judges
from policy_statements import random_statement


def count_leaks(statements: int, seconds: float | None = None, seed: int = 2026) -> tuple[int, int]:
    """Return how many statements ran, and how many leaked, whether they ran or not.

    It ends when so many have run, or after so many seconds. Each leak is printed on standard error.
    """
    chance = random.Random(seed)  # noqa: S311  # not for secrets
    started = time.monotonic()
    ran = leaks = 0
    for caller, judge in cycle(sqlite_judges().items()):
        if ran >= statements or (seconds is not None and time.monotonic() - started > seconds):
            break
        verdict = judge.judge(random_statement(chance))
        ran += verdict.ran
        if verdict.leak:
            leaks += 1
            click.echo(f"leak, caller {caller}: {verdict.sql}\n  {verdict.leak}", err=True)
    return ran, leaks


if __name__ == "__main__":
    ran, leaks = count_leaks(*map(int, sys.argv[1:2] or ("100000",)), None, *map(int, sys.argv[2:3]))
    print(f"{ran:,} statements ran, {leaks:,} leaks")
    sys.exit(1 if leaks else 0)
