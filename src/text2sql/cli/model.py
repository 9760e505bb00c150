"""`text2sql model`: the embedded model's file and its server."""

import click


@click.group()
def model() -> None:
    """Fetch, look at or stop the embedded model."""
