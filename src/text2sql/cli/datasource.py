"""`text2sql datasource`: what is known of a database."""

from pathlib import Path

import click

from text2sql.cli.options import (
    CallerOptions,
    caller_options,
    database_option,
    knowledge_option,
    load_settings,
)


@click.group()
def datasource() -> None:
    """Look at a database as the model sees it."""


@datasource.command()
@database_option
@knowledge_option
@caller_options
@click.argument("question", default="")
def show(database: str | None, knowledge: Path | None, question: str, caller: CallerOptions) -> None:
    """Print the schema text that the model is given, for QUESTION where the schema is large."""
    from text2sql.retrieval.schema_text import render_schema
    from text2sql.services import choose_schema_characters, open_access

    settings = load_settings(database_url=database, knowledge_dir=knowledge, policy_file=caller.policy)
    catalog = open_access(settings, caller.read(settings)).catalog
    click.echo(render_schema(catalog, question, choose_schema_characters(settings)))
