"""Asks a model once more that asks to come back later; the state machine does that for the functions."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from text2sql.errors import ModelThrottled
from text2sql.generation.port import Completion, Prompt, SqlModel

_R = TypeVar("_R")

LONGEST_WAITS = (1.0, 2.0, 4.0)
"""Seconds before each further call.

The wait is anything up to that: whoever was throttled together does not come back together.
"""


class RetryingModel:
    """Completions from a model that may be throttled for a while.

    Nothing else is asked again: who waits for an answer is better told at once that there is no server.
    Bedrock's own client calls twice before it says that it is throttled, so it is called eight times at most.
    """

    def __init__(self, model: SqlModel, wait: Callable[[float], object] = time.sleep) -> None:
        """Ask `model`; `wait` is given seconds."""
        self._model = model
        self._wait = wait

    def complete(self, prompt: Prompt) -> Completion:
        """Return the model's reply; the port says what is raised.

        Raises:
            ModelThrottled: also the last of four calls was.
        """
        return self._retry(lambda: self._model.complete(prompt))

    def sample(self, prompt: Prompt, count: int) -> tuple[Completion, ...]:
        """Return the model's replies; errors are those of `complete`."""
        return self._retry(lambda: self._model.sample(prompt, count))

    def _retry(self, call: Callable[[], _R]) -> _R:
        for longest in LONGEST_WAITS:
            try:
                return call()
            except ModelThrottled:
                self._wait(random.uniform(0, longest))  # noqa: S311 — no secret depends on it
        return call()
