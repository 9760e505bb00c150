"""Whatever the validator accepts changes nothing, shows nothing beyond the catalog, and answers as asked."""

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from grammar import sentences
from holding import TookTooLong, hold, within
from honest_sql import HONEST
from hostile_sql import SHOWS_MORE, each_part, statements
from hypothesis import strategies as st
from worlds import MariadbWorld, Rows, SqliteWorld, State, World

from small_shop import small_catalog
from text2sql.datasource.policy.access import Access
from text2sql.errors import SqlRejected
from text2sql.messages import SqlDraft
from text2sql.validation.step import validate_sql

ROW_LIMIT = 100_000
"""Beyond any result here, so that the limit that is put in cuts nothing."""
AT_ONCE = 50
TOGETHER = 8
"""So many statements run before the state is looked at; Hypothesis then finds the one."""


@pytest.fixture(params=["sqlite", "mariadb"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    if request.param == "sqlite":
        made: World = SqliteWorld(Path.cwd())
    else:
        made = MariadbWorld(request.getfixturevalue("mariadb_server"))
    made.build()
    yield made
    made.close()


class _Watch:
    """Runs what is accepted in a world, and looks at the world before and after."""

    def __init__(self, world: World, tally: Counter[str]) -> None:
        self._world = world
        self._tally = tally
        self._before = world.state()

    def check(self, drafts: list[str]) -> None:
        """Fail where a draft that is accepted has an effect; the world is then made anew."""
        emitted = [sql for draft in drafts if (sql := self.emitted(draft)) is not None]
        try:
            for sql in emitted:
                found = SHOWS_MORE.search(repr(self.run(sql)))
                assert not found, f"it shows {found}: {sql}"
            if emitted:
                assert _differences(self._before, self._world.state()) == {}, emitted
        except BaseException:
            self._world.build()
            self._before = self._world.state()
            raise

    def failures(self, drafts: list[str]) -> str:
        """Say which of the drafts have an effect, and which."""
        try:
            self.check(drafts)
        except (AssertionError, TookTooLong) as error:
            if len(drafts) == 1:
                return f"\n{drafts[0]!r}: {str(error).splitlines()[0]}"
            return "".join(self.failures([draft]) for draft in drafts)
        return ""

    def emitted(self, draft: str) -> str | None:
        """Return what would run; soon, whatever the draft."""
        access = Access(catalog=small_catalog(self._world.dialect))
        self._tally["validated"] += 1
        try:
            with within(4.0):
                return validate_sql(SqlDraft(sql=draft), access, ROW_LIMIT).sql
        except SqlRejected:
            return None

    def run(self, sql: str) -> Rows | None:
        """Run a statement, within seconds."""
        started = time.monotonic()
        rows = self._world.run(sql)
        assert time.monotonic() - started < 4, f"it waited or worked too long: {sql}"
        self._tally["ran" if rows is not None else "refused by the database"] += 1
        return rows


@pytest.fixture
def watch(world: World, tally: Counter[str]) -> _Watch:
    return _Watch(world, tally)


def _differences(before: State, after: State) -> dict[str, tuple[object, object]]:
    return {what: (before[what], after[what]) for what in before if before[what] != after[what]}


def test_each_part_of_the_grammar_changes_nothing_and_shows_nothing_where_it_is_accepted(
    world: World, watch: _Watch
) -> None:
    drafts = each_part(world.dialect)
    failures = [watch.failures(drafts[start : start + AT_ONCE]) for start in range(0, len(drafts), AT_ONCE)]
    if any(failures):
        pytest.fail("".join(failures), pytrace=False)


def test_what_is_accepted_changes_nothing_and_shows_nothing_beyond_the_catalog(
    world: World, watch: _Watch
) -> None:
    cases = st.lists(statements(world.dialect), min_size=1, max_size=TOGETHER)
    hold(watch.check, cases, examples=250)


def test_emission_gives_the_same_rows_as_the_original(world: World, watch: _Watch) -> None:
    def check(draft: str) -> None:
        sql = watch.emitted(draft)
        asked = world.run(draft) if sql is not None else None
        if sql is not None and asked is not None:
            assert watch.run(sql) == asked, sql

    hold(check, sentences(HONEST[world.dialect], "statement"), examples=900)
