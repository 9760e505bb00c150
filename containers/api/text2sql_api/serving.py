"""The composition root of the API: which adapter stands behind which port, by the settings alone."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn
from starlette.types import ASGIApp

from text2sql.errors import InvalidSettings
from text2sql.execution.url import datasource_name
from text2sql.pipeline import Services
from text2sql.services import cache_folder, check_model, open_library, open_services
from text2sql.settings import Settings
from text2sql_api.auth import (
    LOOPBACK,
    Authenticator,
    GatewayAuthenticator,
    LocalAuthenticator,
    TokenAuthenticator,
)
from text2sql_api.dependencies import Api, Jobs
from text2sql_api.identity import Person
from text2sql_api.keys import KeySet, fetch_from
from text2sql_api.main import create_app
from text2sql_api.metrics import Metrics
from text2sql_api.settings import ApiSettings
from text2sql_api.workflow.port import Workflow

KEEP_ALIVE_SECONDS = 75
"""Longer than a load balancer's 60 s: else it sends requests into connections that are being closed."""
STOP_SECONDS = 5
"""How long a stop waits for requests and event streams."""


@contextmanager
def open_app(settings: Settings, api_settings: ApiSettings, local: Person) -> Iterator[ASGIApp]:
    """Lend the app, whose workflow works for as long as the block lasts.

    `local` is who asks where there is no issuer.

    Raises:
        InvalidSettings, InvalidKnowledge: a setting or a knowledge file is wrong.
        JobStoreUnavailable, WorkflowUnavailable: the jobs cannot be kept, or not be worked on.
    """
    authenticator = open_authenticator(api_settings, local)
    name = datasource_name(settings.database_url)
    datasources = {name: open_services(settings)}
    library = open_library(settings)
    metrics = Metrics()
    in_the_cloud = uses_step_functions(api_settings)
    opened = (
        _in_step_functions(api_settings)
        if in_the_cloud
        else _in_this_process(settings, api_settings, datasources, metrics)
    )
    with opened as (jobs, workflow):
        api = Api(
            settings=api_settings,
            jobs=jobs,
            workflow=workflow,
            datasources=datasources,
            metrics=metrics,
            check_model=(lambda: None) if in_the_cloud else partial(check_model, settings),
            libraries={name: library} if library else {},
        )
        yield create_app(api, authenticator)


def uses_step_functions(settings: ApiSettings) -> bool:
    """Tell whether the settings name a state machine to work on jobs.

    Raises:
        InvalidSettings: only some of what belongs together is set.
    """
    together = ("state_machine", "jobs_table", "results_bucket")
    missing = [name for name in together if not getattr(settings, name)]
    if len(missing) == len(together) and not settings.state_machine_now:
        return False
    if missing:
        raise InvalidSettings(
            "Jobs run in Step Functions only with a state machine, a table and a bucket.",
            remedy=f"Set {', '.join(f'TEXT2SQL_API_{name.upper()}' for name in missing)} as well.",
        )
    return True


def jobs_file(settings: Settings, api_settings: ApiSettings) -> Path:
    """Return the SQLite file of jobs, which is used where no table of DynamoDB is named."""
    return api_settings.jobs_file or cache_folder(settings) / "jobs.sqlite"


@contextmanager
def _in_this_process(
    settings: Settings, api_settings: ApiSettings, datasources: Mapping[str, Services], metrics: Metrics
) -> Iterator[tuple[Jobs, Workflow]]:
    from text2sql.jobs.sqlite import SqliteJobStore
    from text2sql_api.workflow.in_process import InProcessWorkflow

    path = jobs_file(settings, api_settings)
    store = SqliteJobStore(path)
    workflow = InProcessWorkflow(
        store=store,
        services=datasources,
        metrics=metrics,
        lock_file=path.with_name(f"{path.name}.lock"),
        workers=api_settings.workers,
        session_seconds=api_settings.session_seconds,
    )
    try:
        workflow.open()
        yield store, workflow
    finally:
        workflow.close()
        store.close()


@contextmanager
def _in_step_functions(settings: ApiSettings) -> Iterator[tuple[Jobs, Workflow]]:
    from text2sql.jobs.cloud import open_cloud_store
    from text2sql_api.workflow import step_functions

    store = open_cloud_store(settings.jobs_table, settings.results_bucket)
    workflow = step_functions.connect(
        store, settings.state_machine, settings.state_machine_now, settings.session_seconds
    )
    try:
        workflow.open()
        yield store, workflow
    finally:
        workflow.close()


def open_authenticator(settings: ApiSettings, local: Person) -> Authenticator:
    """Return who checks the callers: without an issuer, only this machine is served.

    Raises:
        InvalidSettings: other machines could reach an address where nobody is asked who they are.
    """
    people = _open_people(settings, local)
    if settings.iam_groups or settings.gateway_secret.get_secret_value():
        return GatewayAuthenticator(settings, people)
    return people


def _open_people(settings: ApiSettings, local: Person) -> Authenticator:
    if settings.issuer:
        url = settings.jwks_url or f"{settings.issuer.rstrip('/')}/.well-known/jwks.json"
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in LOOPBACK:
            raise InvalidSettings(
                "The issuer's keys would come over an open line.",
                remedy="Let the issuer's URL begin with https.",
            )
        return TokenAuthenticator(settings, KeySet(partial(fetch_from, url)))
    if settings.host not in LOOPBACK:
        raise InvalidSettings(
            f"Other machines can reach {settings.host}, and nobody would be asked who they are.",
            remedy="Set TEXT2SQL_API_ISSUER and TEXT2SQL_API_CLIENT_IDS, or listen at 127.0.0.1.",
        )
    return LocalAuthenticator(local)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket at the address.

    Raises:
        InvalidSettings: the address cannot be had.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=2048)
        # Connections inherit it; without it a reply of two parts waits 40 ms for the first one's receipt.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        raise InvalidSettings(
            f"Nobody can listen at {host}, port {port}.", remedy="Choose another with --host or --port."
        ) from error
    return listener


def serve_at(app: ASGIApp, listener: socket.socket) -> None:
    """Serve until the process is told to stop."""
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[listener])
