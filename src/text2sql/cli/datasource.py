"""`text2sql datasource`: what is known of a database."""

from pathlib import Path

import click

from text2sql.cli.options import database_option, knowledge_option, load_settings


@click.group()
def datasource() -> None:
    """Look at a database as the model sees it."""


@datasource.command()
@database_option
@knowledge_option
@click.argument("question", default="")
def show(database: str | None, knowledge: Path | None, question: str) -> None:
    """Print the schema text that the model is given, for QUESTION where the schema is large."""
    from text2sql.retrieval.schema_text import render_schema
    from text2sql.services import choose_schema_characters, open_catalog

    settings = load_settings(database_url=database, knowledge_dir=knowledge)
    click.echo(render_schema(open_catalog(settings), question, choose_schema_characters(settings)))
