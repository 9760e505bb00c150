"""What Terraform says of terraform-core, and that it would say so of a mistake."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from infra.terraform import CORE, Terraform, core, planned

CHECKOV = CORE.parent / ".venv-checks" / "bin" / "checkov"
DOCS = CORE.parent / "docs"
ASSERTIONS = 40
"""Terraform's own tests hold so many, at least."""

ASKED = (
    *("VPC 10.0.0.0/16", "Public subnets, three zones", "Private subnets, three zones", "Internet gateway"),
    *(
        "NAT gateway",
        "VPC endpoints",
        "Network ACLs",
        "Frontend ALB SG (80, 443)",
        "Backend ALB SG (80, 443)",
    ),
    *("ECS Frontend SG (3000)", "ECS Backend SG (80)", "RDS SG (3306)"),
    *("S3 buckets of logs", "KMS keys", "Alarm topic", "Guardrail"),
    *("Frontend ALB", "Backend ALB", "ECS Frontend service", "ECS Backend service", "RDS MySQL, Multi-AZ"),
    *("ECR repositories", "Secrets Manager", "CloudWatch Logs and Firehose", "Cognito user pool"),
    *("Bedrock knowledge base on Pinecone", "Bedrock agent"),
    *("RDS deletion protection", "Backup testing", "CloudWatch alarms", "AWS Config rules", "CloudTrail"),
    *("Budgets and alerts", "Incident response", "VPC flow logs", "GuardDuty", "Least-privilege IAM"),
    *("WAF", "Shield", "Rotation of secrets", "Cross-Region recovery", "Runbooks"),
)
"""The rows of docs/infrastructure.md."""

REQUIRES = 'terraform {\n  required_providers {\n    aws = {\n      source = "hashicorp/aws"\n    }\n  }\n}\n'


def diagnostics(terraform: Terraform) -> list[str]:
    """Return what `terraform validate` finds, each with its line."""
    found = json.loads(terraform.run("validate", "-json").stdout)["diagnostics"]
    return [f"line {it['range']['start']['line']}: {it['summary']}. {it['detail']}" for it in found]


def test_terraform_core_is_valid(terraform: Terraform) -> None:
    assert diagnostics(terraform) == []


def test_terraform_core_is_written_in_the_style_of_terraform(terraform: Terraform) -> None:
    said = terraform.run("fmt", "-check", "-diff")
    assert (said.returncode, said.stdout) == (0, "")


@pytest.mark.parametrize("path", sorted(CORE.glob("*.tf")), ids=lambda path: path.name)
def test_terraform_core_names_no_account_and_no_region(path: Path) -> None:
    assert not re.search(r"\b\d{12}\b|\b[a-z]{2}(-gov)?-[a-z]+-\d\b", path.read_text("utf-8"))


def test_terraforms_own_tests_pass(terraform: Terraform) -> None:
    said = terraform.run("test", "-no-color")
    assert said.returncode == 0, said.stdout
    assert re.search(r"Success! \d+ passed, 0 failed", said.stdout)
    told = sum(path.read_text("utf-8").count("  assert {") for path in CORE.glob("tests/*.tftest.hcl"))
    assert told >= ASSERTIONS


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_what_was_applied_is_planned_no_more_and_can_be_destroyed(
    tmp_path: Path, providers: str, stage: str
) -> None:
    shutil.copy(CORE.parent / "guardrail.yaml", tmp_path)
    terraform = core(tmp_path / "terraform-core", providers)
    for command in (["apply", "-auto-approve"], ["plan", "-detailed-exitcode"], ["destroy", "-auto-approve"]):
        said = terraform.run(*command, "-input=false", stage=stage)
        assert said.returncode == 0, said.stdout


