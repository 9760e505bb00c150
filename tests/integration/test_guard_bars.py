"""The bars of `make bench-guard`: all shared cases, and a sample of the gold queries."""

import pytest
from bench_guard_cases import CasesAbsent, judge_all, shares
from bench_guard_gold import run_gold
from bench_guard_share import Share
from bench_spiderman import read_bench_questions

from servers import Server

EVERY = 12
"""Of so many databases one is in the sample."""


@pytest.fixture(autouse=True)
def _shared_cases() -> None:
    try:
        read_bench_questions()
    except CasesAbsent as reason:
        pytest.skip(str(reason))


def _missed(shares: list[Share]) -> dict[str, tuple[str, ...]]:
    return {share.name: share.wrong[:5] for share in shares if not share.met}


def test_shared_cases_are_refused_and_accepted_within_the_bars() -> None:
    assert _missed(shares(judge_all())) == {}


@pytest.mark.parametrize("product", ["mysql", "mariadb"])
def test_gold_queries_give_the_same_rows_after_emission(product: str, request: pytest.FixtureRequest) -> None:
    server: Server = request.getfixturevalue(f"{product}_server")
    run = run_gold(server, sorted({each.database for each in read_bench_questions()})[::EVERY], print)
    assert run.asked > 400
    assert _missed(run.shares(server.product)) == {}


def test_other_rows_after_emission_miss_the_bar(
    mariadb_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A row limit of two cuts every longer result, as a wrong emission would.
    monkeypatch.setattr("bench_guard_gold.ROW_LIMIT", 2)
    run = run_gold(mariadb_server, ["activity_1"], print)
    assert list(_missed(run.shares("MariaDB"))) == ["Same rows after emission, MariaDB"]
