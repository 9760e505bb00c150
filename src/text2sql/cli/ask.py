"""`text2sql ask`: one question, one answer, on the terminal or as data."""

import sys
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
    from text2sql.messages import Reply

EXIT_CODES = {"answered": 0, "clarification_needed": 3, "declined": 4, "blocked": 5}
"""By outcome; a failed question exits with its error's own code."""
STDIN_BYTES = 1_000_000
UTF8_BYTES = 4
"""The most that a character takes."""


@click.command()
@click.argument("question")
@database_option
@knowledge_option
@caller_options
@click.option("--json", "as_json", is_flag=True, help="Print the whole reply as one JSON object.")
@click.option("--csv", "csv_file", type=click.Path(path_type=Path), help="Also write the rows to a CSV file.")
@click.option("--limit", "row_limit", type=int, help="Most rows to fetch (default 1000).")
@click.option(
    "--i-know",
    is_flag=True,
    default=None,
    help="Go on although the account can write; for a throw-away database.",
)
def ask(  # noqa: PLR0913  # one for each option
    question: str,
    database: str | None,
    knowledge: Path | None,
    csv_file: Path | None,
    row_limit: int | None,
    *,
    caller: CallerOptions,
    as_json: bool,
    i_know: bool | None,
) -> int:
    """Answer QUESTION from a database.

    The database is only ever read. A QUESTION of `-` is read from standard input. For example:

      text2sql ask --database sqlite:///shop.sqlite "Which products sold best?"

      text2sql ask --database mysql://reader@db.example/shop --json "Orders by month"
    """
    from text2sql.cli.progress import show_progress

    settings = load_settings(
        database_url=database,
        knowledge_dir=knowledge,
        policy_file=caller.policy,
        row_limit=row_limit,
        i_know=i_know,
    )
    asker = caller.read(settings)
    if question == "-":
        # Standard input may never end; what is longer than this is refused in any case.
        most = max(STDIN_BYTES, UTF8_BYTES * (settings.question_characters + 1))
        question = sys.stdin.buffer.read(most).decode("utf-8", "surrogateescape")
    with show_progress() as progress:
        progress.say("Starting")
        from text2sql.pipeline import answer
        from text2sql.services import open_services

        services = open_services(settings, progress.say)
        reply = answer(question, services, progress.on_step, asker)
    try:
        if csv_file and reply.outcome == "answered":
            from text2sql.answer.csv_file import write_csv

            write_csv(csv_file, reply.columns, reply.rows)
    finally:  # an answer is shown even where its file cannot be written
        _show(reply, as_json=as_json)
    return _exit_code(reply)


def _show(reply: "Reply", *, as_json: bool) -> None:
    if as_json:
        from text2sql.answer.json_reply import reply_json

        click.echo(reply_json(reply))
    else:
        from rich.console import Console

        from text2sql.answer.terminal import render_reply

        render_reply(reply, Console())


def _exit_code(reply: "Reply") -> int:
    if reply.error is None:
        return EXIT_CODES[reply.outcome]
    from text2sql.errors import exit_code

    return exit_code(reply.error.code)
