"""The serverless part of a stage: SAM builds and deploys it, and what it made is used and emptied here."""

import json
import tomllib
from collections.abc import Mapping
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError

from deployed_stage import Stage
from programs import REPOSITORY, DeploymentFailed, Programs

INSTALL = "`make deploy` installs it and puts it on the PATH."
CALL_SECONDS = 90
"""For PrepareDatabase, which has 60."""
PASSING = ("ParcelsBucket", "ResultsBucket")
"""Buckets that CloudFormation deletes with the stack, once they are empty; the one of knowledge stays."""


class SamStack:
    """The stack of one stage."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._programs = Programs(stage.environment)

    def check(self) -> None:
        """Make sure that there is a `sam`.

        Raises:
            DeploymentFailed: there is not.
        """
        self._programs.find("sam", INSTALL)

    def deploy(self, core: Mapping[str, Any], *, is_agreed: bool) -> dict[str, str]:
        """Build and deploy the template with what the core says; return the stack's outputs.

        Raises:
            DeploymentFailed: SAM failed, or its change set was not agreed to.
        """
        self._programs.run("sam", "build")
        self._programs.run(
            "sam",
            "deploy",
            f"--config-env={self._config}",
            f"--stack-name={self._stage.stack}",
            f"--region={self._stage.region}",
            *(["--no-confirm-changeset"] if is_agreed else []),
            "--parameter-overrides",
            *self._overrides(core),
        )
        return self.outputs()

    def outputs(self) -> dict[str, str]:
        """Return the stack's outputs; nothing where there is no stack."""
        try:
            (found,) = self._client("cloudformation").describe_stacks(StackName=self._stage.stack)["Stacks"]
        except ClientError as error:
            if "does not exist" in str(error):
                return {}
            raise
        return {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}

    def prepare_database(self, function: str) -> dict[str, str]:
        """Have the account made that questions are asked with; return who, and if its password is new.

        Raises:
            DeploymentFailed: the function says that it cannot.
        """
        event = json.dumps({"job_id": f"deploy-{self._stage.name}"})
        called = self._client("lambda").invoke(FunctionName=function, Payload=event.encode())
        told: dict[str, str] = json.loads(called["Payload"].read())
        if "FunctionError" in called:
            raise DeploymentFailed(
                f"PrepareDatabase failed: {told.get('errorMessage')} "
                f"Its log is in the log group /text2sql/{self._stage.name}."
            )
        return told

    def empty(self, outputs: Mapping[str, str]) -> None:
        """Empty what is deleted with the stack, and let its table be deleted."""
        storage = self._stage.session.resource("s3", region_name=self._stage.region)
        for name in PASSING:
            storage.Bucket(outputs[name]).object_versions.delete()
        self._client("dynamodb").update_table(TableName=outputs["JobsTable"], DeletionProtectionEnabled=False)

    def delete(self) -> None:
        """Delete the stack, and what SAM uploaded for it.

        Raises:
            DeploymentFailed: SAM failed.
        """
        self._programs.run(
            *("sam", "delete", "--no-prompts"),
            *(f"--stack-name={self._stage.stack}", f"--region={self._stage.region}"),
        )

    @property
    def _config(self) -> str:
        """Return what samconfig.toml calls the stage."""
        return "default" if self._stage.name == "dev" else self._stage.name

    def _overrides(self, core: Mapping[str, Any]) -> list[str]:
        """Return samconfig.toml's parameters, which those on a line replace, and what the core knows."""
        settings = tomllib.loads((REPOSITORY / "samconfig.toml").read_text("utf-8"))
        kept = str(settings[self._config]["deploy"]["parameters"]["parameter_overrides"]).split()
        known = {"ApiServerName": core["api_server_name"], "AllowedOrigins": core["page_origin"]}
        return [*kept, *(f"{name}={value}" for name, value in known.items() if value)]

    def _client(self, service: str) -> Any:
        config = Config(read_timeout=CALL_SECONDS, retries={"max_attempts": 3, "mode": "standard"})
        return self._stage.session.client(service, region_name=self._stage.region, config=config)
