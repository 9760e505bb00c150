"""The language model port."""

from typing import Literal, Protocol

from text2sql.messages import Message, Usage


class Turn(Message):
    """One side's words in a conversation with the model."""

    role: Literal["user", "assistant"]
    text: str


class Prompt(Message):
    """What the model is given; `system` comes first and stays the same, so that prompt caches hold."""

    system: str
    turns: tuple[Turn, ...]
    max_tokens: int = 512
    temperature: float = 0.0


class Completion(Message):
    """What the model gave back."""

    text: str
    finish: Literal["stop", "length", "filtered"]
    """`length` when it was cut off at `max_tokens`; `filtered` when the service held it back."""
    usage: Usage
    probability: float | None = None
    """How likely the model held its reply, as the geometric mean over the tokens; few servers tell."""


class SqlModel(Protocol):
    """A language model behind any API."""

    def complete(self, prompt: Prompt) -> Completion:
        """Return the model's reply.

        Raises:
            ModelThrottled: the service asks to come back later.
            ModelTimedOut: no whole reply within the adapter's time limit.
            ModelUnavailable: no server, a refused key, a broken connection or reply.
            ModelNotInstalled: the embedded model's file or library is missing.
        """
        ...

    def sample(self, prompt: Prompt, count: int) -> tuple[Completion, ...]:
        """Return `count` replies drawn independently of each other, or fewer; the prompt says how hot.

        Raises:
            ModelError: as `complete` does.
        """
        ...
