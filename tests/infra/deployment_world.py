"""What `make deploy` meets in its tests: programs that note how they are called, an AWS, and a gateway."""

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from infra.terraform import CORE, HERE, PYTHON
from local_cloud import LocalCloud

REPOSITORY = CORE.parent
COPIED = ("deployment", "containers", "terraform-core", "guardrail.yaml", "samconfig.toml")
STACK = "text2sql-dev"
PREPARED = {"user": "text2sql_reader", "password": "made"}

TERRAFORM = """#!/bin/sh
echo "terraform $*" >> "$CALLS"
echo "$TF_VAR_admin_password" > "$ADMIN_PASSWORD"
exec "$TERRAFORM_PYTHON" "$TERRAFORM_RUNNER" "$@"
"""
GIT = """#!/bin/sh
case "$1" in log) echo 0123456789ab;; status) cat "$CHANGED_FILES";; esac
"""
# Both leave in the local AWS what the real ones would; docker's password comes by its input.
DOCKER = """#!{python}
import os, sys
import boto3
with open(os.environ["CALLS"], "a") as calls:
    print("docker", *sys.argv[1:], file=calls)
    if sys.argv[1] == "login":
        print("docker read", len(sys.stdin.read()) > 0, file=calls)
if sys.argv[1] == "push":
    repository, tag = sys.argv[2].partition("/")[2].split(":")
    boto3.client("ecr").put_image(
        repositoryName=repository, imageTag=tag, imageManifest='{{"schemaVersion": 2, "tag": "%s"}}' % tag
    )
"""
COSIGN = """#!{python}
import os, sys
import boto3
with open(os.environ["CALLS"], "a") as calls:
    print("cosign", *sys.argv[1:], file=calls)
repository, digest = sys.argv[-1].partition("/")[2].split("@")
boto3.client("ecr").put_image(
    repositoryName=repository,
    imageTag=digest.replace(":", "-") + ".sig",
    imageManifest='{{"schemaVersion": 2, "signs": "%s"}}' % digest,
)
"""
SAM = """#!{python}
import os, pathlib, sys
import boto3
with open(os.environ["CALLS"], "a") as calls:
    print("sam", *sys.argv[1:], file=calls)
formation = boto3.client("cloudformation")
if sys.argv[1] == "deploy" and not os.environ.get("STACK_STAYS"):
    formation.create_stack(
        StackName="text2sql-dev", TemplateBody=pathlib.Path(os.environ["STACK_TEMPLATE"]).read_text("utf-8")
    )
    formation.get_waiter("stack_create_complete").wait(
        StackName="text2sql-dev", WaiterConfig={{"Delay": 0.1, "MaxAttempts": 100}}
    )
elif sys.argv[1] == "delete":
    formation.delete_stack(StackName="text2sql-dev")
"""


class Gateway(ThreadingHTTPServer):
    """Answers as the gateway, the API behind it, and Bedrock's guardrail do."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.asked: list[tuple[str, Mapping[str, str]]] = []
        self.health = [200]
        """What the API says of itself, one by one; the last one goes on."""
        self.stranger = 401
        self.signed: tuple[int, str, dict[str, Any]] = (
            403,
            "application/problem+json",
            {"code": "FORBIDDEN"},
        )
        self.guardrail = "GUARDRAIL_INTERVENED"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Answers(BaseHTTPRequestHandler):
    server: Gateway

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers)))
        if self.path == "/healthz":
            health = self.server.health
            self._reply(health.pop(0) if len(health) > 1 else health[0], "application/json", {})
        elif "Authorization" in self.headers:
            self._reply(*self.server.signed)
        else:
            self._reply(self.server.stranger, "application/json", {"message": "Unauthorized"})

    def do_POST(self) -> None:
        self.server.asked.append((self.path, dict(self.headers)))
        self.rfile.read(int(self.headers["Content-Length"]))
        told = {"usage": {}, "action": self.server.guardrail, "outputs": [], "assessments": []}
        self._reply(200, "application/json", told)

    def _reply(self, status: int, kind: str, body: dict[str, Any]) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@dataclass
class World:
    """A copy of the repository, and what its deployment meets."""

    folder: Path
    cloud: LocalCloud
    gateway: Gateway
    environment: dict[str, str] = field(default_factory=dict)

    def make(
        self, script: str, *arguments: str, typed: str = "", **variables: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run deploy.py or destroy.py as make does."""
        return subprocess.run(
            [sys.executable, self.folder / "deployment" / f"{script}.py", *arguments],
            cwd=self.folder,
            env={**self.environment, **variables},
            input=typed,
            capture_output=True,
            text=True,
            check=False,
        )

    def calls(self) -> list[str]:
        """Return how programs were called since the last time."""
        log = self.folder.parent / "calls"
        lines = log.read_text("utf-8").splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return [line.replace(f"{self.folder}/", "") for line in lines]

    def commit(self) -> str:
        """Make a clone of it with one commit, which the real git knows; return the tag of its images."""
        (self.folder.parent / "bin" / "git").unlink(missing_ok=True)
        git = ("git", "-C", str(self.folder), "-c", "user.name=t", "-c", "user.email=t@example.com")
        for command in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "Begin")):
            subprocess.run([*git, *command], check=True, capture_output=True)
        told = subprocess.run(
            [*git, "rev-parse", "--short=12", "HEAD"], check=True, capture_output=True, text=True
        )
        return told.stdout.strip()

    def change_files(self, *, is_changed: bool) -> None:
        """Say what git tells of files that differ from the commit."""
        (self.folder.parent / "changed").write_text(" M README.md\n" if is_changed else "", "utf-8")


