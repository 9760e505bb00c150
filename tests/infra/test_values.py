"""That AWS takes the values that are planned, as far as somebody who knows them has written them down."""

import gzip
import importlib.resources
import json
import re
from typing import Any

import botocore.session
import pytest
from moto.iam.aws_managed_policies import aws_managed_policies_data

from infra.aws_values import CALLS, judge
from infra.terraform import CORE, Terraform, planned

PLANS: dict[str, dict[str, str]] = {
    "dev": {"database_proxy": "true"},
    "prod": {"stage": "prod"},
    "all": {
        "stage": "prod",
        "admin_password": "a-password-of-the-tests-2",
        "admin_password_version": "1",
        "alarm_emails": '["a@example.com"]',
        "bot_control": "true",
        "config_recorder": "true",
        "ec2_capacity": "true",
        "execute_command": "true",
        "general_log": "true",
        "knowledge_bucket": "here",
        "knowledge_copy_bucket": "there",
        "machine_clients": '{etl = ["ask"]}',
        "model_invocation_logging": "true",
        "mysql_version": "8.4",
        "read_replica": "true",
        "recovery_region": "eu-west-1",
        "threat_detection": "true",
        "threat_protection": "ENFORCED",
    },
}
WAF = "https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-"
FIREWALL = {
    "AWSManagedRulesAmazonIpReputationList": ("ip-rep.html", set[str]()),
    "AWSManagedRulesCommonRuleSet": (
        "baseline.html",
        {"CrossSiteScripting_BODY", "GenericLFI_BODY", "GenericRFI_BODY", "SizeRestrictions_BODY"},
    ),
    "AWSManagedRulesKnownBadInputsRuleSet": ("baseline.html", set[str]()),
    "AWSManagedRulesSQLiRuleSet": ("use-case.html", {"SQLiExtendedPatterns_BODY", "SQLi_BODY"}),
    "AWSManagedRulesBotControlRuleSet": (
        "bot.html",
        {"CategoryHttpLibrary", "SignalNonBrowserUserAgent"},
    ),
}
"""AWS's groups of rules: the page of WAF's manual that names each, and those of its rules that we name."""


@pytest.fixture(scope="module", params=PLANS)
def plan(request: pytest.FixtureRequest, terraform: Terraform) -> dict[str, Any]:
    return planned(terraform, **PLANS[request.param])


def of(plan: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [each for address, each in plan.items() if address.startswith(f"{kind}.")]


def test_values_are_those_that_the_calls_take(plan: dict[str, Any]) -> None:
    told = judge(plan)
    assert told.problems == []
    assert len(told.judged) > 100


def test_each_kind_with_values_of_its_own_is_judged(terraform: Terraform) -> None:
    everything = planned(terraform, **PLANS["all"]) | planned(terraform, **PLANS["dev"])
    kinds = {address.partition(".")[0] for address in everything}
    assert set(CALLS) - kinds <= {"aws_ce_anomaly_monitor", "aws_shield_protection"}
    assert len({path.partition(".")[0] for path in judge(everything).judged}) > 35


@pytest.mark.parametrize(
    ("address", "changed", "told"),
    [
        ("aws_cloudwatch_metric_alarm.x", {"comparison_operator": "GreaterThan"}, "enum"),
        ("aws_iam_role.x", {"name": "x" * 65}, "max 64"),
        ("aws_kms_key.x", {"description": "x" * 8193}, "max 8192"),
        ("aws_launch_template.x", {"instance_type": "m6i.huge"}, "enum"),
        ("aws_lb_target_group.x", {"port": 70_000}, "max 65535"),
        ("aws_ecs_service.x", {"capacity_provider_strategy": [{"base": -1}]}, "min 0"),
        ("aws_wafv2_ip_set.x", {"description": "It's ours."}, "pattern"),
        (
            "aws_s3_bucket_lifecycle_configuration.x",
            {"rule": [{"transition": [{"storage_class": "COLD"}]}]},
            "enum",
        ),
    ],
)
def test_value_that_aws_does_not_take_is_seen(address: str, changed: dict[str, Any], told: str) -> None:
    (problem,) = judge({address: changed}).problems
    assert problem.startswith(address)
    assert told in problem


def test_classes_of_databases_are_types_of_instances(plan: dict[str, Any]) -> None:
    types = botocore.session.get_session().get_service_model("ec2").shape_for("InstanceType").enum
    for database in of(plan, "aws_db_instance"):
        prefix, _, instance = database["instance_class"].partition(".")
        assert (prefix, instance in types) == ("db", True)


def test_logs_and_storage_of_the_database_are_those_that_rds_names(plan: dict[str, Any]) -> None:
    model = botocore.session.get_session().get_service_model("rds").operation_model("CreateDBInstance")
    members = model.input_shape.members
    logs = re.search(
        r"RDS for MySQL - <code>(.+?)</code> </p>", members["EnableCloudwatchLogsExports"].documentation
    )
    storage = re.search(r"Valid Values: <code>(.+?)</code> </p>", members["StorageType"].documentation)
    assert logs is not None
    assert storage is not None
    for database in of(plan, "aws_db_instance"):
        assert set(database["enabled_cloudwatch_logs_exports"]) <= set(logs[1].split(" | "))
        assert database["storage_type"] in storage[1].split(" | ")


def test_rules_of_config_are_rules_that_aws_has(terraform: Terraform) -> None:
    # moto's list, which is made of https://docs.aws.amazon.com/config/latest/developerguide.
    packed = importlib.resources.files("moto") / "config" / "resources" / "aws_managed_rules.json.gz"
    known = set(json.loads(gzip.decompress(packed.read_bytes()))["ManagedRules"])
    rules = of(planned(terraform, **PLANS["all"]), "aws_config_config_rule")
    named = {rule["source"][0]["source_identifier"] for rule in rules}
    assert len(named) >= 14
    assert named - known == set()


def test_policies_of_aws_are_policies_that_aws_has(terraform: Terraform) -> None:
    # moto's list, which is what IAM itself told its makers.
    known = {
        f"arn:aws:iam::aws:policy{policy['Path']}{name}"
        for name, policy in json.loads(aws_managed_policies_data).items()
    }
    attached = of(planned(terraform, **PLANS["all"]), "aws_iam_role_policy_attachment")
    assert len(attached) >= 5
    assert {each["policy_arn"] for each in attached} - known == set()


def test_groups_of_the_firewall_are_in_its_manual() -> None:
    text = (CORE / "firewall.tf").read_text("utf-8")
    assert set(re.findall(r"AWSManagedRules\w+", text)) == set(FIREWALL)
    groups = text.partition("firewall_groups = merge(")[2].partition("firewall_order")[0]
    for name, rules in re.findall(r"(AWSManagedRules\w+) *= \[(.*?)\]", groups, re.DOTALL):
        page, known = FIREWALL[name]
        assert set(re.findall(r'"(\w+)"', rules)) == known, WAF + page
