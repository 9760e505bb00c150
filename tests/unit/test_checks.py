from typing import Any

from text2sql.answer.checks import list_checks
from text2sql.messages import (
    Check,
    Context,
    Executed,
    Finding,
    Passage,
    ResultColumn,
    ResultSet,
    Screening,
    ValidSql,
    Vote,
)

VALID = ValidSql(sql="SELECT 1", dialect="sqlite", tables=("orders", "customers"), row_limit=1000)
COLUMNS = (ResultColumn(name="n", type="number"),)


def checks(rows: tuple[Any, ...] = ((1,),), **changes: Any) -> dict[str, Check]:
    result = ResultSet(columns=COLUMNS, rows=rows, truncated=changes.pop("truncated", False))
    executed = Executed(
        valid=changes.pop("valid", VALID),
        result=changes.pop("result", result),
        vote=changes.pop("vote", Vote(agreeing=1, drafts=1)),
    )
    given: dict[str, Any] = {
        "executed": executed,
        "repairs": 0,
        "context": Context(
            question="q", dialect="sqlite", schema_text="", passages=changes.pop("passages", ())
        ),
        "screening": Screening(text="q"),
        **changes,
    }
    return {check.name: check for check in list_checks(**given)}


def test_plain_answer_passes_every_check() -> None:
    listed = checks()
    assert list(listed) == [
        "one read-only SELECT",
        "tables and columns exist",
        "complete",
        "rows found",
        "repairs",
    ]
    assert all(check.passed for check in listed.values())
    assert listed["tables and columns exist"].detail == "Reads orders, customers."


def test_cut_result_is_not_complete() -> None:
    check = checks(truncated=True, rows=((1,),) * 1000)["complete"]
    assert not check.passed
    assert "1,000" in check.detail


def test_result_cut_for_its_size_says_so() -> None:
    result = ResultSet(columns=COLUMNS, rows=((1,),) * 7, truncated=True, cut_by="bytes")
    assert (
        "Cut after 7 rows, which are as large as an answer may be" in checks(result=result)["complete"].detail
    )


def test_no_rows_and_only_nulls_fail() -> None:
    assert not checks(rows=())["rows found"].passed
    assert not checks(rows=((None,), (None,)))["rows found"].passed
    assert checks(rows=((None,), (0,)))["rows found"].detail == "2 rows."


def test_repairs_are_counted() -> None:
    check = checks(repairs=2)["repairs"]
    assert not check.passed
    assert check.detail == "The model needed 2 repairs."
    assert checks(repairs=1)["repairs"].detail == "The model needed 1 repair."


def test_knowledge_names_each_source_once() -> None:
    passages = tuple(Passage(source=source, text="t", score=1.0) for source in ("a", "b", "a"))
    assert checks(passages=passages)["knowledge used"].detail == "The model was told: a, b."


def test_masked_question_names_the_kinds() -> None:
    findings = (Finding(kind="SSN", action="masked"),)
    assert "SSN" in checks(screening=Screening(text="q", findings=findings))["question masked"].detail


def test_changes_and_a_statement_without_tables_are_told() -> None:
    valid = VALID.model_copy(update={"changes": ("LIMIT 1001 was put in",), "tables": ()})
    listed = checks(valid=valid)
    assert listed["one read-only SELECT"].detail.endswith("LIMIT 1001 was put in.")
    assert listed["tables and columns exist"].detail == "Reads no table."


def test_certainty_is_what_the_drafts_or_the_model_say() -> None:
    assert "certain" not in checks()
    few = checks(vote=Vote(agreeing=3, drafts=9))["certain"]
    assert (few.passed, few.detail) == (False, "3 of 9 drafts came to these rows.")
    assert checks(vote=Vote(agreeing=9, drafts=9))["certain"].passed
    assert not checks(rows=((None,),), vote=Vote(agreeing=9, drafts=9))["certain"].passed
    told = checks(valid=VALID.model_copy(update={"probability": 0.994}))["certain"]
    assert (told.passed, told.detail[-33:]) == (False, "draft for 99% likely, on average.")


def test_statement_that_does_not_do_what_the_question_says_is_doubted() -> None:
    valid = VALID.model_copy(update={"unmet": "The question asks for both."})
    check = checks(valid=valid)["does what the question says"]
    assert (check.passed, check.detail) == (False, valid.unmet)
