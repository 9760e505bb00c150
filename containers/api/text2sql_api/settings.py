"""Settings of the API, read from `TEXT2SQL_API_…` variables; a test ties docs/configuration.md to them."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ApiSettings(BaseSettings):
    """All settings of the API; those of the pipeline are `text2sql.settings.Settings`."""

    model_config = SettingsConfigDict(env_prefix="TEXT2SQL_API_", frozen=True, extra="ignore")

    host: str = "127.0.0.1"
    """The address to listen at; any but a loopback address needs `issuer`."""
    port: int = Field(8000, ge=0, le=65535)
    """The port to listen at; 0 for any that is free."""

    issuer: str = ""
    """Who signs the tokens, for example a Cognito user pool's URL; empty to serve this machine alone."""
    jwks_url: str = ""
    """Where the issuer's keys are; empty for `/.well-known/jwks.json` under it."""
    client_ids: str = ""
    """The app clients whose tokens are taken, with commas between them."""
    token_use: Literal["access", "id"] = "access"  # noqa: S105  # no password
    """Which of Cognito's two kinds of token is taken; only id tokens hold a person's own attributes."""
    clock_skew: float = Field(60.0, ge=0, le=300)
    """By how many seconds the issuer's clock may differ."""
    attribute_claims: str = ""
    """Claims that become attributes of the access policy: `region=custom:region,tenant=custom:tenant`."""
    scope_prefix: str = "text2sql/"
    """What the scopes of machine clients start with: `ask`, `metrics` and `group.NAME` follow."""
    admin_group: str = "admin"
    """Its members see everybody's jobs, and the metrics; they may do what editors may."""
    editor_group: str = "editor"
    """Its members may change documents."""
    gateway_secret: SecretStr = SecretStr("")
    """What the API gateway proves itself with, when it says which IAM identity has signed a request."""
    iam_groups: str = ""
    """The groups of IAM identities: `arn:aws:iam::123456789012:role/etl=sales+finance,…`."""

    state_machine: str = ""
    """The ARN of the standard state machine that works on jobs; empty to work on them in this process."""
    state_machine_now: str = ""
    """The ARN of its express twin for requests that wait; empty to let them use the standard one."""
    jobs_table: str = ""
    """The DynamoDB table of jobs, with `state_machine`."""
    results_bucket: str = ""
    """The S3 bucket of their rows, with `state_machine`."""
    jobs_file: Path | None = None
    """The SQLite file of jobs and their rows; `jobs.sqlite` in the cache folder where it is not set."""
    job_seconds: float = Field(604_800.0, gt=0)
    """How long a job and its rows are kept."""
    workers: int = Field(4, ge=1, le=64)
    """How many questions are worked on at once."""
    user_jobs: int = Field(20, ge=1)
    """How many unfinished jobs a user may have."""
    requests_per_minute: int = Field(600, ge=1)
    """How many requests a user may make."""
    body_bytes: int = Field(65_536, ge=1024)
    """The largest body of a request."""
    run_seconds: float = Field(60.0, gt=0)
    """How long a synchronous request waits for its answer."""
    session_seconds: float = Field(500.0, gt=0)
    """How long a session lasts after its last answer."""
