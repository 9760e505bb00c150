"""The `text2sql` command: its groups, and how every error becomes a message and an exit code."""

import logging
import os
import sys
from collections.abc import Sequence

import click

from text2sql import __version__
from text2sql.cli.ask import ask
from text2sql.cli.check import check
from text2sql.cli.cost import cost
from text2sql.cli.datasource import datasource
from text2sql.cli.documents import documents
from text2sql.cli.evaluate import evaluate
from text2sql.cli.guardrail import guardrail
from text2sql.cli.knowledge import knowledge
from text2sql.cli.model import model
from text2sql.cli.serve import serve
from text2sql.cli.verified import verified

INTERRUPTED = 130

_log = logging.getLogger(__name__)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="text2sql")
def text2sql() -> None:
    """Ask a database a question in your own words."""


text2sql.add_command(ask)
text2sql.add_command(check)
text2sql.add_command(cost)
text2sql.add_command(datasource)
text2sql.add_command(documents)
text2sql.add_command(evaluate)
text2sql.add_command(guardrail)
text2sql.add_command(knowledge)
text2sql.add_command(model)
text2sql.add_command(serve)
text2sql.add_command(verified)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit with its code; docs/errors.md lists the codes."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    _set_up_log()
    try:
        code = text2sql.main(arguments, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("Stopped.", err=True)
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 — the last net: whatever breaks, the person gets a message
        return _tell(error)
    return code if isinstance(code, int) else 0


def _tell(error: Exception) -> int:
    """Print what went wrong and what to do, and return the exit code."""
    from text2sql.errors import Text2SqlError

    if not isinstance(error, Text2SqlError):
        _log.error("a command broke", exc_info=error)
        remedy = "Run again with TEXT2SQL_LOG=debug and report what it prints."
        error = Text2SqlError("Something broke inside text2sql.", remedy=remedy)
    click.echo(f"{error.message} [{error.code}]", err=True)
    if error.remedy:
        click.echo(error.remedy, err=True)
    return error.exit_code


def _set_up_log() -> None:
    """Log to standard error where TEXT2SQL_LOG names a level, else nowhere; logs hold tracebacks."""
    level = logging.getLevelNamesMapping().get(os.environ.get("TEXT2SQL_LOG", "").upper())
    if level is not None:
        logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    elif not logging.getLogger().handlers:
        # Without a handler, logging would print errors with their tracebacks by itself.
        logging.getLogger().addHandler(logging.NullHandler())
