"""Options that several commands share, and how they join with the settings."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from text2sql.settings import Settings

database_option = click.option(
    "--database",
    metavar="URL",
    help="sqlite:///file or mysql://user@host/database (else TEXT2SQL_DATABASE_URL).",
)
knowledge_option = click.option(
    "--knowledge",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Folder with catalog.yaml and glossary.yaml about the database.",
)


def load_settings(**options: object) -> "Settings":
    """Return the settings, where an option that was given wins over its variable.

    Raises:
        InvalidSettings: a value is out of its range, and the message names the variable; or
            `database_url` is among the options, and neither it nor its variable has a value.
    """
    from pydantic import ValidationError

    from text2sql.errors import InvalidSettings
    from text2sql.settings import Settings

    try:
        settings = Settings(**{name: value for name, value in options.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "settings"
        raise InvalidSettings(
            f"The setting {name} is not usable: {first['msg']}.",
            remedy=f"Correct the option, or the variable TEXT2SQL_{name.upper()}; see docs/configuration.md.",
        ) from None
    if "database_url" in options and not settings.database_url.strip():
        raise InvalidSettings(
            "No database is named.",
            remedy="Give one with --database sqlite:///file.db or --database mysql://user@host/database, "
            "or set TEXT2SQL_DATABASE_URL.",
        )
    return settings
