"""Which stage a deployment is for: its account, its Region, and its files."""

from dataclasses import dataclass
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from programs import REPOSITORY, DeploymentFailed

NAMES = ("dev", "prod")
CORE = REPOSITORY / "terraform-core"


@dataclass(frozen=True)
class Stage:
    """A stage of an account in a Region."""

    name: str
    account: str
    region: str
    session: boto3.Session

    @property
    def stack(self) -> str:
        """Return what all that belongs to it begins with."""
        return f"text2sql-{self.name}"

    @property
    def state(self) -> str:
        """Return what Terraform's workspace of it is called; it has one for each Region."""
        return f"{self.name}-{self.region}"

    def file(self, kind: str) -> Path:
        """Return a file of its settings: dev.tfvars, or dev.eu-west-1.tfvars where the Region has its own."""
        folder = CORE / "environments"
        own = folder / f"{self.name}.{self.region}.{kind}"
        return own if own.is_file() else folder / f"{self.name}.{kind}"

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables that let each program work in its Region."""
        return {
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_PAGER": "",
            "SAM_CLI_TELEMETRY": "0",
            "CHECKPOINT_DISABLE": "1",
        }


def open_stage(name: str) -> Stage:
    """Return the stage in the account and the Region that the environment or a profile names.

    Raises:
        DeploymentFailed: a name, a file, the Region or the account is missing.
    """
    if name not in NAMES:
        raise DeploymentFailed("No such stage is known. Say ENV=dev or ENV=prod.")
    session = boto3.Session()
    if not session.region_name:
        raise DeploymentFailed("No Region is named. Set AWS_REGION, or a region in your AWS profile.")
    try:
        account = session.client("sts").get_caller_identity()["Account"]
    except (BotoCoreError, ClientError) as error:
        raise DeploymentFailed(
            f"AWS does not take your credentials: {error}. Sign in as `aws sts get-caller-identity` shows."
        ) from error
    stage = Stage(name, account, session.region_name, session)
    file = stage.file("tfvars")
    if not file.is_file():
        shown = file.relative_to(REPOSITORY)
        raise DeploymentFailed(f"There is no {shown}. Copy {shown}.example, and change what you need.")
    return stage
