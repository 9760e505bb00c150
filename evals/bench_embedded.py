"""Figures of the embedded model: the first minutes of somebody who has just set it up."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench_commands import QUESTION, Command
from bench_figures import Figure, MeasurementFailed

from text2sql.generation.model_file import is_installed, model_path
from text2sql.services import cache_folder
from text2sql.settings import Settings

ROUNDS = 3
UNWARMED_ROUNDS = 1
SECOND_QUESTION = "How many customers live in each country?"

Say = Callable[[str], None]


def measure_embedded(shop: Path, knowledge: Path, folder: Path, say: Say) -> list[Figure]:
    """Set up as `make ask` does, then ask two questions.

    Raises:
        MeasurementFailed: the model is not installed, or a question was not answered.
    """
    about = _about(shop, knowledge)
    warm: list[float] = []
    first: list[float] = []
    second: list[float] = []
    memory: list[float] = []
    for number in range(ROUNDS):
        with _fresh(folder / f"{number}") as command:
            say(f"embedded model, round {number + 1} of {ROUNDS}: set-up")
            command.run("model", "pull")
            warm.append(command.run("model", "warm", *about)[1])
            command.run("model", "stop")
            say(f"embedded model, round {number + 1} of {ROUNDS}: first and second question")
            first.append(_ask(command, *about, QUESTION, say=say))
            second.append(_ask(command, *about, SECOND_QUESTION, say=say))
            memory.append(_server_memory(command.run("model", "status")[0]))
    return [
        Figure("First answer after set-up, embedded model", "s", tuple(first), bar=25),
        Figure("Second question, embedded model", "s", tuple(second), bar=10),
        Figure("`text2sql model warm`, part of set-up", "s", tuple(warm)),
        Figure("Memory of the embedded model's server, without the model's file", "MB", tuple(memory)),
    ]


def measure_unwarmed(shop: Path, knowledge: Path, folder: Path, say: Say) -> list[Figure]:
    """Ask with nothing set up but the model's file; raises as `measure_embedded` does."""
    runs: list[float] = []
    for number in range(UNWARMED_ROUNDS):
        with _fresh(folder / f"{number}") as command:
            say(f"embedded model with nothing warmed, round {number + 1} of {UNWARMED_ROUNDS}")
            runs.append(_ask(command, *_about(shop, knowledge), QUESTION, say=say))
    return [Figure("First answer with nothing warmed", "s", tuple(runs))]


def _about(shop: Path, knowledge: Path) -> tuple[str, ...]:
    return ("--database", f"sqlite:///{shop.resolve()}", "--knowledge", str(knowledge))


def _ask(command: Command, *arguments: str, say: Say) -> float:
    """Return the seconds until the command ended; say what they went to."""
    printed, seconds = command.run("ask", "--json", *arguments)
    reply = json.loads(printed)
    steps = ", ".join(f"{step['step']} {step['seconds']:.2f} s" for step in reply["steps"])
    usage = reply["usage"]
    tokens = f"{usage['prompt_tokens']} prompt tokens, {usage['cached_tokens']} of them cached"
    say(f"took {seconds:.1f} s: {steps}; {tokens}, {usage['completion_tokens']} completion tokens")
    return seconds


@contextmanager
def _fresh(cache: Path) -> Iterator[Command]:
    """Use a cache folder that holds nothing but the installed model's file; end its server afterwards.

    Raises:
        MeasurementFailed: the model is not installed.
    """
    installed = cache_folder(Settings())
    if not is_installed(installed):
        raise MeasurementFailed("The embedded model is not installed; run `text2sql model pull`.")
    cache.mkdir()
    (cache / "models").symlink_to(model_path(installed).parent.resolve(), target_is_directory=True)
    command = Command(cache)
    try:
        yield command
    finally:
        command.run("model", "stop")


def _server_memory(status: str) -> float:
    found = re.search(r"([\d,]+) MiB", status)
    if not found:
        raise MeasurementFailed(f"`text2sql model status` tells no memory: {status.strip()}")
    return int(found[1].replace(",", "")) * 2**20 / 1e6
