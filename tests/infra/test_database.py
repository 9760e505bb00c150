"""The database that Terraform plans: kept, encrypted, logged, and asked by an account that may only read."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from infra.terraform import CORE, Terraform, core, planned, resources
from text2sql.execution.mysql_account import reader_statements
from text2sql.execution.url import MysqlUrl, parse_database_url

ROTATES = "arn:aws:lambda:eu-central-1:123456789012:function:rotate"
VAULT = "arn:aws:backup:eu-west-1:123456789012:backup-vault:far"


@pytest.fixture(scope="module")
def plan(terraform: Terraform) -> dict[str, Any]:
    return planned(terraform)


@pytest.fixture(scope="module")
def database(plan: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = plan["aws_db_instance.this"]
    return found


def test_database_is_the_one_that_was_asked_for(database: dict[str, Any]) -> None:
    asked = ("engine", "engine_version", "instance_class", "allocated_storage", "max_allocated_storage")
    assert [database[name] for name in asked] == ["mysql", "8.0", "db.t3.medium", 20, 40]
    assert (database["multi_az"], database["storage_type"], database["port"]) == (True, "gp3", 3306)


def test_database_is_encrypted_and_not_public(database: dict[str, Any]) -> None:
    assert (database["storage_encrypted"], database["publicly_accessible"]) == (True, False)
    assert database["performance_insights_enabled"]
    assert database["performance_insights_retention_period"] == 7


def test_master_password_is_made_and_renewed_by_rds(database: dict[str, Any]) -> None:
    assert database["manage_master_user_password"]
    assert database["password"] is None
    assert database["iam_database_authentication_enabled"]


def test_backups_go_back_35_days_and_outlive_the_database(database: dict[str, Any]) -> None:
    assert (database["backup_retention_period"], database["backup_window"]) == (35, "03:00-06:00")
    assert (database["skip_final_snapshot"], database["final_snapshot_identifier"]) == (
        False,
        "text2sql-dev-final",
    )
    assert (database["delete_automated_backups"], database["copy_tags_to_snapshot"]) == (False, True)
    assert database["deletion_protection"]


def test_maintenance_begins_after_the_backup_has_ended(database: dict[str, Any]) -> None:
    backup = database["backup_window"].partition("-")[2]
    maintenance = database["maintenance_window"].partition("-")[0].partition(":")[2]
    assert maintenance > backup


def test_parameters_are_those_that_were_asked_for_and_nobody_signs_in_in_clear_text(
    plan: dict[str, Any],
) -> None:
    group = plan["aws_db_parameter_group.this"]
    parameters = {each["name"]: each["value"] for each in group["parameter"]}
    assert group["family"] == "mysql8.0"
    assert parameters["require_secure_transport"] == "1"
    assert parameters["max_connections"] == "1000"
    assert parameters["innodb_buffer_pool_size"] == "{DBInstanceClassMemory*3/4}"
    assert (parameters["slow_query_log"], parameters["log_output"]) == ("1", "FILE")


@pytest.mark.parametrize("is_general", [False, True])
def test_logs_go_to_groups_that_forget_before_rds_makes_its_own(
    terraform: Terraform, is_general: bool
) -> None:
    plan = planned(terraform, general_log=json.dumps(is_general), log_retention_days="180")
    kinds = {"audit", "error", "slowquery"} | ({"general"} if is_general else set())
    assert set(plan["aws_db_instance.this"]["enabled_cloudwatch_logs_exports"]) == kinds
    groups = {each["name"]: each for address, each in plan.items() if "log_group.database" in address}
    assert set(groups) == {f"/aws/rds/instance/text2sql-dev/{kind}" for kind in kinds}
    assert {group["retention_in_days"] for group in groups.values()} == {180}
    (option,) = plan["aws_db_option_group.this"]["option"]
    assert option["option_name"] == "MARIADB_AUDIT_PLUGIN"
    (events,) = option["option_settings"]
    assert events["value"] == "CONNECT,QUERY"  # with SELECT, which is all that the reader sends


def test_newer_mysql_takes_its_own_parameters(terraform: Terraform) -> None:
    plan = planned(terraform, mysql_version="8.4")
    assert plan["aws_db_parameter_group.this"]["family"] == "mysql8.4"
    assert plan["aws_db_option_group.this"]["major_engine_version"] == "8.4"


def test_replica_is_there_when_asked_for_and_is_what_questions_go_to(terraform: Terraform) -> None:
    assert not any("replica" in address for address in planned(terraform))
    plan = planned(
        terraform,
        read_replica="true",
        admin_password="a-password-of-the-tests-2",
        admin_password_version="1",
    )
    replica = plan["aws_db_instance.replica[0]"]
    assert (replica["replicate_source_db"], replica["storage_encrypted"]) == ("text2sql-dev", True)
    assert (replica["publicly_accessible"], replica["deletion_protection"]) == (False, True)
    logs = plan["aws_db_instance.this"]["enabled_cloudwatch_logs_exports"]
    assert replica["enabled_cloudwatch_logs_exports"] == logs
    kept = {each["name"] for address, each in plan.items() if "log_group.database" in address}
    assert {f"/aws/rds/instance/text2sql-dev-replica/{kind}" for kind in logs} <= kept
    assert any(address.startswith('aws_cloudwatch_metric_alarm.this["database-replica') for address in plan)


def test_questions_go_through_a_proxy_that_knows_the_reader_alone_where_there_is_one(
    tmp_path: Path, providers: str
) -> None:
    shutil.copy(CORE.parent / "guardrail.yaml", tmp_path)
    terraform = core(tmp_path / "terraform-core", providers)
    said = terraform.run("apply", "-auto-approve", "-input=false", database_proxy="true")
    assert said.returncode == 0, said
    made = resources(terraform.state()["values"])
    proxy = made['aws_db_proxy.this["database"]']
    assert (proxy["require_tls"], proxy["engine_family"]) == (True, "MYSQL")
    (account,) = proxy["auth"]
    assert account["secret_arn"] == made["aws_secretsmanager_secret.reader[0]"]["arn"]
    statements = json.loads(made['aws_iam_role_policy.database_proxy["database"]']["policy"])["Statement"]
    assert [it["Resource"] for it in statements] == [
        account["secret_arn"],
        made['aws_kms_key.this["database"]']["arn"],
    ]
    url = parse_database_url(made['aws_ssm_parameter.contract["database-url"]']["value"])
    assert isinstance(url, MysqlUrl)
    assert url.host == "aws_db_proxy.endpoint"
    admin = made['aws_ssm_parameter.contract["database-admin-url"]']["value"]
    assert "@aws_db_instance.address:" in admin
    (let_in,) = (
        each
        for address, each in made.items()
        if "ingress_rule" in address and "database-from-proxy" in address
    )
    assert let_in["from_port"] == 3306


def test_functions_ask_as_the_reader_by_tls(made: dict[str, Any]) -> None:
    url = parse_database_url(made['aws_ssm_parameter.contract["database-url"]']["value"])
    assert isinstance(url, MysqlUrl)
    assert (url.host, url.port, url.user, url.database) == (
        "aws_db_instance.address",
        3306,
        "text2sql_reader",
        "text2sql",
    )
    assert (url.ssl, url.password.get_secret_value()) == ("required", "")
    secret = made['aws_ssm_parameter.contract["database-secret"]']["value"]
    assert secret == made["aws_secretsmanager_secret.reader[0]"]["arn"]


def test_administrator_is_that_of_the_database_itself_with_the_password_that_rds_keeps(
    made: dict[str, Any],
) -> None:
    told = {
        name: made[f'aws_ssm_parameter.contract["{name}"]']["value"]
        for name in ("database-admin-url", "database-admin-secret", "database-key")
    }
    url = parse_database_url(told["database-admin-url"])
    assert isinstance(url, MysqlUrl)
    assert (url.host, url.user, url.database) == ("aws_db_instance.address", "text2sql_admin", "text2sql")
    assert (url.ssl, url.password.get_secret_value()) == ("required", "")
    assert made["aws_db_instance.this"]["username"] == url.user
    (kept,) = made["aws_db_instance.this"]["master_user_secret"]
    assert told["database-admin-secret"] == kept["secret_arn"]
    # The functions may use this key and no other to read what it encrypts.
    key = made['aws_kms_key.this["database"]']
    assert told["database-key"] == key["arn"]
    assert made["aws_secretsmanager_secret.reader[0]"]["kms_key_id"] == key["arn"]
    assert made["aws_db_instance.this"]["master_user_secret_kms_key_id"] == key["key_id"]


def test_lists_are_parameters_that_cloudformation_takes_for_lists(made: dict[str, Any]) -> None:
    template = (CORE.parent / "template.yaml").read_text("utf-8")
    lists = set(
        re.findall(r"Parameter::Value<(?:List<.+?>|CommaDelimitedList)>\n\s+Default: (\S+)", template)
    )
    for address, each in made.items():
        if address.startswith("aws_ssm_parameter.contract"):
            assert (each["type"] == "StringList") == (each["name"] in lists), each["name"]


def test_readers_password_is_written_once_it_is_given_and_stands_in_no_plan(terraform: Terraform) -> None:
    assert not any("secret_version.reader" in address for address in planned(terraform))
    password = "a-password-of-the-tests-1"
    plan = terraform.plan(reader_password=password, reader_password_version="1")
    written = resources(plan["planned_values"])["aws_secretsmanager_secret_version.reader[0]"]
    assert written["secret_string_wo_version"] == 1
    assert password not in json.dumps(plan)


def test_readers_password_is_rotated_where_a_function_does_it(terraform: Terraform) -> None:
    assert not any("secret_rotation" in address for address in planned(terraform))
    plan = planned(terraform, reader_rotation_function_arn=ROTATES)
    rotation = plan["aws_secretsmanager_secret_rotation.reader[0]"]
    assert rotation["rotation_rules"][0]["automatically_after_days"] == 30
    assert rotation["rotate_immediately"] is False


def test_backups_are_made_each_day_and_restored_each_month(plan: dict[str, Any]) -> None:
    (rule,) = plan["aws_backup_plan.this"]["rule"]
    assert (rule["schedule"], rule["lifecycle"][0]["delete_after"]) == ("cron(30 1 * * ? *)", 35)
    assert rule["copy_action"] == []
    assert plan["aws_backup_restore_testing_plan.this"]["schedule_expression"] == "cron(0 8 1 * ? *)"
    assert plan["aws_backup_restore_testing_selection.this"]["protected_resource_type"] == "RDS"


def test_backups_are_copied_to_the_vault_that_is_named(terraform: Terraform) -> None:
    (rule,) = planned(terraform, backup_copy_vault_arn=VAULT)["aws_backup_plan.this"]["rule"]
    (copied,) = rule["copy_action"]
    assert (copied["destination_vault_arn"], copied["lifecycle"][0]["delete_after"]) == (VAULT, 35)


def test_documented_reader_is_the_one_that_the_product_takes() -> None:
    manual = Path(CORE.parent / "docs" / "infrastructure_database.md").read_text("utf-8")
    written = manual.partition("```sql\n")[2].partition("\n```")[0]
    assert " REQUIRE SSL" in written
    assert written.replace(" REQUIRE SSL", "") == reader_statements("text2sql")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mysql_version", "5.7"),
        ("final_snapshot", "Last one"),
        ("database_name", "my-db"),
        ("database_class", "t3.medium"),
        ("database_storage", "{first = 10, most = 40}"),
        ("database_storage", "{first = 40, most = 40}"),
        ("reader_password", "short"),
        ("reader_password_version", "1"),
        ("reader_rotation_function_arn", "rotate"),
        ("backup_copy_vault_arn", "far"),
    ],
)
def test_variable_that_cannot_be_meant_is_refused(terraform: Terraform, name: str, value: str) -> None:
    problems = terraform.problems(**{name: value})
    assert (
        f"{name.removesuffix('_version') if name == 'reader_password_version' else name} must" in problems[0]
    )
