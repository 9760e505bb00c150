import pytest

from text2sql.answer.certainty import CERTAIN_SHARE, GUESS_SHARE, SURE, is_a_guess, is_certain, is_in_doubt
from text2sql.messages import Coverage, Executed, ResultColumn, ResultSet, ValidSql, VerifiedQuery, Vote

APPROVED = VerifiedQuery(question="How many?", sql="SELECT 1", approved_by="Ada", approved_on="2026-01-31")

STRANGE = Coverage(known=("pay",), unknown=("rain", "storm"))


def executed(
    *,
    agreeing: int = 1,
    drafts: int = 1,
    probability: float | None = None,
    cell: int | None = 1,
    verified: VerifiedQuery | None = None,
    unmet: str = "",
) -> Executed:
    valid = ValidSql(
        sql="SELECT 1",
        dialect="sqlite",
        tables=(),
        row_limit=1,
        probability=probability,
        verified=verified,
        unmet=unmet,
    )
    columns = (ResultColumn(name="n", type="number"),)
    result = ResultSet(columns=columns, rows=((cell,),), truncated=False)
    return Executed(valid=valid, result=result, vote=Vote(agreeing=agreeing, drafts=drafts))


@pytest.mark.parametrize(
    ("given", "doubt"),
    [
        (executed(), False),  # a model that does not tell
        (executed(cell=None), True),
        (executed(probability=SURE), False),
        (executed(probability=SURE - 0.01), True),
        (executed(probability=SURE, cell=None), True),
        (executed(probability=0.1, agreeing=1, drafts=9), False),  # it has been compared already
        (executed(verified=APPROVED, cell=None), False),
    ],
)
def test_only_a_lone_draft_that_is_unsure_or_found_nothing_is_in_doubt(
    given: Executed, *, doubt: bool
) -> None:
    assert is_in_doubt(given) == doubt


@pytest.mark.parametrize(
    ("given", "certain"),
    [
        (executed(), False),
        (executed(probability=1.0), False),
        (executed(agreeing=9, drafts=9, probability=0.1), True),
        (executed(agreeing=9, drafts=9, cell=None), False),
        (executed(agreeing=9, drafts=9, unmet="The question asks for both."), False),
        (executed(agreeing=int(CERTAIN_SHARE * 100) - 1, drafts=100), False),
        (executed(verified=APPROVED, cell=None), True),
    ],
)
def test_agreement_or_an_approval_makes_an_answer_certain(given: Executed, *, certain: bool) -> None:
    assert is_certain(given, Coverage(known=("pay",))) == certain


def test_answer_about_what_is_mostly_unknown_is_not_certain() -> None:
    given = executed(agreeing=9, drafts=9)
    assert is_certain(given, STRANGE.model_copy(update={"known": ("a", "b")}))
    assert not is_certain(given, STRANGE)
    assert is_certain(executed(verified=APPROVED), STRANGE)


@pytest.mark.parametrize(
    ("given", "coverage", "guess"),
    [
        (executed(agreeing=int(GUESS_SHARE * 100) - 1, drafts=100), STRANGE, True),
        (executed(agreeing=int(GUESS_SHARE * 100), drafts=100), STRANGE, False),
        (executed(agreeing=1, drafts=9), Coverage(known=("pay",), unknown=("rain",)), False),
        (executed(), STRANGE, False),  # a model that was asked once
        (executed(agreeing=1, drafts=9, verified=APPROVED), STRANGE, False),
    ],
)
def test_drafts_that_disagree_about_the_unknown_are_a_guess(
    given: Executed, coverage: Coverage, *, guess: bool
) -> None:
    assert is_a_guess(given, coverage) == guess
