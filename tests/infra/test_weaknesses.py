"""What no reviewer should have to look for: what is open, unencrypted, unprotected or too powerful."""

import json
import re
from collections.abc import Iterator
from typing import Any, TypeAlias

import pytest

Made: TypeAlias = dict[str, dict[str, Any]]
"""Resources by their addresses."""

ANYWHERE = {"0.0.0.0/0", "::/0"}

BROAD = {
    "LeaveItToPoliciesOfTheAccount": "a key's policy is about that key alone; IAM says who may use it",
    "LetServicesUseIt": "a key's policy is about that key alone",
    "OwnIdentities": "what they may do is said by their own policies; an endpoint lets nobody else through",
    "LogInToRegistry": "the action knows no resource",
    "LayersOfImages": "a bucket of ECR, whose links are signed by its own account",
}
"""The statements that may name every resource, action or principal, and why."""

ENCRYPTED_BY = {
    "aws_cloudwatch_log_group": "kms_key_id",
    "aws_sns_topic": "kms_master_key_id",
    "aws_db_instance": "kms_key_id",
    "aws_secretsmanager_secret": "kms_key_id",
    "aws_backup_vault": "kms_key_arn",
    "aws_cloudtrail": "kms_key_id",
}
"""The argument that names the key."""

OF_A_BUCKET = (
    "aws_s3_bucket_public_access_block",
    "aws_s3_bucket_ownership_controls",
    "aws_s3_bucket_server_side_encryption_configuration",
    "aws_s3_bucket_versioning",
    "aws_s3_bucket_lifecycle_configuration",
    "aws_s3_bucket_policy",
)


def of_type(made: Made, kind: str) -> Made:
    return {address: each for address, each in made.items() if address.split(".")[0] == kind}


def policies(value: object) -> Iterator[dict[str, Any]]:
    """Yield the statements of every policy among the values of a resource."""
    if isinstance(value, str) and value.startswith("{") and '"Statement"' in value:
        statement = json.loads(value)["Statement"]
        yield from statement if isinstance(statement, list) else [statement]
    elif isinstance(value, dict):
        for each in value.values():
            yield from policies(each)
    elif isinstance(value, list):
        for each in value:
            yield from policies(each)


def words(value: object) -> set[str]:
    """Return the texts of an action, a resource or a principal, however they are written."""
    if isinstance(value, dict):
        return {text for each in value.values() for text in words(each)}
    return {value} if isinstance(value, str) else set(map(str, value or ()))  # type: ignore[call-overload]


def test_statement_is_for_all_only_where_the_reason_is_told(made: Made) -> None:
    statements = [(address, each) for address, values in made.items() for each in policies(values)]
    assert len(statements) > 10
    used = set()
    for address, each in statements:
        assert re.fullmatch(r"[A-Z][A-Za-z0-9]+", each["Sid"]), address
        named = words(each.get("Resource")) | words(each.get("Principal")) | words(each["Action"])
        is_broad = "*" in named or any(re.fullmatch(r"[a-z0-9-]+:\*", word) for word in named)
        if each["Effect"] == "Allow" and is_broad:
            assert each["Sid"] in BROAD, f"{address}: {each['Sid']}"
            used.add(each["Sid"])
    assert used == set(BROAD), "a reason that nothing needs"


def test_role_is_taken_by_services_of_this_account_alone(made: Made) -> None:
    for address, role in of_type(made, "aws_iam_role").items():
        for each in policies(role["assume_role_policy"]):
            assert set(each["Principal"]) == {"Service"}, address


@pytest.mark.parametrize("kind", ENCRYPTED_BY)
def test_what_is_kept_is_encrypted_with_a_key_of_ours(made: Made, kind: str) -> None:
    for address, each in of_type(made, kind).items():
        assert each[ENCRYPTED_BY[kind]], address


def test_keys_are_renewed_each_year(made: Made) -> None:
    assert all(key["enable_key_rotation"] for key in of_type(made, "aws_kms_key").values())


def test_bucket_is_private_encrypted_versioned_and_forgets(made: Made) -> None:
    buckets = of_type(made, "aws_s3_bucket")
    assert len(buckets) >= 3
    for address, bucket in buckets.items():
        _, name = address.split(".", 1)
        parts = {kind: made[f"{kind}.{name}"] for kind in OF_A_BUCKET}
        block = parts["aws_s3_bucket_public_access_block"]
        settings = [name for name in block if name.startswith(("block_", "ignore_", "restrict_"))]
        assert [block[name] for name in settings] == [True] * 4
        (refused, *_) = policies(parts["aws_s3_bucket_policy"])
        assert (refused["Effect"], refused["Condition"]) == (
            "Deny",
            {"Bool": {"aws:SecureTransport": "false"}},
        )
        (versioning,) = parts["aws_s3_bucket_versioning"]["versioning_configuration"]
        assert versioning["status"] == "Enabled"
        assert not bucket["force_destroy"]


def test_logs_are_kept_for_two_months_at_least(made: Made) -> None:
    groups = of_type(made, "aws_cloudwatch_log_group")
    assert groups
    assert all((group["retention_in_days"] or 0) >= 60 for group in groups.values())


def test_world_may_come_in_at_the_load_balancers_alone(made: Made) -> None:
    for address, rule in of_type(made, "aws_vpc_security_group_ingress_rule").items():
        if {rule["cidr_ipv4"], rule["cidr_ipv6"]} & ANYWHERE:
            assert re.search(r'\["(frontend|backend)_alb-(80|443)"\]$', address)
    for group in of_type(made, "aws_security_group").values():
        assert not group["ingress"]
        assert not group["egress"]


def test_nothing_else_has_a_public_address(made: Made) -> None:
    for address, each in made.items():
        for name in ("map_public_ip_on_launch", "publicly_accessible", "associate_public_ip_address"):
            assert not each.get(name), address
        for network in each.get("network_configuration") or []:
            assert not (isinstance(network, dict) and network.get("assign_public_ip")), address


def test_nothing_of_a_deployment_in_use_can_be_deleted_by_mistake(made: Made) -> None:
    for address, database in of_type(made, "aws_db_instance").items():
        assert database["deletion_protection"], address
        assert not database["skip_final_snapshot"] or "replica" in address, address
    is_trial = made["aws_sns_topic.alarms"]["name"] == "text2sql-dev-alarms"
    for address, balancer in of_type(made, "aws_lb").items():
        assert balancer["enable_deletion_protection"] or is_trial, address


def test_no_secret_is_in_the_state(made: Made) -> None:
    for address, each in made.items():
        for name in ("password", "secret_string", "secret_binary", "master_password"):
            assert not each.get(name), f"{address}.{name}"
