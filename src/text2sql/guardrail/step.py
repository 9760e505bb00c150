"""CheckQuestion: a question that is text, of fair length, and that the guardrail lets through."""

import unicodedata

from text2sql.errors import InvalidQuestion
from text2sql.guardrail.port import Guardrail
from text2sql.messages import Screening


def check_question(question: str, guardrail: Guardrail, max_characters: int) -> Screening:
    """Return what the guardrail lets through of the trimmed, NFC-normalised question.

    Raises:
        InvalidQuestion: it is empty, longer than `max_characters`, or holds NUL or what is no text.
        GuardrailUnavailable: the guardrail did not answer; nothing may go on.
    """
    require_question(question, max_characters)
    trimmed = unicodedata.normalize("NFC", question.strip())
    _require_length(trimmed, max_characters)
    return guardrail.screen(trimmed, "input")


def require_question(question: str, max_characters: int) -> None:
    """Make sure that it is text of fair length; takes no time.

    Raises:
        InvalidQuestion: as `check_question`.
    """
    _require_text(question)
    # Normalising takes quadratic time on stacked accents, so length is checked before it and after it.
    _require_length(question.strip(), max_characters)


def _require_text(question: str) -> None:
    if "\0" in question:
        raise InvalidQuestion("The question holds NUL characters.", remedy="Ask in plain text.")
    try:
        question.encode()
    except UnicodeEncodeError:
        message = "The question holds bytes that are no text."
        raise InvalidQuestion(message, remedy="Send the question as UTF-8 text.") from None
    if not any(character.isprintable() and not character.isspace() for character in question):
        raise InvalidQuestion(
            "The question is empty.",
            remedy="Ask in a sentence, for example: How many orders were placed last month?",
        )


def _require_length(question: str, max_characters: int) -> None:
    if len(question) > max_characters:
        raise InvalidQuestion(
            f"The question has {len(question):,} characters; at most {max_characters:,} are allowed.",
            remedy="Ask a shorter question, or raise TEXT2SQL_QUESTION_CHARACTERS.",
        )
