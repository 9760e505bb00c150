"""The model's own words on their way to a person: a question back with its choices, or why it declines."""

from text2sql.errors import GuardrailUnavailable
from text2sql.guardrail.port import Guardrail
from text2sql.messages import Declined, Generation, SqlDraft

HELD_BACK = "The guardrail held back what the model said."
_SEPARATOR = "\n"


def screen_words(generation: Generation, guardrail: Guardrail) -> Generation:
    """Return the words as the guardrail lets them through; a draft is no such words, and stays as it is.

    What is stopped is told as a refusal without them, and so is what could not be screened.
    """
    if isinstance(generation, SqlDraft):
        return generation
    if isinstance(generation, Declined):
        words: tuple[str, ...] = (generation.reason,)
    else:
        words = (generation.question, *generation.choices)
    lines = [" ".join(each.split()) for each in words]
    try:
        screening = guardrail.screen(_SEPARATOR.join(lines), "output")
    except GuardrailUnavailable as error:
        return Declined(reason=error.message, usage=generation.usage)
    passed = screening.text.split(_SEPARATOR)
    if screening.blocked_message is not None or len(passed) != len(lines):
        return Declined(reason=screening.blocked_message or HELD_BACK, usage=generation.usage)
    if not screening.findings:
        return generation
    if isinstance(generation, Declined):
        return generation.model_copy(update={"reason": passed[0]})
    return generation.model_copy(update={"question": passed[0], "choices": tuple(passed[1:])})
