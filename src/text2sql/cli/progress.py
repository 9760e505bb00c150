"""A line on standard error that says what is going on, while it is a terminal."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from text2sql.messages import StepRecord

_SAID = {
    "CheckQuestion": "Checking the question",
    "RewriteQuestion": "Reading the question with those before it",
    "RetrieveContext": "Reading the database's catalog",
    "GenerateSql": "Writing SQL",
    "ValidateSql": "Checking the SQL",
    "ExecuteSql": "Running the query",
    "ComposeAnswer": "Composing the answer",
}


class Progress:
    """Says nothing."""

    def say(self, what: str) -> None:
        """Replace the line's text."""

    def on_step(self, record: "StepRecord") -> None:
        """Say what a step that starts is about."""
        if record.status == "started":
            again = f" again ({record.attempt})" if record.attempt > 1 else ""
            self.say(f"{_SAID[record.step]}{again}")


@contextmanager
def show_progress() -> Iterator[Progress]:
    """Show a spinner on a terminal, nothing elsewhere; the line is gone at the end."""
    if not sys.stderr.isatty():
        yield Progress()
        return
    from rich.console import Console

    with Console(stderr=True).status("") as status:

        class _Spinner(Progress):
            def say(self, what: str) -> None:
                status.update(f"{what} …")

        yield _Spinner()