def test_core_has_no_weakness_that_checkov_knows_but_those_told_beside_it(tmp_path: Path) -> None:
    command = [CHECKOV, "-d", CORE, "--framework", "terraform", "--skip-download", "--compact", "--quiet"]
    done = subprocess.run(
        command, env={**os.environ, "HOME": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    passed = re.search(r"Passed checks: (\d+), Failed checks: 0", done.stdout)
    assert passed is not None, done.stdout
    assert int(passed[1]) > 150  # it has read the configuration


def variables() -> dict[str, str]:
    """Return the default of each variable, as it is written."""
    found: dict[str, str] = {}
    for path in CORE.glob("variables*.tf"):
        text = path.read_text("utf-8")
        listed = re.findall(
            r'^variable "(\w+)" {\n  description = ".+\."\n  type +=.+\n  default +=(.+)$', text, re.MULTILINE
        )
        assert len(listed) == len(re.findall("^variable ", text, re.MULTILINE)), path
        found |= {name: default.strip() for name, default in listed}
    return found


def test_documentation_lists_each_variable_with_its_default() -> None:
    manual = (DOCS / "infrastructure.md").read_text("utf-8").partition("\n## Variables\n")[2]
    told = re.findall(r"^\| `(\w+)` \| `(.+?)` \|", manual.partition("\n## ")[0], re.MULTILINE)
    assert dict(told) == variables()
    assert len(told) == len(dict(told))


def test_documentation_names_resources_that_are_there(terraform: Terraform) -> None:
    manual = (DOCS / "infrastructure.md").read_text("utf-8")
    named = set(re.findall(r"`((?:data\.)?aws_\w+\.\w+)(?:\[[^`]*\])?`", manual))
    configured = terraform.plan()["configuration"]["root_module"]["resources"]
    assert len(named) > 20
    assert named - {each["address"] for each in configured} == set()


def test_documentation_tells_of_each_row_of_the_plan_of_the_platform() -> None:
    manual = (DOCS / "infrastructure.md").read_text("utf-8")
    told = re.findall(r"^\| ([^|`]+?) \| ", manual, re.MULTILINE)
    assert [row for row in ASKED if row not in told] == []


def test_template_reads_what_terraform_writes(made: dict[str, Any]) -> None:
    written = {each["name"] for address, each in made.items() if address.startswith("aws_ssm_parameter.")}
    template = (CORE.parent / "template.yaml").read_text("utf-8")
    read = set(re.findall(r"Default: (/text2sql/\S+)", template))
    assert written == read


def test_api_reads_what_the_template_writes(made: dict[str, Any]) -> None:
    template = (CORE.parent / "template.yaml").read_text("utf-8")
    written = set(re.findall(r"Name: (/text2sql/stack/\S+)", template))
    task = json.loads(made['aws_ecs_task_definition.this["backend"]']["container_definitions"])[0]
    read = {each["name"]: each["valueFrom"] for each in task["secrets"] if ":ssm:" in each["valueFrom"]}
    assert {arn.partition(":parameter")[2] for arn in read.values()} == written
    assert set(read) == {
        "TEXT2SQL_API_JOBS_TABLE",
        "TEXT2SQL_API_RESULTS_BUCKET",
        "TEXT2SQL_KNOWLEDGE_BUCKET",
    }
    role = json.loads(made['aws_iam_role_policy.execution["backend"]']["policy"])
    (statement,) = (each for each in role["Statement"] if each["Action"] == "ssm:GetParameters")
    assert sorted(statement["Resource"]) == sorted(read.values())


PROTECTION = {
    "deletion_protection": {True, "ACTIVE"},
    "enable_deletion_protection": {True},
    "force_delete": {False},
    "force_destroy": {False},
}
"""What keeps something from being deleted, by the argument's name; of a secret, `recovery_window_in_days`."""


def _protected(made: dict[str, Any]) -> set[str]:
    """Return the addresses of what refuses to be deleted, or stays for days after it was."""
    return {
        address
        for address, each in made.items()
        for argument, values in PROTECTION.items()
        if each.get(argument) in values or each.get("recovery_window_in_days")
    }


def test_production_is_protected_until_somebody_says_that_it_may_be_destroyed(terraform: Terraform) -> None:
    password = {"admin_password": "a-password-of-the-tests-2", "admin_password_version": "1"}
    everything = {"stage": "prod", "read_replica": "true", **password}
    protected = {address.partition("[")[0] for address in _protected(planned(terraform, **everything))}
    assert {
        "aws_backup_vault.this",
        "aws_cognito_user_pool.this",
        "aws_db_instance.this",
        "aws_db_instance.replica",
        "aws_ecr_repository.this",
        "aws_lb.this",
        "aws_s3_bucket.audit",
        "aws_s3_bucket.logs",
        "aws_secretsmanager_secret.reader",
    } <= protected
    assert _protected(planned(terraform, **everything, destroyable="true")) == set()


def test_everything_has_the_tags_of_the_variable(terraform: Terraform) -> None:
    shutil.copy(CORE.parent / "guardrail.yaml", terraform.folder.parent)
    provider = terraform.plan()["configuration"]["provider_config"]["aws"]
    assert provider["expressions"] == {"default_tags": [{"tags": {"references": ["var.tags"]}}]}


MISTAKES = {
    'resource "aws_ssm_parameter" "x" {\n  name = "x"\n  type = "String"\n  valeu = "x"\n}': (11, "valeu"),
    'resource "aws_ssm_parameter" "x" {\n  name = "x"\n}': (8, '"type" is required'),
    'resource "aws_ssm_parametre" "x" {\n}': (8, "aws_ssm_parametre"),
    'resource "aws_ssm_parameter" "x" {\n  name = ["x"]\n  type = "String"\n}': (9, "string required"),
    'resource "aws_ssm_parameter" "x" {\n  name = "x"\n  type = "String"\n  policy {}\n}': (11, "policy"),
    'resource "aws_ssm_parameter" "x" {\n  name = "x"\n  type = "String"\n  version = 7\n}': (
        8,
        "version of aws_ssm_parameter cannot be set",
    ),
    'resource "aws_ssm_parameter" "x" {\n  name = "x"\n  type = "String"\n}\noutput "y" {\n'
    "  value = aws_ssm_parameter.x.nrame\n}": (13, "nrame"),
    'resource "aws_s3_bucket_versioning" "x" {\n  bucket = "x"\n}': (
        8,
        'At least 1 "versioning_configuration" blocks are required',
    ),
    'resource "aws_s3_bucket_versioning" "x" {\n  bucket = "x"\n'
    + '  versioning_configuration {\n    status = "Enabled"\n  }\n' * 2
    + "}": (13, 'No more than 1 "versioning_configuration" blocks are allowed'),
    'resource "aws_bedrock_guardrail" "x" {\n  name = "x"\n  blocked_input_messaging = "x"\n'
    '  blocked_outputs_messaging = "x"\n}\noutput "y" {\n'
    "  value = aws_bedrock_guardrail.x.content_policy_config[0].filters_config[0].type\n}": (
        14,
        '"filters_config" is represented by a set of objects',
    ),
    'provider "aws" {\n  default_tags {\n    tgas = {}\n  }\n}\n'
    'resource "aws_ssm_parameter" "x" {\n  name = "x"\n  type = "String"\n}': (10, "tgas"),
    'resource "aws_bedrock_guardrail" "x" {\n  name = "x"\n  blocked_input_messaging = "x"\n'
    '  blocked_outputs_messaging = "x"\n  topic_policy_config {\n    topics_config {\n'
    '      name = "x"\n      type = "DENY"\n    }\n  }\n}': (13, '"definition" is required'),
}


@pytest.mark.parametrize("text", MISTAKES)
def test_mistake_is_told_with_its_line(tmp_path: Path, providers: str, text: str) -> None:
    (tmp_path / "main.tf").write_text(f"{REQUIRES}{text}\n", "utf-8")
    line, named = MISTAKES[text]
    (told,) = diagnostics(Terraform(tmp_path, providers))
    assert told.startswith(f"line {line}: ")
    assert named in told
