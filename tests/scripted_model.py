"""The language model port from a script: for tests of everything around a model, without one."""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from text2sql.generation.port import Completion, Prompt
from text2sql.messages import Usage

ScriptedReply: TypeAlias = str | Completion | BaseException

USAGE = Usage(model="scripted", prompt_tokens=100, cached_tokens=80, completion_tokens=10)
"""What each call takes whose reply is a text."""


class ScriptedModel:
    """Takes the next reply for each call; an exception is raised, and a call too many is an error.

    Attributes:
        prompts: what it was given, oldest first.
    """

    def __init__(self, replies: Iterable[ScriptedReply]) -> None:
        self._replies = iter(list(replies))
        self.prompts: list[Prompt] = []

    def complete(self, prompt: Prompt) -> Completion:
        """Return or raise the next reply."""
        self.prompts.append(prompt)
        reply = next(self._replies, None)
        if reply is None:
            raise AssertionError(f"the model has no reply for call {len(self.prompts)}")
        if isinstance(reply, BaseException):
            raise reply
        if isinstance(reply, str):
            return Completion(text=reply, finish="stop", usage=USAGE)
        return reply


SetModel: TypeAlias = Callable[..., ScriptedModel]
"""Takes the replies, and returns the model that will give them."""
