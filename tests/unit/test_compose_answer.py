import subprocess
import sys
from typing import Any

from text2sql.answer.personal_data import ROWS_CHECK
from text2sql.answer.step import SENTENCE_CHECK, compose_answer
from text2sql.errors import GuardrailUnavailable
from text2sql.guardrail.local import LocalGuardrail
from text2sql.messages import (
    Answer,
    Composed,
    Context,
    Coverage,
    Executed,
    ResultColumn,
    ResultSet,
    Screening,
    ValidSql,
    Vote,
)

KNOWN = Coverage()
VALID = ValidSql(sql="SELECT name, ssn FROM people", dialect="sqlite", tables=("people",), row_limit=10)


class CannedGuardrail:
    """Gives one verdict, or breaks, for any answer."""

    def __init__(self, verdict: Screening | Exception) -> None:
        self.verdict = verdict

    def screen(self, text: str, direction: str) -> Screening:
        assert text
        assert direction == "output"
        if isinstance(self.verdict, Exception):
            raise self.verdict
        return self.verdict


def compose(guardrail: Any, ssn: str = "none", coverage: Coverage = KNOWN, drafts: int = 1) -> Answer:
    return compose_with_rows(guardrail, VALID, ssn, coverage, drafts).answer


def compose_with_rows(
    guardrail: Any, valid: ValidSql, ssn: str = "none", coverage: Coverage = KNOWN, drafts: int = 1
) -> Composed:
    columns = (ResultColumn(name="name", type="text"), ResultColumn(name="ssn", type="text"))
    rows = (("Ann", ssn), ("Bob", "none"))
    return compose_answer(
        Context(question="Who?", dialect="sqlite", schema_text="", coverage=coverage),
        Executed(
            valid=valid,
            result=ResultSet(columns=columns, rows=rows, truncated=False),
            vote=Vote(agreeing=1, drafts=drafts),
        ),
        guardrail=guardrail,
        screening=Screening(text="Who?"),
        repairs=0,
    )


def test_answer_has_sentence_chart_and_checks() -> None:
    answer = compose(LocalGuardrail(10))
    assert answer.sentence == "Two rows: Ann (none) and Bob (none)."
    assert answer.chart.type == "none"
    assert all(check.passed for check in answer.checks)
    assert SENTENCE_CHECK not in {check.name for check in answer.checks}


def test_guess_at_what_is_not_known_here_is_told_as_a_refusal() -> None:
    strange = Coverage(known=("people",), unknown=("rainfall", "storms", "hail"))
    answer = compose(LocalGuardrail(10), coverage=strange, drafts=3)
    assert answer.is_guess
    assert answer.sentence == (
        "Nothing in this database seems to be about rainfall or storms,"
        " and only 1 of 3 drafts came to the same rows."
    )
    assert answer.chart.type == "none"
    assert [check.detail for check in answer.checks if check.name == "words known"] == [
        "Nothing in this database is called rainfall, storms, hail."
    ]


def test_masked_sentence_says_that_the_rows_are_not() -> None:
    answer = compose(LocalGuardrail(10), ssn="123-45-6789")
    assert "{US_SOCIAL_SECURITY_NUMBER}" in answer.sentence
    assert "123-45" not in answer.sentence
    assert answer.checks[-1].name == SENTENCE_CHECK
    assert answer.checks[-1].passed
    assert "not in the rows" in answer.checks[-1].detail


def test_rows_sentence_and_checks_are_made_of_masked_rows_where_the_caller_sees_no_personal_data() -> None:
    masking = VALID.model_copy(update={"masks_personal_data": True})
    composed = compose_with_rows(LocalGuardrail(10), masking, ssn="123-45-6789")
    assert composed.executed.result.rows == (("Ann", "{US_SOCIAL_SECURITY_NUMBER}"), ("Bob", "none"))
    assert composed.answer.sentence == "Two rows: Ann ({US_SOCIAL_SECURITY_NUMBER}) and Bob (none)."
    assert composed.answer.checks[-1].name == ROWS_CHECK
    assert "123-45" not in composed.model_dump_json()


def test_other_rows_are_shown_as_they_are() -> None:
    composed = compose_with_rows(LocalGuardrail(10), VALID, ssn="123-45-6789")
    assert composed.executed.result.rows[0] == ("Ann", "123-45-6789")


def test_unavailable_guardrail_costs_the_cells_and_fails_a_check() -> None:
    answer = compose(CannedGuardrail(GuardrailUnavailable("The guardrail did not answer.")))
    assert answer.sentence == "2 rows."
    assert (answer.checks[-1].name, answer.checks[-1].passed) == (SENTENCE_CHECK, False)


def test_blocked_sentence_costs_the_cells_and_says_why() -> None:
    answer = compose(CannedGuardrail(Screening(text="", blocked_message="Not to be shown.")))
    assert answer.sentence == "2 rows."
    assert not answer.checks[-1].passed
    assert "Not to be shown." in answer.checks[-1].detail


def test_step_imports_no_terminal_no_cloud_and_no_word_list() -> None:
    # In a fresh interpreter, because other tests have imported them all.
    probe = (
        "import sys, text2sql.answer.step, text2sql.guardrail.local, text2sql.guardrail.bedrock;"
        "print(sorted({'rich', 'boto3', 'botocore', 'glin_profanity'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
