"""Whatever the validator accepts changes nothing, shows nothing beyond the catalog, and answers as asked."""

import re
import time
from collections import Counter
from collections.abc import Iterator
from typing import get_args

import pytest
from grammar import sentences
from holding import hold, within
from honest_sql import HONEST
from hostile_sql import CANARY, statements
from hypothesis import strategies as st
from worlds import MariadbWorld, Rows, SqliteWorld, State, World

from small_shop import small_catalog
from text2sql.datasource.policy.access import Access
from text2sql.errors import SqlRejected
from text2sql.messages import SqlDraft
from text2sql.validation.step import validate_sql

ROW_LIMIT = 100_000
"""Beyond any result here, so that the limit that is put in cuts nothing."""
TOGETHER = 8
"""So many statements run before the state is looked at; Hypothesis then finds the one."""
_BEYOND = re.compile(rf"{CANARY}|mariadb|text2sql-tests", re.IGNORECASE)
"""What only the secrets, the server and the session hold: the user's name, the version, the folder."""


@pytest.fixture(params=["sqlite", "mariadb"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    if request.param == "sqlite":
        made: World = SqliteWorld(tmp_path_factory.mktemp("world"))
    else:
        made = MariadbWorld(request.getfixturevalue("mariadb_server"))
    made.build()
    yield made
    made.close()


def _emitted(sql: str, world: World) -> str | None:
    """Return what would run; within a second, whatever the statement."""
    access = Access(catalog=small_catalog(world.dialect))
    try:
        with within(1.0):
            return validate_sql(SqlDraft(sql=sql), access, ROW_LIMIT).sql
    except SqlRejected:
        return None


def _run(sql: str, world: World, tally: Counter[str]) -> Rows | None:
    started = time.monotonic()
    rows = world.run(sql)
    assert time.monotonic() - started < 1, f"it waited or worked too long: {sql}"
    tally["ran" if rows is not None else "refused by the database"] += 1
    return rows


def _differences(before: State, after: State) -> dict[str, tuple[object, object]]:
    return {what: (before[what], after[what]) for what in before if before[what] != after[what]}


def test_what_is_accepted_changes_nothing_and_shows_nothing_beyond_the_catalog(
    world: World, tally: Counter[str]
) -> None:
    before = world.state()

    def check(drafts: list[str]) -> None:
        nonlocal before
        emitted = [sql for draft in drafts if (sql := _emitted(draft, world))]
        tally["validated"] += len(drafts)
        try:
            for sql in emitted:
                found = _BEYOND.search(repr(_run(sql, world, tally)))
                assert not found, f"it shows {found}: {sql}"
            assert _differences(before, world.state()) == {}, emitted
        except BaseException:
            world.build()
            before = world.state()
            raise

    hold(check, st.lists(statements(world.dialect), min_size=1, max_size=TOGETHER), examples=250)


def test_emission_gives_the_same_rows_as_the_original(world: World, tally: Counter[str]) -> None:
    def check(draft: str) -> None:
        sql = _emitted(draft, world)
        tally["validated"] += 1
        if sql is None:
            return
        asked = world.run(draft)
        if asked is not None:
            assert _run(sql, world, tally) == asked, sql

    hold(check, sentences(HONEST[world.dialect], "statement"), examples=900)
