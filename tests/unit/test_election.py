from decimal import Decimal
from typing import Any

from text2sql.execution.election import Election
from text2sql.messages import Executed, ResultColumn, ResultSet, ValidSql


def statement(sql: str, votes: int = 1) -> ValidSql:
    return ValidSql(sql=sql, dialect="sqlite", tables=(), row_limit=10, votes=votes)


def result(*rows: tuple[Any, ...]) -> ResultSet:
    columns = tuple(ResultColumn(name=str(n), type="unknown") for n in range(len(rows[0]) if rows else 1))
    return ResultSet(columns=columns, rows=rows, truncated=False)


def elect(*counted: tuple[ValidSql, ResultSet | None], refused: int = 0) -> Executed | None:
    first, *others = (valid for valid, _ in counted)
    election = Election(first.model_copy(update={"alternatives": tuple(others), "refused": refused}))
    for valid, rows in counted:
        if rows:
            election.count(valid, rows)
        else:
            election.fail(valid)
    return election.winner()


def test_rows_of_most_drafts_win_whatever_their_order_and_type() -> None:
    won = elect(
        (statement("a", 2), result(("x", 1), ("y", 2))),
        (statement("b", 1), result((2.00001, "y"), (Decimal("1.0"), "x"))),
        (statement("c", 2), result(("x", 1), ("z", 2))),
    )
    assert won is not None
    assert (won.valid.sql, won.vote.agreeing, won.vote.drafts) == ("a", 3, 5)
    assert won.valid.alternatives == ()


def test_first_of_equals_wins_and_what_was_refused_counts_as_a_draft() -> None:
    won = elect((statement("a"), result((1,))), (statement("b"), result((2,))), refused=2)
    assert won is not None
    assert (won.valid.sql, won.vote.agreeing, won.vote.drafts) == ("a", 1, 4)


def test_result_without_a_value_loses_against_fewer_votes_for_one_with() -> None:
    nothing, found = (statement("a", 2), result((None,))), (statement("b", 1), result((7,)))
    won = elect(nothing, found)
    assert won is not None
    assert (won.valid.sql, won.vote.agreeing) == ("b", 1)
    still = elect((statement("a", 3), result()), found)
    assert still is not None
    assert still.valid.sql == "a"


def test_statement_that_does_not_do_what_the_question_says_loses_against_fewer_votes() -> None:
    unmet = statement("a", 2).model_copy(update={"unmet": "The question asks for both."})
    won = elect((unmet, result((1,))), (statement("b", 1), result((2,))))
    assert won is not None
    assert (won.valid.sql, won.vote.agreeing) == ("b", 1)


def test_nobody_wins_where_none_ran() -> None:
    assert elect((statement("a"), None), (statement("b"), None)) is None


def test_rows_are_told_apart_by_how_often_they_come() -> None:
    won = elect((statement("a"), result((1,), (1,))), (statement("b", 2), result((1,))))
    assert won is not None
    assert won.valid.sql == "b"


def test_election_is_decided_when_what_is_left_cannot_change_it() -> None:
    others = (statement("b", 2), statement("c", 2))
    election = Election(statement("a", 4).model_copy(update={"alternatives": others}))
    assert not election.is_decided()
    election.count(statement("a", 4), result((1,)))
    assert not election.is_decided()  # the other four may agree
    election.count(others[0], result((2,)))
    assert not election.is_decided()
    election.fail(others[1])
    assert election.is_decided()


def test_other_reading_adds_its_vote_and_never_wins_by_itself() -> None:
    moved = statement("moved", 3).model_copy(update={"is_other_reading": True})
    won = elect((statement("a"), result((1,))), (statement("b"), result((2,))), (moved, result((2,))))
    assert won is not None
    assert (won.valid.sql, won.vote.agreeing) == ("b", 4)
    alone = elect((statement("a"), result((1,))), (moved, result((2,))))
    assert alone is not None
    assert alone.valid.sql == "a"
    assert elect((statement("a"), None), (moved, result((2,)))) is None
