"""The guardrail that Terraform makes of guardrail.yaml, and what text2sql understands of the same file."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from infra.bedrock_model import create_guardrail, unlike
from infra.bedrock_reading import MESSAGES, SECTIONS, as_terraform_plans, as_text2sql_reads
from infra.guardrail_files import FILES, ROOT
from infra.terraform import Terraform, core, resources
from text2sql.errors import InvalidGuardrail
from text2sql.guardrail.policy import read_guardrail_policy

KEY = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "guardrail.yaml"


def guardrail_of(plan: dict[str, Any]) -> dict[str, Any]:
    guardrail: dict[str, Any] = resources(plan["planned_values"])["aws_bedrock_guardrail.this"]
    return guardrail


def actions(plan: dict[str, Any]) -> dict[str, list[str]]:
    changes = {each["address"]: each["change"]["actions"] for each in plan["resource_changes"]}
    return {address: done for address, done in changes.items() if done != ["no-op"]}


@pytest.fixture(scope="module", params=FILES)
def odd_file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("odd") / "guardrail.yaml"
    path.write_text(FILES[request.param], "utf-8")
    return path


@pytest.fixture(scope="module")
def planned(terraform: Terraform, odd_file: Path) -> dict[str, Any]:
    """Return the guardrail that Terraform would make of an odd file."""
    return guardrail_of(terraform.plan(guardrail_file=odd_file))


def test_terraform_plans_what_text2sql_reads(odd_file: Path, planned: dict[str, Any]) -> None:
    assert as_terraform_plans(planned) == as_text2sql_reads(read_guardrail_policy(odd_file))


def test_without_variables_the_file_of_the_deployment_is_planned(terraform: Terraform) -> None:
    shutil.copy(ROOT / "guardrail.yaml", terraform.folder.parent)
    read = as_text2sql_reads(read_guardrail_policy(ROOT / "guardrail.yaml"))
    assert as_terraform_plans(guardrail_of(terraform.plan())) == read


def test_plan_is_one_that_bedrock_takes(planned: dict[str, Any]) -> None:
    asked = {key: planned[key] for key in ("name", "description", *MESSAGES)}
    asked |= {section: planned[section][0] for section in SECTIONS if planned[section]}
    assert unlike(create_guardrail(), asked, "guardrail") == []


def test_guardrail_is_encrypted_with_the_key_that_is_named(terraform: Terraform, file: Path) -> None:
    file.write_text(FILES["words alone"], "utf-8")
    assert guardrail_of(terraform.plan(guardrail_file=file))["kms_key_arn"] is None
    plan = terraform.plan(guardrail_file=file, guardrail_kms_key_arn=KEY)
    assert guardrail_of(plan)["kms_key_arn"] == KEY


REFUSED = {
    "wrods: {own: [x]}": "the file knows content, messages, patterns, personal, topics, words, but not wrods",
    "messages: {inptu: x}": "messages knows input, output, but not inptu",
    "words: {managed: [swearing]}": "words.managed knows profanity, but not swearing",
    "words: {own: [x], case: any}": "words knows managed, own, input, output, but not case",
    "words: {own: [x], input: mask}": "words knows allow, block, but not mask",
    "content: {spam: {input: low}}": "prompt_attack, but not spam",
    "content: {hate: {input: extreme}}": "content.hate knows none, low, medium, high, but not extreme",
    "content: {hate: {inptu: low}}": "content.hate knows input, output, but not inptu",
    "content: {prompt_attack: {output: high}}": "a prompt attack is looked for in the input alone",
    "topics: [{name: a, definition: x, output: mask}]": "topics.0 knows allow, block, but not mask",
    "topics: [{name: a, definition: x, reply: x}]": "but not reply",
    "topics: [{name: a}]": 'does not have an attribute named "definition"',
    "personal: {NICKNAME: {input: mask}}": "VEHICLE_IDENTIFICATION_NUMBER, but not NICKNAME",
    "personal: {EMAIL: {input: hide}}": "personal.EMAIL knows allow, mask, block, but not hide",
    "personal: {EMAIL: {inptu: mask}}": "personal.EMAIL knows input, output, but not inptu",
    "patterns: [{name: a, pattern: x, ouput: mask}]": "but not ouput",
    "patterns: [{name: a, pattern: x, output: hide}]": "patterns.0 knows allow, mask, block, but not hide",
    "patterns: [{name: a, pattern: '(?<=B)x', input: mask}]": "a pattern is no regular expression of RE2",
    "patterns: [{name: a, pattern: x}, {name: a, pattern: y}]": "stands there twice",
    "topics:": "null",
    "words: 7": "merge",
    "- words": "guardrail_file must name a YAML file of sections",
    "words: [": "guardrail_file must name a YAML file of sections",
}


@pytest.mark.parametrize("text", REFUSED)
def test_file_that_text2sql_refuses_is_not_planned(terraform: Terraform, file: Path, text: str) -> None:
    file.write_text(text, "utf-8")
    with pytest.raises(InvalidGuardrail):
        read_guardrail_policy(file)
    assert REFUSED[text] in " ".join(terraform.problems(guardrail_file=file))


REFUSED_BY_TERRAFORM_ALONE = {
    "{}": "stops and masks nothing",
    "words: {own: [x], input: allow}": "stops and masks nothing",
    "words: {own: [007]}": "put quotes around what YAML reads as 7.",
    "words: {own: [2026-01-01]}": 'put quotes around what YAML reads as "2026-01-01T00:00:00Z".',
    "words: {own: [yes, 'a, 1']}": "put quotes around what YAML reads as true.",
    "words: {own: [x, ~]}": "leave nothing empty, and put quotes around what YAML reads as null.",
}


@pytest.mark.parametrize("text", REFUSED_BY_TERRAFORM_ALONE)
def test_file_that_no_guardrail_can_be_made_of_is_not_planned(
    terraform: Terraform, file: Path, text: str
) -> None:
    file.write_text(text, "utf-8")
    assert read_guardrail_policy(file)
    (problem,) = terraform.problems(guardrail_file=file)
    assert REFUSED_BY_TERRAFORM_ALONE[text] in problem


REFUSED_BY_TEXT2SQL_ALONE = [
    "words: {own: [a], own: [b]}",  # a key that stands there twice: Terraform takes the last
    "personal: {EMAIL: &mask {input: mask}, PHONE: *mask}",
    "messages: {input: ''}\nwords: {own: [x]}",
    "topics: [{name: In/vest, definition: x}]",
]
"""Empty texts and names the real provider refuses, as it does texts that are too long."""


@pytest.mark.parametrize("text", REFUSED_BY_TEXT2SQL_ALONE)
def test_file_that_is_refused_by_text2sql_alone_is_planned(
    terraform: Terraform, file: Path, text: str
) -> None:
    file.write_text(text, "utf-8")
    with pytest.raises(InvalidGuardrail):
        read_guardrail_policy(file)
    assert terraform.problems(guardrail_file=file) == []


@pytest.mark.parametrize(
    ("name", "value"), [("guardrail_file", "missing.yaml"), ("guardrail_kms_key_arn", "alias/text2sql")]
)
def test_variable_that_names_nothing_is_refused(
    terraform: Terraform, file: Path, name: str, value: str
) -> None:
    file.write_text(FILES["words alone"], "utf-8")
    (problem,) = terraform.problems(**{"guardrail_file": file, name: value})
    assert f"{name} must" in problem


@pytest.fixture
def applied(tmp_path: Path, providers: str, file: Path) -> Terraform:
    """Return Terraform where a guardrail was made of the file."""
    file.write_text(FILES["words alone"], "utf-8")
    terraform = core(tmp_path / "terraform-core", providers)
    said = terraform.run("apply", "-auto-approve", "-input=false", guardrail_file=file)
    assert said.returncode == 0, said
    return terraform


def test_template_is_told_of_the_guardrail_that_was_made(applied: Terraform) -> None:
    made = resources(applied.state()["values"])
    told = {
        it["name"]: it["value"]
        for address, it in made.items()
        if address.startswith('aws_ssm_parameter.contract["guardrail-')
    }
    assert told == {
        "/text2sql/guardrail-provider": "bedrock",
        "/text2sql/guardrail-id": "aws_bedrock_guardrail.guardrail_id",
        "/text2sql/guardrail-version": "aws_bedrock_guardrail_version.version",
        "/text2sql/guardrail-arn": "aws_bedrock_guardrail.guardrail_arn",
    }
    assert (
        made["aws_bedrock_guardrail_version.this"]["guardrail_arn"] == "aws_bedrock_guardrail.guardrail_arn"
    )
    defaults = re.findall(r"Default: (/text2sql/guardrail-\S+)", (ROOT / "template.yaml").read_text("utf-8"))
    assert sorted(defaults) == sorted(told)


def test_file_that_means_something_else_makes_a_new_version(applied: Terraform, file: Path) -> None:
    file.write_text("# a comment\nwords: {own: ['Project Zebra'], output: allow}\n", "utf-8")
    assert actions(applied.plan(guardrail_file=file)) == {}
    file.write_text("words: {own: [Project Zebra, Project Gnu]}\n", "utf-8")
    changed = actions(applied.plan(guardrail_file=file))
    assert changed["aws_bedrock_guardrail.this"] == ["update"]
    assert changed["aws_bedrock_guardrail_version.this"] == ["delete", "create"]
    assert changed['aws_ssm_parameter.contract["guardrail-version"]'] == ["update"]
    assert len(changed) == 3


def test_version_that_a_function_may_still_apply_is_kept(applied: Terraform) -> None:
    made = resources(applied.state()["values"])
    assert made["aws_bedrock_guardrail_version.this"]["skip_destroy"] is True
