"""What is followed, copied, and made in a second Region, which takes over when the first is gone."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from infra.terraform import CORE, Terraform, core, planned, resources

FAR = "arn:aws:rds:eu-west-1:123456789012:db:text2sql-prod"
SECRETS = "arn:aws:secretsmanager:{region}:123456789012:secret:text2sql-prod/database-"
PRIMARY = {
    "arn": FAR,
    "admin_secret_arn": SECRETS.format(region="eu-west-1") + "admin-AbCdEf",
    "reader_secret_arn": SECRETS.format(region="eu-west-1") + "reader-AbCdEf",
}
PASSWORD = {"admin_password": "a-password-of-the-tests-2", "admin_password_version": "1"}
COPIED = {
    **PASSWORD,
    "knowledge_bucket": "here",
    "knowledge_copy_bucket": "there",
    "recovery_region": "eu-west-1",
}


@pytest.fixture(scope="module")
def follower(terraform: Terraform) -> dict[str, Any]:
    return terraform.plan(stage="prod", database_primary=json.dumps(PRIMARY))


def test_followed_database_has_the_password_of_its_secret_and_neither_is_in_the_state(
    tmp_path: Path, providers: str
) -> None:
    shutil.copy(CORE.parent / "guardrail.yaml", tmp_path)
    terraform = core(tmp_path / "terraform-core", providers)
    for version in (1, 2):
        chosen = {"read_replica": "true", **PASSWORD, "admin_password_version": str(version)}
        said = terraform.run("apply", "-auto-approve", "-input=false", "-no-color", **chosen)
        assert said.returncode == 0, said
        changed = re.findall(r"^  # (\S+) will be updated", said.stdout, re.MULTILINE)
        told = ["aws_db_instance.this", "aws_secretsmanager_secret_version.admin[0]"]
        assert changed == (told if version > 1 else [])
        made = resources(terraform.state()["values"])
        database, secret = made["aws_db_instance.this"], made["aws_secretsmanager_secret.admin[0]"]
        assert (database["manage_master_user_password"], database["password_wo"]) == (None, None)
        assert (database["password_wo_version"], database["username"]) == (version, "text2sql_admin")
        assert made['aws_ssm_parameter.contract["database-admin-secret"]']["value"] == secret["arn"]
        assert secret["kms_key_id"] == made['aws_kms_key.this["database"]']["arn"]
        state = (terraform.folder / "terraform.tfstate").read_text("utf-8")
        assert PASSWORD["admin_password"] not in state + said.stdout
        assert "No changes." in terraform.run("plan", "-input=false", "-no-color", **chosen).stdout


def test_database_that_nobody_follows_has_the_password_that_rds_makes(terraform: Terraform) -> None:
    plan = planned(terraform)
    assert plan["aws_db_instance.this"]["manage_master_user_password"]
    assert not any("secret.admin" in address for address in plan)


def test_secrets_of_the_accounts_are_copied_to_the_second_region(terraform: Terraform) -> None:
    assert not any(planned(terraform)["aws_secretsmanager_secret.reader[0]"]["replica"])
    plan = terraform.plan(recovery_region="eu-west-1", **PASSWORD)
    made = resources(plan["planned_values"])
    for name in ("admin", "reader"):
        (copy,) = made[f"aws_secretsmanager_secret.{name}[0]"]["replica"]
        assert copy["region"] == "eu-west-1"
    assert made["aws_db_instance.this"]["manage_master_user_password"] is None
    told = plan["configuration"]["root_module"]["outputs"]["database_primary"]["expression"]
    assert "local.admin_secret_arn" in told["references"]


def test_database_of_the_second_region_follows_and_has_the_accounts_of_the_first(
    follower: dict[str, Any],
) -> None:
    made = resources(follower["planned_values"])
    database = made["aws_db_instance.this"]
    assert database["replicate_source_db"] == FAR
    assert (database["manage_master_user_password"], database.get("username")) == (None, None)
    assert (database["skip_final_snapshot"], database["storage_encrypted"]) == (True, True)
    assert not any("aws_secretsmanager_secret.reader" in address for address in made)
    for name in ("admin", "reader"):
        parameter = "database-secret" if name == "reader" else "database-admin-secret"
        told = made[f'aws_ssm_parameter.contract["{parameter}"]']["value"]
        assert told == SECRETS.format(region="eu-central-1") + f"{name}-AbCdEf"
    assert 'aws_cloudwatch_metric_alarm.this["database-primary-lag"]' in made
    assert follower["planned_values"]["outputs"]["database_is_follower"]["value"] is True


def test_promoted_database_stays_as_it_is(follower: dict[str, Any]) -> None:
    text = (CORE / "database.tf").read_text("utf-8")
    block = text.partition('resource "aws_db_instance" "this"')[2].partition("\n}\n")[0]
    assert "ignore_changes = [replicate_source_db]" in block
    assert follower["planned_values"]


def test_example_of_a_second_region_makes_nothing_that_an_account_has_once(terraform: Terraform) -> None:
    text = (CORE / "environments" / "prod.second-region.tfvars.example").read_text("utf-8")
    for asked, answer in (("first Region", "eu-west-1"), ("Region", "eu-central-1"), ("id", "0")):
        text = text.replace(f"<{asked}>", answer)
    text = re.sub(r"<\w+ is on call>@<.+?>", "a@example.com", text.replace("<account>", "123456789012"))
    variables = terraform.folder / "second.tfvars"
    variables.write_text(text.replace("<letters>", "AbCdEf"), "utf-8")
    said = terraform.run("plan", "-input=false", f"-var-file={variables}", "-out=second")
    assert said.returncode == 0, said
    shown = json.loads(terraform.run("show", "-json", "second").stdout)
    kinds = {address.partition(".")[0] for address in resources(shown["planned_values"])}
    assert not kinds & {"aws_budgets_budget", "aws_ce_anomaly_monitor", "aws_cloudtrail"}


def test_two_regions_have_names_of_their_own_for_what_the_account_has_once(made: dict[str, Any]) -> None:
    kinds = ("aws_iam_role.", "aws_iam_instance_profile.", "aws_s3_bucket.")
    names = {
        address: each.get("name") or each["bucket"]
        for address, each in made.items()
        if address.startswith(kinds)
    }
    assert len(names) > 10
    assert [address for address, name in names.items() if "eu-central-1" not in name] == []
    # A role's name has 64 characters at most, and a Region's 14.
    longest = max(len(name) for address, name in names.items() if "iam" in address)
    assert longest - len("eu-central-1") + 14 <= 64


def test_what_people_know_is_copied_and_what_a_sync_makes_is_not(terraform: Terraform) -> None:
    assert not any("knowledge_copy" in address for address in planned(terraform))
    plan = planned(terraform, **COPIED)
    copying = plan["aws_s3_bucket_replication_configuration.knowledge[0]"]
    prefixes = {rule["filter"][0]["prefix"]: rule for rule in copying["rule"]}
    assert {"policy.yaml", "documents/"} < set(prefixes)
    assert not any("index/".startswith(prefix) or "sections/".startswith(prefix) for prefix in prefixes)
    assert len({rule["priority"] for rule in copying["rule"]}) == len(prefixes)
    for rule in copying["rule"]:
        (target,) = rule["destination"]
        (encrypted,) = target["encryption_configuration"]
        assert target["bucket"] == "arn:aws:s3:::there"
        assert encrypted["replica_kms_key_id"] == "arn:aws:kms:eu-west-1:123456789012:alias/aws/s3"
    statements = json.loads(plan["aws_iam_role_policy.knowledge_copy[0]"]["policy"])["Statement"]
    assert {it["Resource"] for it in statements} == {
        *("arn:aws:s3:::here", "arn:aws:s3:::here/*", "arn:aws:s3:::there/*"),
    }


def test_all_files_that_the_functions_read_are_copied(terraform: Terraform) -> None:
    from text2sql.datasource.knowledge_bucket import FILES
    from text2sql.documents.bucket import PREFIX

    rules = planned(terraform, **COPIED)["aws_s3_bucket_replication_configuration.knowledge[0]"]["rule"]
    assert {rule["filter"][0]["prefix"] for rule in rules} == {*FILES, PREFIX}


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"database_primary": '{arn = "x", admin_secret_arn = "x", reader_secret_arn = "x"}'}, "ARNs"),
        ({"database_primary": json.dumps(PRIMARY), "read_replica": "true"}, "not stand beside"),
        ({"database_primary": json.dumps(PRIMARY), "recovery_region": "eu-west-1"}, "not stand beside"),
        ({"knowledge_copy_bucket": "there"}, "stand beside knowledge_bucket and recovery_region"),
        ({"database_proxy": "true", "read_replica": "true", **PASSWORD}, "the first server alone"),
        ({"database_proxy": "true", "database_primary": json.dumps(PRIMARY)}, "the first server alone"),
        ({"read_replica": "true"}, "admin_password_version must be 1 or more"),
        ({"recovery_region": "eu-west-1"}, "admin_password_version must be 1 or more"),
        ({"admin_password": "short"}, "20 to 41"),
        ({"admin_password_version": "1"}, "must be given with each run"),
    ],
)
def test_what_cannot_be_meant_is_refused(terraform: Terraform, variables: dict[str, str], told: str) -> None:
    assert any(told in problem for problem in terraform.problems(**variables))
