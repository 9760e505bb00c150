"""The language model port from a script: for tests of everything around a model, without one."""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from text2sql.generation.port import Completion, Prompt
from text2sql.messages import Usage

ScriptedReply: TypeAlias = str | Completion | BaseException | tuple[str, ...]
"""What a call gives or raises; a tuple is what a call for samples gives."""

USAGE = Usage(model="scripted", prompt_tokens=100, cached_tokens=80, completion_tokens=10)
"""What each call takes whose reply is a text."""


class ScriptedModel:
    """Takes the next reply for each call; an exception is raised, and a call too many is an error.

    Attributes:
        prompts: what it was given, oldest first.
    """

    def __init__(self, replies: Iterable[ScriptedReply]) -> None:
        self._replies = list(replies)
        self._last = Completion(text="", finish="stop", usage=USAGE)
        self.prompts: list[Prompt] = []

    def complete(self, prompt: Prompt) -> Completion:
        """Return or raise the next reply."""
        self.prompts.append(prompt)
        if not self._replies:
            raise AssertionError(f"the model has no reply for call {len(self.prompts)}")
        reply = self._replies.pop(0)
        if isinstance(reply, BaseException):
            raise reply
        assert not isinstance(reply, tuple), "no samples are asked for"
        self._last = reply if isinstance(reply, Completion) else _completion(reply)
        return self._last

    def sample(self, prompt: Prompt, count: int) -> tuple[Completion, ...]:
        """Return the samples that come next; where there are none, the last reply again and again."""
        if not self._replies or not isinstance(self._replies[0], tuple):
            return (self._last,) * count
        self.prompts.append(prompt)
        samples = self._replies.pop(0)
        assert isinstance(samples, tuple)
        assert len(samples) == count
        return tuple(map(_completion, samples))


def _completion(text: str) -> Completion:
    return Completion(text=text, finish="stop", usage=USAGE)


SetModel: TypeAlias = Callable[..., ScriptedModel]
"""Takes the replies, and returns the model that will give them."""
