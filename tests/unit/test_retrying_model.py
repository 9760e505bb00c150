"""A model that is throttled: how often it is asked again, after which waits, and what is not asked again."""

import pytest

from scripted_model import USAGE, ScriptedModel, ScriptedReply
from text2sql import errors
from text2sql.generation.port import Completion, Prompt, Turn
from text2sql.generation.retrying import LONGEST_WAITS, RetryingModel

PROMPT = Prompt(system="", turns=(Turn(role="user", text="?"),))
THROTTLED = errors.ModelThrottled("Come back later.")


def ask(*replies: ScriptedReply) -> tuple[Completion | errors.Text2SqlError, list[float], int]:
    """Return what comes of it, the waits in seconds, and how often the model was asked."""
    model = ScriptedModel(replies)
    waits: list[float] = []
    result: Completion | errors.Text2SqlError
    try:
        result = RetryingModel(model, waits.append).complete(PROMPT)
    except errors.Text2SqlError as error:
        result = error
    assert set(map(id, model.prompts)) == {id(PROMPT)}
    return result, waits, len(model.prompts)


def test_model_that_answers_is_asked_once() -> None:
    result, waits, calls = ask("SELECT 1")
    assert isinstance(result, Completion)
    assert (waits, calls) == ([], 1)


@pytest.mark.parametrize("times", [1, 2, 3])
def test_throttled_model_is_asked_again_and_its_reply_kept_whole(times: int) -> None:
    result, waits, calls = ask(*[THROTTLED] * times, "SELECT 1")
    assert result == Completion(text="SELECT 1", finish="stop", usage=USAGE)
    assert (len(waits), calls) == (times, times + 1)


def test_model_that_stays_throttled_says_so_after_four_calls() -> None:
    last = errors.ModelThrottled("The last one.")
    result, waits, calls = ask(*[THROTTLED] * 3, last)
    assert result is last
    assert (len(waits), calls) == (3, 4)


def test_waits_grow_differ_and_stay_below_ten_seconds() -> None:
    runs = [ask(*[THROTTLED] * 4)[1] for _ in range(50)]
    for waits in runs:
        assert all(0 <= wait <= longest for wait, longest in zip(waits, LONGEST_WAITS, strict=True))
    assert sorted(LONGEST_WAITS) == list(LONGEST_WAITS)
    assert sum(LONGEST_WAITS) < 10
    assert len({waits[0] for waits in runs}) > 40


@pytest.mark.parametrize(
    "kind", [errors.ModelUnavailable, errors.ModelTimedOut, errors.ModelNotInstalled, errors.ModelError]
)
def test_what_is_no_throttling_is_not_asked_again(kind: type[errors.ModelError]) -> None:
    result, waits, calls = ask(kind("It did not work."), "SELECT 1")
    assert isinstance(result, kind)
    assert (waits, calls) == ([], 1)


def test_interrupted_wait_asks_no_more() -> None:
    model = ScriptedModel([THROTTLED, "SELECT 1"])

    def wait(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        RetryingModel(model, wait).complete(PROMPT)
    assert len(model.prompts) == 1


def test_samples_are_asked_for_again_too() -> None:
    class Busy(ScriptedModel):
        def sample(self, prompt: Prompt, count: int) -> tuple[Completion, ...]:
            return tuple(self.complete(prompt) for _ in range(count))

    model = Busy([THROTTLED, "SELECT 1", THROTTLED, "SELECT 2", "SELECT 3"])
    waits: list[float] = []
    assert [each.text for each in RetryingModel(model, waits.append).sample(PROMPT, 2)] == [
        "SELECT 2",
        "SELECT 3",
    ]
    assert len(waits) == 2
