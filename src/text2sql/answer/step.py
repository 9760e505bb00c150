"""ComposeAnswer: the sentence, the chart and the checks for rows, which may have to be masked before."""

from text2sql.answer.certainty import is_a_guess, is_certain
from text2sql.answer.chart import choose_chart
from text2sql.answer.checks import list_checks
from text2sql.answer.personal_data import mask_personal_data
from text2sql.answer.sentence import compose_sentence, count_rows
from text2sql.errors import GuardrailUnavailable
from text2sql.guardrail.port import Guardrail
from text2sql.messages import (
    Answer,
    Chart,
    Check,
    Composed,
    Context,
    Coverage,
    Executed,
    ResultSet,
    Screening,
)

SENTENCE_CHECK = "sentence screened"
TOLD = 2
"""How many unknown words a refusal names, at most."""


def compose_answer(
    context: Context, executed: Executed, *, guardrail: Guardrail, screening: Screening, repairs: int
) -> Composed:
    """Return the answer, and the rows as they may be shown.

    A guardrail that does not answer, or blocks, costs the sentence its cells. A guess is told as a refusal.
    """
    valid, result = executed.valid, executed.result
    checks = list_checks(executed, repairs, context, screening)
    if valid.masks_personal_data:
        result, check = mask_personal_data(result, guardrail)
        executed = executed.model_copy(update={"result": result})
        checks += (check,)
    if is_a_guess(executed, context.coverage):
        chart = Chart(type="none", reason="The rows are not shown.")
        answer = Answer(
            sentence=_decline(executed, context.coverage), is_guess=True, chart=chart, checks=checks
        )
        return Composed(answer=answer, executed=executed)
    sentence, notes = _screen(compose_sentence(context.question, result, valid.sql), result, guardrail)
    answer = Answer(
        sentence=sentence,
        certain=is_certain(executed, context.coverage),
        chart=choose_chart(result),
        checks=checks + notes,
    )
    return Composed(answer=answer, executed=executed)


def _decline(executed: Executed, coverage: Coverage) -> str:
    missing = " or ".join(coverage.unknown[:TOLD])
    vote = executed.vote
    return (
        f"Nothing in this database seems to be about {missing},"
        f" and only {vote.agreeing} of {vote.drafts} drafts came to the same rows."
    )


def _screen(sentence: str, result: ResultSet, guardrail: Guardrail) -> tuple[str, tuple[Check, ...]]:
    try:
        screening = guardrail.screen(sentence, "output")
    except GuardrailUnavailable as error:
        return count_rows(result), (Check(name=SENTENCE_CHECK, passed=False, detail=error.message),)
    if screening.blocked_message is not None:
        detail = f"The guardrail held it back: {screening.blocked_message}"
        return count_rows(result), (Check(name=SENTENCE_CHECK, passed=False, detail=detail),)
    if screening.findings:
        kinds = ", ".join(finding.kind for finding in screening.findings)
        detail = f"Masked in the sentence, not in the rows: {kinds}."
        return screening.text, (Check(name=SENTENCE_CHECK, passed=True, detail=detail),)
    return screening.text, ()
