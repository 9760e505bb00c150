"""The file of a running evaluation: it grows line by line, and can be taken up again after any end."""

import fcntl
import os
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from pydantic import ValidationError

from text2sql import __version__
from text2sql.errors import InvalidEvaluation, OutputNotWritten
from text2sql.evaluation.results import Result, parse_results
from text2sql.messages import Message
from text2sql.settings import Settings

_NOT_MEASURED = frozenset(
    """database_url database_password database_secret i_know model_base_url model_api_key model_threads
    model_idle_seconds cache_dir row_limit""".split()
)
"""Settings that say where something is, or that make no answer a different one; secrets are among them."""


class Run(Message):
    """What must be the same for lines to stand in one file; kept beside it as `NAME.run.json`."""

    questions: str
    """The digest of all questions that the sample is taken from."""
    seed: int
    config: str
    version: str
    settings: dict[str, str]

    @classmethod
    def of(cls, questions: str, seed: int, config: str, settings: Settings) -> Self:
        """Describe a run with these settings."""
        measured = settings.model_dump(mode="json", exclude=set(_NOT_MEASURED))
        told = {name: str(value) for name, value in measured.items()}
        return cls(questions=questions, seed=seed, config=config, version=__version__, settings=told)

    def differences(self, other: "Run") -> list[str]:
        """Name what differs."""
        fields = ("questions", "seed", "config", "version")
        names = [name for name in fields if getattr(self, name) != getattr(other, name)]
        settings = self.settings.keys() | other.settings.keys()
        return names + sorted(
            name for name in settings if self.settings.get(name) != other.settings.get(name)
        )


class ResultsFile:
    """Results of one run, open for more; one process at a time.

    Attributes:
        results: by the question's key, those of earlier calls included.
    """

    def __init__(self, path: Path, run: Run) -> None:
        """Take up the file, or begin it. A last line that was broken off is cut, so it is asked again.

        Raises:
            InvalidEvaluation: it belongs to another run, has no run beside it, is no results file, or
                another process writes it.
            OutputNotWritten: it cannot be written.
        """
        self.path = path
        try:
            with ExitStack() as stack:
                self._file: BinaryIO = stack.enter_context(path.open("a+b"))
                _lock(self._file, path)
                self._file.seek(0)
                data = self._file.read()
                _check_run(path, run, is_new=not data)
                self.results = parse_results(data, path)
                self._file.truncate(data.rfind(b"\n") + 1)
                stack.pop_all()
        except OSError as error:
            raise _not_written(path) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, result: Result) -> None:
        """Append a result; it is on the disk when this returns.

        Raises:
            OutputNotWritten: it could not be written.
        """
        try:
            self._file.write(result.line().encode())
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise _not_written(self.path) from error
        self.results[result.asked.key] = result


def run_path(path: Path) -> Path:
    """Return where the run of a results file is described."""
    return path.with_name(f"{path.name}.run.json")


def _check_run(path: Path, run: Run, *, is_new: bool) -> None:
    """Compare with the run that began the file, or begin it."""
    beside = run_path(path)
    another = "Give another --out"
    if is_new:
        beside.write_text(run.model_dump_json(indent=2) + "\n", "utf-8")
        return
    try:
        earlier = Run.model_validate_json(beside.read_bytes())
    except (FileNotFoundError, ValidationError) as error:
        raise InvalidEvaluation(
            f"{path} has results, but {beside.name} does not say of what run.",
            remedy=f"{another}, or bring that file back.",
        ) from error
    if differences := run.differences(earlier):
        raise InvalidEvaluation(
            f"{path} holds results of another run; what differs: {', '.join(differences)}.",
            remedy=f"{another}, or make these as {beside.name} says.",
        )


def _lock(file: BinaryIO, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise InvalidEvaluation(
            f"Another process writes {path}.", remedy="Wait for it, or give another --out."
        ) from error


def _not_written(path: Path) -> OutputNotWritten:
    return OutputNotWritten(
        f"{path} could not be written.", remedy="Choose another place, or free some room."
    )
