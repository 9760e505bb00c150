"""A machine with a model file, whose embedded server has a scripted model in it."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from text2sql.generation.embedded import EmbeddedModel
from text2sql.generation.embedded_process import EmbeddedServer, OnWait
from text2sql.generation.embedded_state import StateFolder
from text2sql.generation.port import Prompt, Turn

FAKE = Path(__file__).parent / "fake_embedded_server.py"


class Machine:
    """A cache folder with a model file, and the clients that use it."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache
        self.folder = StateFolder(cache / "embedded")
        self.model_file = cache / "model.gguf"
        self.model_file.write_bytes(b"GGUF and more")
        self.clients: list[EmbeddedModel] = []

    def server(self, behaviour: str = "good", **options: Any) -> EmbeddedServer:
        command = (sys.executable, str(FAKE), behaviour)
        return EmbeddedServer(self.folder.path, self.model_file, command=command, **options)

    def client(
        self,
        behaviour: str = "good",
        *,
        timeout: float = 10.0,
        on_wait: OnWait | None = None,
        **options: Any,
    ) -> EmbeddedModel:
        server = self.server(behaviour, **options)
        made = EmbeddedModel(self.cache, timeout=timeout, on_wait=on_wait, server=server)
        self.clients.append(made)
        return made

    @property
    def loads(self) -> list[int]:
        """The process ids of all servers that began to load."""
        return [int(line) for line in (self.folder.path / "loads").read_text().split()]

    @property
    def saved(self) -> list[Path]:
        return sorted(self.folder.prefixes.iterdir())

    def end(self) -> None:
        for made in self.clients:
            made.close()
        if (self.folder.path / "loads").exists():
            self.server().stop()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """Give a machine without a server, and end the server that a test has started."""
    made = Machine(tmp_path)
    yield made
    made.end()


def ask(client: EmbeddedModel, system: str = "The schema.", **changes: Any) -> dict[str, Any]:
    prompt = Prompt(system=system, turns=(Turn(role="user", text="How many?"),))
    told: dict[str, Any] = json.loads(client.complete(prompt.model_copy(update=changes)).text)
    return told


REPAIR: dict[str, Any] = {
    "temperature": 0.3,
    "turns": (
        Turn(role="user", text="How many?"),
        Turn(role="assistant", text="SELECT"),
        Turn(role="user", text="No."),
    ),
}


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def await_true(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
