"""The `text2sql` command: its groups, and how every error becomes a message and an exit code."""

import sys
from collections.abc import Sequence

import click

from text2sql import __version__
from text2sql.cli.ask import ask
from text2sql.cli.datasource import datasource
from text2sql.cli.model import model

INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="text2sql")
def text2sql() -> None:
    """Ask a database a question in your own words."""


text2sql.add_command(ask)
text2sql.add_command(datasource)
text2sql.add_command(model)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit with its code; docs/errors.md lists the codes."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    try:
        code = text2sql.main(arguments, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("\nStopped.", err=True)
        return INTERRUPTED
    except Exception as error:
        from text2sql.errors import Text2SqlError

        if not isinstance(error, Text2SqlError):
            raise
        click.echo(f"{error.message} [{error.code}]", err=True)
        if error.remedy:
            click.echo(error.remedy, err=True)
        return error.exit_code
    return code if isinstance(code, int) else 0
