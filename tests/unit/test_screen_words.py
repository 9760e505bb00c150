"""What the model says to a person goes through the guardrail."""

import pytest

from text2sql.errors import GuardrailUnavailable
from text2sql.generation.words import HELD_BACK, screen_words
from text2sql.guardrail.local import LocalGuardrail
from text2sql.guardrail.policy import Direction, GuardrailPolicy
from text2sql.messages import Clarification, Declined, Generation, Screening, SqlDraft, Usage

USAGE = Usage(prompt_tokens=7)
POLICY = GuardrailPolicy.model_validate(
    {
        "messages": {"output": "Not for your eyes."},
        "words": {"own": ["Project Zebra"], "output": "block"},
        "personal": {"EMAIL": {"output": "mask"}},
    }
)


class Fixed:
    """A guardrail that always says the same."""

    def __init__(self, says: str | GuardrailUnavailable) -> None:
        self._says = says

    def screen(self, text: str, direction: Direction) -> Screening:
        assert (text, direction) == ("a reason", "output")
        if isinstance(self._says, GuardrailUnavailable):
            raise self._says
        return Screening(text=self._says)


def screened(generation: Generation) -> Generation:
    return screen_words(generation, LocalGuardrail(4000, POLICY))


def test_draft_and_harmless_words_stay_as_they_are() -> None:
    words = (
        SqlDraft(sql="SELECT 'Project Zebra'"),
        Declined(reason="There is no weather\nhere."),
        Clarification(question="Which date?", choices=("the order's", "the payment's")),
    )
    for generation in words:
        assert screened(generation) is generation


def test_choices_and_reasons_are_masked_each_by_itself() -> None:
    asked = Clarification(question="Who?", choices=("ada@example.com", "Grace\nHopper"), usage=USAGE)
    assert screened(asked) == asked.model_copy(update={"choices": ("{EMAIL}", "Grace Hopper")})
    assert screened(Declined(reason="ada@example.com is nobody.")) == Declined(reason="{EMAIL} is nobody.")


@pytest.mark.parametrize(
    "words",
    [
        Declined(reason="Project Zebra is secret.", usage=USAGE),
        Clarification(question="Which?", choices=("Project Zebra", "others"), usage=USAGE),
    ],
)
def test_what_is_stopped_is_told_as_a_refusal_that_was_paid_for(words: Generation) -> None:
    assert screened(words) == Declined(reason="Not for your eyes. Reason: word.", usage=USAGE)


def test_words_that_cannot_be_screened_are_not_told() -> None:
    gone = GuardrailUnavailable("The guardrail does not answer.")
    words = Declined(reason="a reason")
    assert screen_words(words, Fixed(gone)) == Declined(reason="The guardrail does not answer.")
    assert screen_words(words, Fixed("two\nlines")) == Declined(reason=HELD_BACK)
