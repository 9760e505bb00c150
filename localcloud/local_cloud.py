"""A local AWS on the loopback address: ministack, with this project's own template deployed into it.

The functions run from the source tree, under the runtime client that Lambda itself uses.
"""

import io
import json
import re
import shlex
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import boto3
import yaml
from botocore.config import Config

from processes import child_process

REPOSITORY = Path(__file__).resolve().parents[1]
REGION = "eu-central-1"
ACCOUNT = "123456789012"
START_SECONDS = 30.0
_CODE = "local-code"
_LOCAL = "local"
"""What every parameter says; also the name of the secret."""


class LocalCloud:
    """A context manager; `client` returns boto3's clients for it.

    Attributes:
        url: where all services answer.
        environment: the variables that point boto3 there.
        secret: the name of the secret with the database's password, once `deploy` has been called.
    """

    secret = _LOCAL

    def __init__(self, folder: Path, port: int, python: Path, wait_scale: float = 1.0) -> None:
        """Start nothing yet.

        Args:
            folder: where the log is written.
            port: a free one of the loopback address.
            python: of the virtual environment that ministack is installed in.
            wait_scale: what the waits between retries are multiplied with.
        """
        self.url = f"http://127.0.0.1:{port}"
        self.environment = {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": ACCOUNT,  # twelve digits name the account
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        self._settings = {
            "GATEWAY_PORT": str(port),
            "BIND_HOST": "127.0.0.1",
            "IOT_MTLS_ENABLED": "0",
            "MINISTACK_REGION": REGION,
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "SFN_WAIT_SCALE": str(wait_scale),
        }
        self._python = python
        self._log = folder / "ministack.log"
        self._running = ExitStack()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "LocalCloud":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start ministack and return when it answers."""
        command = [self._python, Path(__file__).with_name("launch_ministack.py")]
        process = child_process(command, self._log, {**self.environment, **self._settings})
        self._process = self._running.enter_context(process)
        end = time.monotonic() + START_SECONDS
        while not self._answers():
            if not self.is_alive() or time.monotonic() > end:
                self.stop()
                raise RuntimeError(f"ministack did not start; see {self._log}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop ministack and the functions that it started."""
        self._running.close()

    def is_alive(self) -> bool:
        """Tell whether ministack runs."""
        return self._process is not None and self._process.poll() is None

    def client(self, service: str) -> Any:
        """Return boto3's client for a service of this cloud."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=ACCOUNT,
            aws_secret_access_key="test",
            config=Config(inject_host_prefix=False),
        )

    def deploy(self, stack: str, variables: Mapping[str, str], password: str = "") -> dict[str, str]:
        """Deploy template.yaml, and return the stack's outputs.

        `variables` are set for every function, beside those of the template; `password` is the database's.
        """
        template = self._package(variables)
        self._write_parameters(template, password)
        formation = self.client("cloudformation")
        formation.create_stack(
            StackName=stack,
            TemplateBody=json.dumps(template),
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
        while (state := _describe(formation, stack))["StackStatus"].endswith("IN_PROGRESS"):
            time.sleep(0.05)
        if state["StackStatus"] != "CREATE_COMPLETE":
            raise RuntimeError(f"{state['StackStatus']}: {state.get('StackStatusReason', '')}")
        self._reserve_concurrency(stack, template)
        return {output["OutputKey"]: output["OutputValue"] for output in state["Outputs"]}

    def _reserve_concurrency(self, stack: str, template: Mapping[str, Any]) -> None:
        """Let no more calls of a function run at once than the template says, which ministack leaves out."""
        formation, functions = self.client("cloudformation"), self.client("lambda")
        for name, resource in template["Resources"].items():
            if reserved := resource["Properties"].get("ReservedConcurrentExecutions"):
                found = formation.describe_stack_resource(StackName=stack, LogicalResourceId=name)
                functions.put_function_concurrency(
                    FunctionName=found["StackResourceDetail"]["PhysicalResourceId"],
                    ReservedConcurrentExecutions=reserved,
                )

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/_ministack/health", timeout=1):
                return True
        except OSError:
            return False

    def _package(self, variables: Mapping[str, str]) -> dict[str, Any]:
        """Return the template with its code uploaded, as `sam package` does, and nothing else changed."""
        storage = self.client("s3")
        storage.create_bucket(Bucket=_CODE, CreateBucketConfiguration={"LocationConstraint": REGION})
        template = read_template()
        for name in ("CodeUri", "Runtime", "Architectures"):
            template["Globals"]["Function"].pop(name)
        template["Globals"]["Function"].pop("DeploymentPreference")  # ministack has no CodeDeploy
        for name, resource in template["Resources"].items():
            if resource["Type"] == "AWS::Serverless::Function":
                storage.put_object(Bucket=_CODE, Key=name, Body=self._bootstrap(name, variables))
                properties = {"Runtime": "provided.al2023", "CodeUri": {"Bucket": _CODE, "Key": name}}
            elif resource["Type"] == "AWS::Serverless::StateMachine":
                path = REPOSITORY / resource["Properties"]["DefinitionUri"]
                storage.put_object(Bucket=_CODE, Key=path.name, Body=_definition(path))
                properties = {"DefinitionUri": {"Bucket": _CODE, "Key": path.name}}
            else:
                continue
            resource.pop("Metadata", None)
            resource["Properties"].update(properties)
        return template

    def _bootstrap(self, function: str, variables: Mapping[str, str]) -> bytes:
        """Return a zip whose one program runs a function's handler where it stands in the source tree."""
        folder = REPOSITORY / "functions" / re.sub(r"(?<!^)(?=[A-Z])", "_", function).lower()
        exported = {
            **{name: value for name, value in self.environment.items() if "KEY" not in name},
            **variables,
            "PYTHONPATH": f"{folder}:{REPOSITORY / 'src'}",
            "LAMBDA_TASK_ROOT": str(folder),
            "POWERTOOLS_TRACE_DISABLED": "true",
        }
        lines = [f"export {name}={shlex.quote(value)}" for name, value in exported.items()]
        command = f'exec {shlex.quote(sys.executable)} -m awslambdaric "$_HANDLER"'
        program = zipfile.ZipInfo("bootstrap")
        program.create_system, program.external_attr = 3, 0o755 << 16
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as content:
            content.writestr(program, "\n".join(["#!/bin/sh", *lines, command, ""]))
        return archive.getvalue()

    def _write_parameters(self, template: Mapping[str, Any], password: str) -> None:
        """Write the parameters and the secret that Terraform would have; the functions' own variables win."""
        self.client("secretsmanager").create_secret(
            Name=self.secret, SecretString=json.dumps({"password": password})
        )
        parameters = self.client("ssm")
        for parameter in template["Parameters"].values():
            if parameter["Type"].startswith("AWS::SSM::"):
                parameters.put_parameter(Name=parameter["Default"], Value=_LOCAL, Type="String")


def read_template() -> dict[str, Any]:
    """Return template.yaml, with CloudFormation's functions in their long form."""
    template: dict[str, Any] = yaml.load((REPOSITORY / "template.yaml").read_text("utf-8"), _Loader)
    return template


def _describe(formation: Any, stack: str) -> dict[str, Any]:
    (found,) = formation.describe_stacks(StackName=stack)["Stacks"]
    return found  # type: ignore[no-any-return]


def _definition(path: Path) -> bytes:
    return json.dumps(yaml.safe_load(path.read_text("utf-8"))).encode()


class _Loader(yaml.SafeLoader):
    """Reads the short forms of CloudFormation's functions."""


def _intrinsic(loader: _Loader, name: str, node: yaml.Node) -> dict[str, Any]:
    value: Any = None
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    if name == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {name if name in {"Ref", "Condition"} else f"Fn::{name}": value}


_Loader.add_multi_constructor("!", _intrinsic)
