"""`text2sql knowledge`: whether what people wrote down still fits the database."""

from pathlib import Path

import click

from text2sql.cli.options import database_option, knowledge_option, load_settings


@click.group()
def knowledge() -> None:
    """Look after the glossary, the metrics and the descriptions; see docs/knowledge.md."""


@knowledge.command()
@database_option
@knowledge_option
def check(database: str | None, knowledge: Path | None) -> int:
    """Hold descriptions, terms and metrics against the database; exit with 1 where one does not fit.

    No statement of theirs is run. `text2sql verified check` looks after verified queries.
    """
    from text2sql.answer.cell_text import flatten
    from text2sql.services import open_knowledge
    from text2sql.validation.knowledge import check_terms

    checked = list(
        check_terms(*open_knowledge(load_settings(database_url=database, knowledge_dir=knowledge)))
    )
    failed = [term for term in checked if term.problem]
    for term in failed:
        click.echo(flatten(f"{term.source}: {term.problem}"))
    click.echo(f"{len(checked) - len(failed):,} of {len(checked):,} terms and metrics fit.", err=True)
    return 1 if failed else 0
