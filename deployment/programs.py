"""Runs the programs that a deployment takes, and says in one error what went wrong and what helps."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

REPOSITORY = Path(__file__).resolve().parents[1]


class DeploymentFailed(Exception):
    """The deployment cannot go on; the text says why, and what helps. Another run goes on where it ended."""


class Programs:
    """Runs programs of the PATH with these variables beside those of the environment."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._environment = {**os.environ, **variables}

    def find(self, name: str, remedy: str) -> None:
        """Make sure that a program is there.

        Raises:
            DeploymentFailed: it is not.
        """
        if shutil.which(name, path=self._environment.get("PATH")) is None:
            raise DeploymentFailed(f"There is no program {name}. {remedy}")

    def run(
        self, *command: str | Path, folder: Path = REPOSITORY, text: str = "", allowed: Sequence[int] = (0,)
    ) -> int:
        """Run a program that talks to the person, with `text` as its input; return its exit code.

        Raises:
            DeploymentFailed: it ended with a code that is not allowed.
        """
        given = {"input": text, "text": True} if text else {}
        ended = subprocess.run(command, cwd=folder, env=self._environment, check=False, **given)  # type: ignore[call-overload]
        if ended.returncode not in allowed:
            raise DeploymentFailed(f"{_shown(command)} ended with {ended.returncode}; see above.")
        return int(ended.returncode)

    def read(self, *command: str | Path, folder: Path = REPOSITORY) -> str:
        """Return what a program prints.

        Raises:
            DeploymentFailed: it failed; the error repeats what it complained of.
        """
        ended = subprocess.run(
            command, cwd=folder, env=self._environment, capture_output=True, text=True, check=False
        )
        if ended.returncode != 0:
            raise DeploymentFailed(f"{_shown(command)} failed: {ended.stderr.strip()}")
        return ended.stdout


def confirm(question: str, expected: str, *, is_agreed: bool) -> None:
    """Go on only with this very word, or where everything was agreed to before.

    Raises:
        DeploymentFailed: something else was typed, or nobody is there to type.
    """
    if is_agreed:
        return
    try:
        typed = input(f"\n{question} Only {expected} is taken for a yes: ")
    except EOFError:
        typed = ""
    if typed.strip() != expected:
        raise DeploymentFailed("Nothing was changed. Where nobody is there to be asked, YES=1 agrees.")


def run_script(name: str, work: Callable[[], None]) -> int:
    """Do a script's work; return the exit code, and tell in one line why it ended before its end."""
    try:
        work()
    except DeploymentFailed as fault:
        print(f"\n{name}: {fault}", file=sys.stderr)
        return 1
    except (BotoCoreError, ClientError) as error:
        print(f"\n{name}: AWS refused: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\n{name}: stopped. Another run goes on from here.", file=sys.stderr)
        return 130
    return 0


def say(what: str) -> None:
    """Tell what begins."""
    print(f"\n── {what}", flush=True)


def _shown(command: Sequence[str | Path]) -> str:
    return " ".join(Path(part).name if isinstance(part, Path) else part for part in command[:2])
