"""Options that several commands share, and how they join with the settings."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from pydantic_settings import BaseSettings

    from text2sql.datasource.policy.access import Caller
    from text2sql.settings import Settings

AnySettings = TypeVar("AnySettings", bound="BaseSettings")

database_option = click.option(
    "--database",
    metavar="URL",
    help="sqlite:///file or mysql://user@host/database (else TEXT2SQL_DATABASE_URL).",
)
knowledge_option = click.option(
    "--knowledge",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Folder with what is known of the database: catalog.yaml, glossary.yaml, documents and more.",
)


@dataclass(frozen=True)
class CallerOptions:
    """Who asks, as the command line says it."""

    policy: Path | None
    groups: tuple[str, ...]
    attributes: tuple[str, ...]
    """Each `name=value`."""

    def read(self, settings: "Settings") -> "Caller":
        """Return the caller, with the attributes in the types that the policy declares.

        Raises:
            InvalidSettings: an attribute is not declared or not of its type, or there is no policy.
            InvalidPolicy: the policy's file does not follow its format.
            KnowledgeBaseUnavailable: its bucket does not answer.
        """
        from text2sql.datasource.policy.access import Caller
        from text2sql.datasource.policy.file import read_policy_file, read_value
        from text2sql.errors import InvalidSettings
        from text2sql.services import find_files

        policy = find_files(settings).policy
        if policy is None:
            if self.groups or self.attributes:
                raise InvalidSettings(
                    "There is no access policy to use groups and attributes for.",
                    remedy="Give one with --policy FILE, or set TEXT2SQL_POLICY_FILE.",
                )
            return Caller()
        declared = read_policy_file(policy).content.attributes
        values = {}
        for name, _, text in (attribute.partition("=") for attribute in self.attributes):
            if name not in declared:
                raise InvalidSettings(
                    f"The access policy declares no attribute {name}.",
                    remedy=f"It declares: {', '.join(declared) or 'none'}.",
                )
            try:
                values[name] = read_value(text, declared[name])
            except ValueError:
                raise InvalidSettings(
                    f"The attribute {name} is not usable.", remedy=f"Give {name}=…: {declared[name]}."
                ) from None
        return Caller(groups=self.groups, attributes=values)


def caller_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options --policy, --group and --attribute, as its argument `caller`."""

    @click.option(
        "--policy",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="Who may see which tables, columns and rows (else TEXT2SQL_POLICY_FILE).",
    )
    @click.option("--group", "groups", metavar="NAME", multiple=True, help="A group that you are in.")
    @click.option(
        "--attribute",
        "attributes",
        metavar="NAME=VALUE",
        multiple=True,
        help="What row conditions ask of you; commas separate a list's values.",
    )
    @wraps(command)
    def collected(
        *arguments: Any,
        policy: Path | None,
        groups: tuple[str, ...],
        attributes: tuple[str, ...],
        **options: Any,
    ) -> Any:
        return command(*arguments, caller=CallerOptions(policy, groups, attributes), **options)

    return collected


def load_settings(**options: object) -> "Settings":
    """Return the settings, where an option that was given wins over its variable.

    Raises:
        InvalidSettings: a value is out of its range, and the message names the variable; or
            `database_url` is among the options, and neither it nor its variable has a value.
    """
    from text2sql.errors import InvalidSettings
    from text2sql.settings import Settings

    settings = read_settings(Settings, **options)
    if "database_url" in options and not settings.database_url.strip():
        raise InvalidSettings(
            "No database is named.",
            remedy="Give one with --database sqlite:///file.db or --database mysql://user@host/database, "
            "or set TEXT2SQL_DATABASE_URL.",
        )
    return settings


def read_settings(kind: "type[AnySettings]", **options: Any) -> "AnySettings":
    """Return settings of one kind, where an option that was given wins over its variable.

    Raises:
        InvalidSettings: a value is out of its range, and the message names the variable.
    """
    from pydantic import ValidationError

    from text2sql.errors import InvalidSettings

    try:
        return kind(**{name: value for name, value in options.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "settings"
        variable = f"{kind.model_config.get('env_prefix', '')}{name.upper()}"
        raise InvalidSettings(
            f"The setting {name} is not usable: {first['msg']}.",
            remedy=f"Correct the option, or the variable {variable}; see docs/configuration.md.",
        ) from None
