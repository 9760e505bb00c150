"""One call to the embedded model's server, which has one slot and takes one call at a time."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from text2sql.errors import ModelUnavailable
from text2sql.generation.embedded_state import ServerState, StateFolder
from text2sql.generation.openai import OpenAiModel
from text2sql.generation.port import Completion, Prompt, Turn
from text2sql.generation.prefix_cache import PrefixCache

MODEL_NAME = "qwen2.5-coder-1.5b-instruct"
"""What the usage says; the server answers to any name."""


@dataclass(frozen=True)
class Slot:
    """The server's slot, for a caller who holds the request lock."""

    http: httpx.Client
    folder: StateFolder
    state: ServerState
    system: str
    end: float
    """When the call must be over, on the monotonic clock."""
    on_wait: Callable[[str], None]
    client: str
    """Who calls; different for each client."""
    mark: str = field(init=False)
    """What this caller leaves about the slot after a call."""

    def __post_init__(self) -> None:
        digest = hashlib.sha256(self.system.encode("utf-8")).hexdigest()
        object.__setattr__(self, "mark", f"{self.client} {self.state.started} {digest}")

    def is_continued(self) -> bool:
        """Tell whether the slot still holds this client's last call, and that had the same system prompt."""
        return self.folder.read_slot() == self.mark

    def read_system(self) -> None:
        """Bring the server to where it is after reading the system prompt, from disk where possible."""
        saved = PrefixCache(
            self.folder.prefixes,
            fingerprint=self.state.fingerprint,
            http=self.http,
            url=self.state.url,
            key=self.state.key,
        )
        if self.system and not saved.restore(self.system):
            self.on_wait("Reading the schema for the first time")
            turns = (Turn(role="user", text=""),)
            self.sample(Prompt(system=self.system, turns=turns, max_tokens=1), 1, seed=0)
            saved.save(self.system)

    def sample(self, prompt: Prompt, count: int, *, seed: int) -> tuple[Completion, ...]:
        """Ask the server for replies; the same seed gives the same ones.

        Raises:
            ModelTimedOut: there is no whole reply before `end`.
            ModelUnavailable: the server ended in the middle.
            ModelError: the prompt is too long.
        """
        self.folder.write_slot(self.mark)
        model = OpenAiModel(
            f"{self.state.url}/v1",
            MODEL_NAME,
            self.state.key,
            max(self.end - time.monotonic(), 0.01),
            body={"seed": seed, "cache_prompt": True, "id_slot": 0, "logprobs": True},
            client=self.http,
        )
        try:
            return model.sample(prompt, count)
        except ModelUnavailable as error:
            raise ModelUnavailable(
                "The embedded model's server ended in the middle of a request.",
                remedy=f"Ask again; if it happens again, look at its log, {self.folder.log}.",
            ) from error
