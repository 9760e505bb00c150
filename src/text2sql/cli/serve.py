"""`text2sql serve`: the HTTP API, with the pipeline in the same process."""

from pathlib import Path
from typing import Any

import click

from text2sql.cli.options import (
    CallerOptions,
    caller_options,
    database_option,
    knowledge_option,
    load_settings,
    read_settings,
)

ADMIN_GROUPS = ("admin",)


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
    from text2sql_api.identity import Person
    from text2sql_api.logs import set_up_logs
    from text2sql_api.serving import listen, open_app, serve_at
    from text2sql_api.settings import ApiSettings

    settings = load_settings(
        database_url=database, knowledge_dir=knowledge, policy_file=caller.policy, i_know=i_know
    )
    options: dict[str, Any] = {"host": host, "port": port}
    api_settings = read_settings(ApiSettings, **options)
    caller.read(settings)  # what is wrong with it is said now
    attributes = {name: text for name, _, text in (each.partition("=") for each in caller.attributes)}
    local = Person(subject="local", groups=caller.groups, attributes=attributes, is_admin=True, may_measure=True)
    _say_what_is_missing(settings)
    with open_app(settings, api_settings, local) as app, listen(api_settings.host, api_settings.port) as listener:
        where = f"{api_settings.host}:{listener.getsockname()[1]}"
        click.echo(f"Serving at http://{where}, described at http://{where}/docs; Ctrl-C stops it.", err=True)
        set_up_logs()
        serve_at(app, listener)
