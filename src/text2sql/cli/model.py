"""`text2sql model`: the embedded model's file and its server."""

from pathlib import Path

import click

from text2sql.cli.options import load_settings


@click.group()
def model() -> None:
    """Fetch, look at or stop the embedded model."""
