"""The deployment's template, held against the settings, the functions' rights, and the runbooks."""

import re
from pathlib import Path
from typing import Any

import pytest

from local_cloud import read_template
from text2sql.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[2]
TEMPLATE = read_template()
RESOURCES: dict[str, dict[str, Any]] = TEMPLATE["Resources"]


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    return {name: each["Properties"] for name, each in RESOURCES.items() if each["Type"] == kind}


FUNCTIONS = of_type("AWS::Serverless::Function")
RIGHTS = {
    "CheckQuestion": set[str](),
    "RetrieveContext": {"s3:PutObject", "secretsmanager:GetSecretValue"},
    "GenerateSql": {
        "s3:GetObject",
        "bedrock:InvokeModel",
        *(f"dynamodb:{verb}Item" for verb in ("Delete", "Get", "Put", "Update")),
    },
    "ValidateSql": {"s3:GetObject"},
    "ExecuteSql": {"s3:PutObject", "secretsmanager:GetSecretValue"},
    "ComposeAnswer": {"s3:GetObject"},
    "RecordOutcome": {"s3:GetObject", "s3:PutObject"},
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_has_the_rights_that_its_step_needs_and_no_other(name: str) -> None:
    statements = [each["Statement"][0] for each in FUNCTIONS[name].get("Policies", [])]
    actions = [statement["Action"] for statement in statements]
    assert {name for each in actions for name in ([each] if isinstance(each, str) else each)} == RIGHTS[name]
    assert all(statement["Resource"] != "*" for statement in statements)


def test_only_the_functions_that_reach_the_database_are_in_its_network_and_know_its_password() -> None:
    inside = {name for name, function in FUNCTIONS.items() if "VpcConfig" in function}
    knowing = {name for name, function in FUNCTIONS.items() if "DATABASE_SECRET" in str(function)}
    assert inside == knowing == {"RetrieveContext", "ExecuteSql"}


def test_variables_are_settings() -> None:
    shared = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    own = [function.get("Environment", {}).get("Variables", {}) for function in FUNCTIONS.values()]
    names = {name for variables in (shared, *own) for name in variables if name.startswith("TEXT2SQL_")}
    settings = {f"TEXT2SQL_{field}".upper() for field in Settings.model_fields}
    assert names - settings == {"TEXT2SQL_PARCELS_BUCKET", "TEXT2SQL_MODEL_REPLIES_TABLE"}


def test_parameters_are_described_and_those_of_terraform_are_under_one_path() -> None:
    for parameter in TEMPLATE["Parameters"].values():
        assert parameter["Description"].endswith(".")
        if parameter["Type"].startswith("AWS::SSM"):
            assert parameter["Default"].startswith("/text2sql/")


def test_buckets_are_private_encrypted_versioned_and_forget() -> None:
    (bucket,) = of_type("AWS::S3::Bucket").values()
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert bucket["BucketEncryption"]
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["LifecycleConfiguration"]["Rules"][0]["ExpirationInDays"] == 1


def test_every_alarm_names_a_section_of_the_runbook() -> None:
    headings = re.findall(r"^#+ (.+)$", (REPOSITORY / "docs" / "cloud.md").read_text("utf-8"), re.MULTILINE)
    sections = {heading.lower().replace(" ", "-") for heading in headings}
    for alarm in of_type("AWS::CloudWatch::Alarm").values():
        found = re.search(r"docs/cloud\.md#([a-z-]+)\.$", alarm["AlarmDescription"])
        assert found is not None
        assert found[1] in sections


def test_both_machines_run_the_same_definition() -> None:
    standard, express = of_type("AWS::Serverless::StateMachine").values()
    assert (standard["Type"], express["Type"]) == ("STANDARD", "EXPRESS")
    for name in ("DefinitionUri", "DefinitionSubstitutions", "Role", "Logging", "Tracing"):
        assert standard[name] == express[name]
