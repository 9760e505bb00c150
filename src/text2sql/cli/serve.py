"""`text2sql serve`: the HTTP API, with the pipeline in the same process, or in Step Functions."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from text2sql.cli.options import (
    CallerOptions,
    caller_options,
    database_option,
    knowledge_option,
    load_settings,
    read_settings,
)

if TYPE_CHECKING:
    from text2sql.settings import Settings


@click.command()
@database_option
@knowledge_option
@caller_options
@click.option("--host", help="The address to listen at (default 127.0.0.1).")
@click.option("--port", type=int, help="The port to listen at (default 8000).")
@click.option(
    "--i-know",
    is_flag=True,
    default=None,
    help="Go on although the account can write; for a throw-away database.",
)
def serve(
    database: str | None,
    knowledge: Path | None,
    host: str | None,
    port: int | None,
    *,
    caller: CallerOptions,
    i_know: bool | None,
) -> None:
    """Serve the HTTP API for a database; its description is at /docs.

    At a loopback address everybody on this machine may ask, as the group that you name here. Any other
    address needs an issuer of tokens, see docs/api.md. For example:

      text2sql serve --database sqlite:///shop.sqlite --knowledge examples/shop
    """
    from text2sql.errors import InvalidSettings
    from text2sql_api.identity import Person
    from text2sql_api.logs import set_up_logs
    from text2sql_api.serving import listen, open_app, serve_at, uses_step_functions
    from text2sql_api.settings import ApiSettings

    settings = load_settings(
        database_url=database, knowledge_dir=knowledge, policy_file=caller.policy, i_know=i_know
    )
    api_settings = read_settings(ApiSettings, host=host, port=port)
    caller.read(settings)  # what is wrong with it is said now, not with the first question
    if api_settings.issuer and (caller.groups or caller.attributes):
        raise InvalidSettings(
            "Groups and attributes come with the issuer's tokens.",
            remedy="Leave out --group and --attribute.",
        )
    attributes = {name: text for name, _, text in (each.partition("=") for each in caller.attributes)}
    local = Person(
        subject="local", groups=caller.groups, attributes=attributes, is_editor=True, may_measure=True
    )
    with (
        open_app(settings, api_settings, local) as app,
        listen(api_settings.host, api_settings.port) as listener,
    ):
        _try(settings, asks_model=not uses_step_functions(api_settings))
        address = f"http://{api_settings.host}:{listener.getsockname()[1]}"
        click.echo(f"Serving at {address}, described at {address}/docs; Ctrl-C stops it.", err=True)
        set_up_logs()
        serve_at(app, listener)


def _try(settings: "Settings", *, asks_model: bool) -> None:
    """Say ahead what the first question would fail for.

    Raises:
        Text2SqlError: it would fail for a reason that does not go away by itself.
    """
    from text2sql.errors import ModelError, Text2SqlError
    from text2sql.services import check_account, check_model, find_files, open_catalog

    try:
        check_account(settings)
        catalog = open_catalog(settings)
        if policy := find_files(settings).policy:
            from text2sql.validation.policy.load import load_policy

            load_policy(policy, catalog)
        if asks_model:
            check_model(settings)
    except Text2SqlError as error:
        if not (error.retryable or isinstance(error, ModelError)):
            raise
        click.echo(f"{error.message} [{error.code}]\n{error.remedy}".rstrip(), err=True)
