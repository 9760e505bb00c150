"""Statements against the access policy: how many ran on twin databases, and how many told them apart.

Databases and callers are those of tests/policy_leaks.py, the statements those of tests/policy_statements.py.
"""

import os
import random
import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import cycle

import click

from policy_leaks import sqlite_judges
from policy_statements import random_statement

SEED = 2026


def count_leaks(statements: int, seed: int = SEED) -> tuple[int, int]:
    """Return how many statements ran, and how many leaked, whether they ran or not.

    It ends when at least so many have run. Each leak is printed on standard error.
    """
    workers = os.cpu_count() or 1
    share = -(-statements // workers)
    with ProcessPoolExecutor(workers) as pool:
        counts = list(pool.map(_count, [share] * workers, range(seed, seed + workers)))
    return sum(ran for ran, _ in counts), sum(leaks for _, leaks in counts)


def _count(statements: int, seed: int) -> tuple[int, int]:
    chance = random.Random(seed)  # noqa: S311  # not for secrets
    ran = leaks = 0
    for caller, judge in cycle(sqlite_judges().items()):
        if ran >= statements:
            break
        verdict = judge.judge(random_statement(chance))
        ran += verdict.ran
        if verdict.leak:
            leaks += 1
            click.echo(f"leak, caller {caller}: {verdict.sql}\n  {verdict.leak}", err=True)
    return ran, leaks


if __name__ == "__main__":
    ran, leaks = count_leaks(*map(int, sys.argv[1:]))
    print(f"{ran:,} statements ran, {leaks:,} leaks")
    sys.exit(1 if leaks else 0)
