"""What Terraform says of terraform-core, and that it would say so of a mistake."""

import json
import re
import shutil
from pathlib import Path

import pytest

from infra.terraform import CORE, Terraform

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


def test_documentation_lists_each_variable_with_its_default() -> None:
    text = (CORE / "variables.tf").read_text("utf-8")
    found = re.findall(
        r'^variable "(\w+)" {\n  description = ".+\."\n  type +=.+\n  default +=(.+)$', text, re.MULTILINE
    )
    assert len(found) == text.count("\nvariable ") + 1
    manual = (CORE.parent / "docs" / "guardrails.md").read_text("utf-8").partition("\n## In the cloud\n")[2]
    told = re.findall(r"^\| `(\w+)` \| `(.+?)` \|", manual.partition("\n## ")[0], re.MULTILINE)
    assert told == [(name, default.strip()) for name, default in found]


def test_everything_has_the_tags_of_the_variable(terraform: Terraform) -> None:
    shutil.copy(CORE.parent / "guardrail.yaml", terraform.folder.parent)
    (provider,) = terraform.plan()["configuration"]["provider_config"].values()
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
