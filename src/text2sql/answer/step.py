"""ComposeAnswer: the sentence, the chart and the checks for rows that are there already."""

from text2sql.answer.chart import choose_chart
from text2sql.answer.checks import list_checks
from text2sql.answer.sentence import compose_sentence, count_rows
from text2sql.errors import GuardrailUnavailable
from text2sql.guardrail.port import Guardrail
from text2sql.messages import Answer, Check, Executed, Passage, ResultSet, Screening

SENTENCE_CHECK = "sentence screened"


def compose_answer(
    question: str,
    executed: Executed,
    *,
    guardrail: Guardrail,
    passages: tuple[Passage, ...],
    screening: Screening,
    repairs: int,
) -> Answer:
    """Return the answer; a guardrail that does not answer, or blocks, costs the sentence its cells."""
    valid, result = executed.valid, executed.result
    sentence, notes = _screen(compose_sentence(question, result, valid.sql), result, guardrail)
    checks = list_checks(executed, repairs, passages, screening)
    return Answer(sentence=sentence, chart=choose_chart(result), checks=checks + notes)


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
