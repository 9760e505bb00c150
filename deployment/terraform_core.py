"""Terraform on terraform-core: what it makes is planned, shown, agreed to, and applied."""

import json
import secrets
from collections.abc import Mapping
from typing import Any

from deployed_stage import CORE, Stage
from programs import DeploymentFailed, Programs, confirm

INSTALL = "Install Terraform 1.11 or later: https://developer.hashicorp.com/terraform/install"
OLDEST = (1, 11)
PLAN = "deployment.tfplan"
SOMETHING_TO_DO = 2


class TerraformCore:
    """The core of one stage."""

    def __init__(self, stage: Stage, given: Mapping[str, str]) -> None:
        """Start nothing yet.

        Args:
            stage: whose core it is.
            given: the environment, and what stands beside it, in which Terraform finds its secrets.
        """
        self._stage = stage
        self._given = {**given, **stage.environment, "TF_IN_AUTOMATION": "1"}
        self._programs = Programs(self._given)

    def check(self) -> None:
        """Make sure that there is a Terraform that is new enough.

        Raises:
            DeploymentFailed: there is not.
        """
        self._programs.find("terraform", INSTALL)
        version = str(json.loads(self._programs.read("terraform", "version", "-json"))["terraform_version"])
        if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
            raise DeploymentFailed(f"Terraform {version} is too old. {INSTALL}")

    def open(self) -> None:
        """Let Terraform fetch its provider, find the state of the stage, and have its secrets.

        Without a backend each stage of a Region has a workspace here, so that none is taken for another.

        Raises:
            DeploymentFailed: Terraform cannot, or the backend's settings are missing.
        """
        made = {**_gateway_secret(self._given), **_admin_password(self._stage, self._given)}
        self._programs = Programs({**self._given, **made})
        if not (CORE / "backend.tf").is_file():
            self._run("init", "-input=false")
            self._run("workspace", "select", "-or-create", self._stage.state)
            return
        settings = self._stage.file("backend.hcl")
        if not settings.is_file():
            raise DeploymentFailed(
                f"backend.tf keeps the state elsewhere, and there is no {settings.name} that says where. "
                f"Copy {settings.name}.example beside it."
            )
        self._run("init", "-input=false", "-reconfigure", f"-backend-config={settings}")

    def outputs(self) -> dict[str, Any]:
        """Return what was made, by the outputs' names; nothing where nothing was."""
        printed = json.loads(self._programs.read("terraform", "output", "-json", folder=CORE))
        return {name: output["value"] for name, output in printed.items()}

    def plan(self, **variables: object) -> None:
        """Show what would change, and hold nobody else up.

        Raises:
            DeploymentFailed: Terraform failed.
        """
        self._run("plan", "-lock=false", *self._options(variables))

    def apply(self, *, is_agreed: bool, **variables: object) -> None:
        """Plan, show, ask, and apply; where nothing would change, nobody is asked.

        Raises:
            DeploymentFailed: it was not agreed to, or Terraform failed.
        """
        planned = self._run(
            "plan", f"-out={PLAN}", "-detailed-exitcode", *self._options(variables), allowed=(0, 2)
        )
        try:
            if planned == SOMETHING_TO_DO:
                confirm("Apply this plan?", "yes", is_agreed=is_agreed)
                self._run("apply", "-input=false", PLAN)
        finally:
            (CORE / PLAN).unlink(missing_ok=True)

    def destroy(self, **variables: object) -> None:
        """Destroy all of it; who calls it has asked before.

        Raises:
            DeploymentFailed: Terraform failed.
        """
        self._run("destroy", "-auto-approve", *self._options(variables))

    def _options(self, variables: Mapping[str, object]) -> list[str]:
        return [
            "-input=false",
            f"-var=stage={self._stage.name}",
            f"-var-file={self._stage.file('tfvars')}",
            *(f"-var={name}={_written(value)}" for name, value in variables.items()),
        ]

    def _run(self, *command: str, allowed: tuple[int, ...] = (0,)) -> int:
        return self._programs.run("terraform", *command, folder=CORE, allowed=allowed)


def _written(value: object) -> str:
    """Return a value as Terraform reads it on a line: a text as it is, all else like JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def _gateway_secret(given: Mapping[str, str]) -> dict[str, str]:
    """Return a word for the gateway and the API, unless somebody gives one.

    Terraform writes it only when gateway_secret_version is raised, so that with each other run it may be
    another; a version in the stage's file wins over this one.
    """
    if "TF_VAR_gateway_secret" in given:
        return {}
    return {"TF_VAR_gateway_secret": secrets.token_urlsafe(32), "TF_VAR_gateway_secret_version": "1"}


def _admin_password(stage: Stage, given: Mapping[str, str]) -> dict[str, str]:
    """Return the password of the database's administrator, unless somebody gives one.

    Terraform uses it only where there is a replica, and writes it once, into its secret first. So a run after
    one that failed in between takes that, and so does each run until somebody gives another.
    """
    if "TF_VAR_admin_password" in given:
        return {}
    store = stage.session.client("secretsmanager", region_name=stage.region)
    try:
        kept = store.get_secret_value(SecretId=f"{stage.stack}/database-admin")["SecretString"]
        password = str(json.loads(kept)["password"])
    except store.exceptions.ResourceNotFoundException:
        password = secrets.token_urlsafe(30)
    return {"TF_VAR_admin_password": password, "TF_VAR_admin_password_version": "1"}