def lay_out(folder: Path, cloud: LocalCloud, gateway: Gateway, providers: str) -> World:
    """Return the world of one test, in which nothing is deployed yet."""
    clone = folder / "clone"
    clone.mkdir()
    skipped = shutil.ignore_patterns(".terraform*", "*.tfstate*", "*.tfvars", "backend.tf", "__pycache__")
    for name in COPIED:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, clone / name, ignore=skipped)
        else:
            shutil.copy(source, clone / name)
    environments = clone / "terraform-core" / "environments"
    shutil.copy(environments / "dev.tfvars.example", environments / "dev.tfvars")
    programs = folder / "bin"
    programs.mkdir()
    python = {"python": sys.executable}
    for name, text in {
        "terraform": TERRAFORM,
        "git": GIT,
        "docker": DOCKER.format(**python),
        "cosign": COSIGN.format(**python),
        "sam": SAM.format(**python),
    }.items():
        (programs / name).write_text(text, "utf-8")
        (programs / name).chmod(0o755 | stat.S_IXUSR)
    (folder / "stack.json").write_text(json.dumps(_stack(gateway)), "utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "AWS_"))}
    world = World(clone, cloud, gateway)
    world.environment = {
        **kept,
        **cloud.environment,
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": gateway.url,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "CALLS": str(folder / "calls"),
        "ADMIN_PASSWORD": str(folder / "admin-password"),
        "CHANGED_FILES": str(folder / "changed"),
        "STACK_TEMPLATE": str(folder / "stack.json"),
        "TERRAFORM_PYTHON": str(PYTHON),
        "TERRAFORM_RUNNER": str(HERE / "run_terraform.py"),
        "TF_REATTACH_PROVIDERS": providers,
        "TF_CLI_CONFIG_FILE": os.devnull,
    }
    world.change_files(is_changed=False)
    return world


def _stack(gateway: Gateway) -> dict[str, Any]:
    """Return a stack of what a deployment uses of template.yaml's."""
    buckets = ("Parcels", "Results", "Knowledge")
    return {
        "Resources": {
            **{
                name: {
                    "Type": "AWS::S3::Bucket",
                    "DeletionPolicy": "Retain" if name == "Knowledge" else "Delete",
                    "Properties": {
                        "BucketName": f"{STACK}-{name.lower()}",
                        "VersioningConfiguration": {"Status": "Enabled"},
                    },
                }
                for name in buckets
            },
            "Jobs": {
                "Type": "AWS::DynamoDB::Table",
                "Properties": {
                    "TableName": f"{STACK}-jobs",
                    "BillingMode": "PAY_PER_REQUEST",
                    "DeletionProtectionEnabled": True,
                    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
                    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                },
            },
        },
        "Outputs": {
            **{f"{name}Bucket": {"Value": {"Ref": name}} for name in buckets},
            "JobsTable": {"Value": {"Ref": "Jobs"}},
            "PrepareDatabaseName": {"Value": "prepare-database"},
            "GatewayUrl": {"Value": gateway.url},
        },
    }
