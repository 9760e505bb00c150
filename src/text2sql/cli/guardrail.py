"""`text2sql guardrail`: what the guardrail makes of a text."""

from pathlib import Path

import click

from text2sql.cli.options import load_settings


@click.group()
def guardrail() -> None:
    """See what the guardrail stops or masks."""


@guardrail.command()
@click.argument("text")
@click.option(
    "--policy",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The guardrail's policy; or set TEXT2SQL_GUARDRAIL_FILE.",
)
@click.option("--output", "is_output", is_flag=True, help="Screen it as an answer, not as a question.")
def screen(text: str, policy: Path | None, *, is_output: bool) -> int:
    """Screen TEXT, print what may go on of it, and what was found; exits with 5 where it is stopped."""
    from text2sql.cli.ask import EXIT_CODES
    from text2sql.services import open_guardrail

    settings = load_settings(**({"guardrail_file": policy} if policy else {}))
    screening = open_guardrail(settings).screen(text, "output" if is_output else "input")
    click.echo(screening.blocked_message or screening.text)
    for finding in screening.findings:
        click.echo(f"{finding.action}: {finding.kind}", err=True)
    return EXIT_CODES["blocked"] if screening.blocked_message is not None else 0
