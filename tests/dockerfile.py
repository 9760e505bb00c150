"""Reads a Dockerfile, as far as ours need it."""

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Stage:
    name: str
    base: str
    steps: list[tuple[str, str]] = field(default_factory=list)
    """Instructions and what stands behind them, continued lines joined."""

    def all(self, instruction: str) -> list[str]:
        """Return what stands behind each of these instructions."""
        return [text for name, text in self.steps if name == instruction]

    def the(self, instruction: str) -> str:
        """Return what stands behind the only one of them."""
        (text,) = self.all(instruction)
        return text

    def command(self, instruction: str) -> list[str]:
        """Return a command in exec form; options before it are skipped."""
        text = self.the(instruction)
        words: list[str] = json.loads(text[text.index("[") :])
        return words

    def variables(self) -> dict[str, str]:
        """Return what ENV sets."""
        pairs = (word.partition("=") for text in self.all("ENV") for word in shlex.split(text))
        return {name: value for name, _, value in pairs}


@dataclass(frozen=True)
class Copy:
    stage: str
    """Where from; empty for the build context."""
    sources: tuple[str, ...]
    target: str


def read_copy(text: str) -> Copy:
    """Return what a COPY copies."""
    words = shlex.split(text)
    stage = words.pop(0).removeprefix("--from=") if words[0].startswith("--from=") else ""
    assert not any(word.startswith("--") for word in words)
    return Copy(stage, tuple(words[:-1]), words[-1])


def read_stages(path: Path) -> dict[str, Stage]:
    """Return the stages by name, in order; the last one is the image."""
    stages: dict[str, Stage] = {}
    lines = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("#")]
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        name, _, text = line.strip().partition(" ")
        if name == "FROM":
            base, _, alias = text.partition(" AS ")
            stage = stages.setdefault(alias, Stage(alias, base))
        elif name:
            stage.steps.append((name, text))
    return stages
