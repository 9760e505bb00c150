"""`text2sql model`: the embedded model's file and the process that keeps it loaded."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from text2sql.cli.options import (
    CallerOptions,
    caller_options,
    database_option,
    knowledge_option,
    load_settings,
)

if TYPE_CHECKING:
    from text2sql.generation.model_file import Progress


@click.group()
def model() -> None:
    """Fetch, start, look at or stop the embedded model."""


@model.command()
@click.option(
    "--from",
    "source_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Use a file that you brought instead of downloading it.",
)
def pull(source_file: Path | None) -> None:
    """Fetch the embedded model's file (1.1 GB); an interrupted download goes on where it stopped."""
    from text2sql.generation.model_file import is_installed
    from text2sql.generation.model_pull import pull as pull_model
    from text2sql.services import cache_folder

    folder = cache_folder(load_settings())
    if is_installed(folder):
        return
    with _show_download() as on_progress:
        path = pull_model(folder, on_progress, source_file=source_file)
    click.echo(f"The embedded model is at {path}.", err=True)


@model.command()
@database_option
@knowledge_option
@caller_options
def warm(database: str | None, knowledge: Path | None, caller: CallerOptions) -> None:
    """Load the embedded model and let it read what you may see, so that questions start fast."""
    from text2sql.cli.progress import show_progress
    from text2sql.services import warm_model

    settings = load_settings(database_url=database, knowledge_dir=knowledge, policy_file=caller.policy)
    with show_progress() as progress:
        warm_model(settings, caller.read(settings), progress.say)


@model.command()
def status() -> None:
    """Tell whether the embedded model is installed and loaded."""
    from text2sql.generation.model_file import is_installed, model_path
    from text2sql.services import cache_folder, embedded_server

    settings = load_settings()
    folder = cache_folder(settings)
    found = "installed" if is_installed(folder) else "not installed"
    click.echo(f"{model_path(folder)}: {found}")
    server = embedded_server(settings).status()
    memory = f", {server.memory_bytes / 2**20:,.0f} MiB" if server.memory_bytes else ""
    process = f", process {server.pid}{memory}" if server.pid else ""
    click.echo(f"server: {server.state}{process}")


@model.command()
def stop() -> None:
    """End the process that keeps the embedded model loaded."""
    from text2sql.services import embedded_server

    stopped = embedded_server(load_settings()).stop()
    click.echo("stopped" if stopped else "not loaded")


@contextmanager
def _show_download() -> Iterator[Callable[["Progress"], None]]:
    """Show a bar on a terminal, and a line for every tenth part elsewhere."""
    if not sys.stderr.isatty():
        yield _Lines().show
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Embedded model", total=None)

        def show(progress: "Progress") -> None:
            words = f"{progress.doing.capitalize()} the embedded model"
            described = f"{words} ({progress.source})" if progress.source else words
            bar.update(task, description=described, completed=progress.done, total=progress.total)

        yield show


class _Lines:
    """Says on standard error how far it is, at most ten times."""

    def __init__(self) -> None:
        self._said = ("", -1)

    def show(self, progress: "Progress") -> None:
        tenth = 10 * progress.done // max(progress.total, 1)
        if (progress.doing, tenth) != self._said:
            self._said = (progress.doing, tenth)
            click.echo(
                f"Embedded model: {progress.doing}, {10 * tenth} % of {progress.total:,} bytes", err=True
            )
