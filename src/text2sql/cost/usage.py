"""How much of everything a deployment uses in a month; presets and files of it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError, model_validator

from text2sql.errors import InvalidSettings
from text2sql.messages import Message
from text2sql.yaml_file import YamlFile

PRESETS = Path(__file__).with_name("presets.yaml")
_MANUAL = "docs/cost.md"

_Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Count = Annotated[int, Field(ge=0)]
_Share = Annotated[float, Field(ge=0, le=1)]
_Hours = Annotated[float, Field(ge=0, le=24)]


class Usage(Message):
    """A deployment and what is asked of it. What has no figure here is not there."""

    # questions
    questions_per_day: _Amount = 0
    answered_share: Annotated[float, Field(gt=0, le=1)] = 0.98
    """Of the questions; 294 of 300 statements ran with the embedded model (docs/accuracy.md)."""
    requests_per_question: _Amount = 12
    """To the gateway: one that asks, some that look how it goes, one that reads."""
    express_share: _Share = 0
    """Of the questions, those that somebody waits for on the route that answers at once."""

    # the model
    model: str = "claude-sonnet-4-6"
    prompt_tokens: _Amount = 1301
    """Of one call; 1,301 for the sample shop (docs/api.md)."""
    cached_share: _Share = 0
    """Of the prompt tokens, those read from the model's cache."""
    written_share: _Share = 0
    """Of the prompt tokens, those written to it."""
    completion_tokens: _Amount = 25
    """Of one call; the median of `votes-1` (evals/results)."""
    votes: Annotated[int, Field(ge=1, le=9)] = 3
    """As TEXT2SQL_VOTES: how many drafts each further round asks for."""
    extra_rounds: _Amount = 0.41
    """Rounds a question beyond the first; `votes-1` took 1.41 drafts with the embedded model."""

    # the guardrail
    guardrail_units: _Amount = 2
    """Text units of up to 1,000 characters: the question, and the sentence of its answer."""

    # what always runs
    hours_per_day: _Hours = 24
    """Of the containers and instances."""
    fargate_tasks: _Amount = 0
    fargate_vcpu: _Amount = 1
    fargate_gb: _Amount = 4
    fargate_spot_share: _Share = 0
    instances: _Amount = 0
    instance_class: str = "t3.medium"
    instance_disk_gb: _Amount = 30
    databases: _Count = 0
    database_class: str = "db.t3.medium"
    database_multi_az: bool = False
    database_gb: _Amount = 20
    database_backup_gb: _Amount = 0
    """Beyond the database's own size, up to which backups are free."""
    database_hours_per_day: _Hours = 24
    database_extended_support: bool = False
    """Whether its MySQL is past the end of standard support."""

    # the network
    load_balancers: _Count = 0
    load_balancer_units: _Amount = 0.1
    """LCUs of each, on the average."""
    nat_gateways: _Count = 0
    nat_gb: _Amount = 0
    endpoints: _Count = 0
    """Interface endpoints; those of S3 and DynamoDB are gateways and cost nothing."""
    endpoint_zones: _Count = 1
    """Availability Zones of each."""
    endpoint_gb: _Amount = 0
    public_addresses: _Count = 0
    waf_acls: _Count = 0
    waf_rules: _Count = 0
    transfer_out_gb: _Amount = 0
    transfer_zones_gb: _Amount = 0

    # what is kept and watched
    jobs_gb: _Amount = 0
    """In DynamoDB, with recovery to any point in time."""
    s3_gb: _Amount = 0
    image_gb: _Amount = 0
    log_gb: _Amount = 0
    """A month, beside what questions write."""
    firehose_gb: _Amount = 0
    alarms: _Count = 0
    metrics: _Count = 0
    secrets: _Count = 0
    keys: _Count = 0
    pinecone_plans: _Count = 0

    @model_validator(mode="after")
    def _cache_no_more_than_there_is(self) -> "Usage":
        if self.cached_share + self.written_share > 1:
            message = "cached_share and written_share may not be more than 1 together"
            raise ValueError(message)
        return self


class _Presets(Message):
    presets: dict[str, Usage]


def read_presets() -> Mapping[str, Usage]:
    """Return the usages that come with the package, by name."""
    return YamlFile(PRESETS, _Presets, InvalidSettings, _MANUAL).content.presets


def read_usage(preset: str, file: Path | None = None, changes: Iterable[tuple[str, object]] = ()) -> Usage:
    """Return a preset, with what a file says in its place, and then what `changes` say.

    Raises:
        InvalidSettings: there is no such preset or name, a value is out of its range, or the file cannot be
            read.
    """
    presets = read_presets()
    if preset not in presets:
        raise InvalidSettings(
            f"There is no preset {preset}.", remedy=f"There are {', '.join(presets)}; see {_MANUAL}."
        )
    values = presets[preset].model_dump()
    if file is not None:
        values |= YamlFile(file, Usage, InvalidSettings, _MANUAL).content.model_dump(exclude_unset=True)
    values |= dict(changes)
    try:
        return Usage.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"])) or "usage"
        raise InvalidSettings(
            f"The usage's {name} is not usable: {first['msg']}.",
            remedy=f"Correct it; {_MANUAL} lists what a usage holds.",
        ) from None
