"""The language model port on the embedded model, which a background process keeps loaded."""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from text2sql.errors import ModelTimedOut, ModelUnavailable
from text2sql.generation.embedded_process import EmbeddedServer
from text2sql.generation.embedded_server import MOST_AT_ONCE
from text2sql.generation.embedded_slot import Slot
from text2sql.generation.embedded_state import StateFolder
from text2sql.generation.model_file import model_path
from text2sql.generation.port import Completion, Prompt

WARM_SECONDS = 900.0
"""The time limit for reading a system prompt ahead; a slow machine takes minutes for a large schema."""

OnWait = Callable[[str], None]


class EmbeddedModel:
    """Completions from a server on the loopback address, which is started once and reused.

    A first question at temperature 0 always starts from the same saved state of the system prompt. So its
    answer depends on the prompt alone, not on what was asked before.
    """

    def __init__(
        self,
        cache_folder: Path,
        *,
        timeout: float = 120.0,
        threads: int = 0,
        idle_seconds: float = 600.0,
        on_wait: OnWait | None = None,
        server: EmbeddedServer | None = None,
    ) -> None:
        """Start nothing yet.

        Args:
            cache_folder: holds `models/` with the model's file and `embedded/` with the server's state.
            timeout: seconds for a call, beside the time in which the model is loaded.
            threads: 0 for as many as this process may use.
            idle_seconds: how long a server that this starts stays after its last request.
            on_wait: told in a few words what is being waited for, again and again.
            server: another server than that of `cache_folder`.
        """
        self.server = server or EmbeddedServer(
            cache_folder / "embedded",
            model_path(cache_folder),
            threads=threads,
            idle_seconds=idle_seconds,
        )
        self._timeout = timeout
        self._on_wait = on_wait or (lambda _: None)
        # A connection is not kept: the server may be another one by the next call.
        self._http = httpx.Client(trust_env=False, headers={"Connection": "close"})
        self._name = secrets.token_hex(8)
        self._sampled = 0

    def close(self) -> None:
        """Close the connections; the server goes on."""
        self._http.close()

    def complete(self, prompt: Prompt) -> Completion:
        """Return the model's reply; the port says what is raised.

        Raises:
            ModelError: the prompt is longer than the model can read.
        """
        return self.sample(prompt, 1)[0]

    def sample(self, prompt: Prompt, count: int) -> tuple[Completion, ...]:
        """Return that many replies, which the server writes at the same time; at most `MOST_AT_ONCE`.

        Raises:
            ModelError: as `complete` does.
        """
        first = len(prompt.turns) == 1 and prompt.temperature == 0
        self._sampled = 0 if first else self._sampled + 1
        with self._slot(prompt.system, self._timeout) as slot:
            if first or not slot.is_continued():
                slot.read_system()
            return slot.sample(prompt, min(count, MOST_AT_ONCE), seed=self._sampled)

    def warm(self, system: str) -> None:
        """Load the model and read a system prompt ahead, so that the first question is answered fast.

        Raises:
            ModelError: as `complete` does.
        """
        with self._slot(system, WARM_SECONDS) as slot:
            slot.read_system()

    @contextmanager
    def _slot(self, system: str, seconds: float) -> Iterator[Slot]:
        folder = self.server.folder
        folder.create()
        end = time.monotonic() + seconds
        with _translated(folder, seconds), folder.request_lock(seconds, self._say_busy):
            began = time.monotonic()
            state = self.server.ensure(self._http, self._on_wait)
            end += time.monotonic() - began
            folder.touch()
            try:
                yield Slot(self._http, folder, state, system, end, self._on_wait, self._name)
            finally:
                folder.touch()

    def _say_busy(self) -> None:
        self._on_wait("Waiting for another question to the embedded model")


@contextmanager
def _translated(folder: StateFolder, seconds: float) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise ModelTimedOut(
            f"The embedded model was busy with other questions for {seconds:g} seconds.",
            remedy="Ask again, or raise TEXT2SQL_MODEL_TIMEOUT.",
        ) from error
    except OSError as error:
        raise ModelUnavailable(
            f"The embedded model's folder cannot be used: {folder.path}.", remedy="Set TEXT2SQL_CACHE_DIR."
        ) from error
