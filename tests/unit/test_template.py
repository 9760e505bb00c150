"""The deployment's template, held against the settings, the functions' rights, and the runbooks."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_cloud import read_template
from text2sql.settings import Settings
from text2sql_api.settings import ApiSettings

REPOSITORY = Path(__file__).resolve().parents[2]
TEMPLATE = read_template()
RESOURCES: dict[str, dict[str, Any]] = TEMPLATE["Resources"]


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    return {name: each["Properties"] for name, each in RESOURCES.items() if each["Type"] == kind}


def statements(node: object) -> Iterator[dict[str, Any]]:
    """Return every statement of a policy below a node of the template."""
    if isinstance(node, dict):
        yield from node.get("Statement", [])
        for each in node.values():
            yield from statements(each)
    elif isinstance(node, list):
        for each in node:
            yield from statements(each)


def listed(actions: str | list[str]) -> list[str]:
    return [actions] if isinstance(actions, str) else actions


FUNCTIONS = of_type("AWS::Serverless::Function")
NOTE_STEPS = {"dynamodb:GetItem", "dynamodb:UpdateItem"}
SCREEN = "bedrock:ApplyGuardrail"
READ_PASSWORD = {"kms:Decrypt", "secretsmanager:GetSecretValue"}
RIGHTS = {
    "CheckQuestion": {*NOTE_STEPS, SCREEN},
    "RewriteQuestion": {*NOTE_STEPS, SCREEN, "bedrock:InvokeModel"},
    "RetrieveContext": {
        *NOTE_STEPS,
        *("s3:GetObject", "s3:ListBucket", "s3:PutObject"),
        *("bedrock:GetKnowledgeBase", "bedrock:Retrieve"),
        *READ_PASSWORD,
    },
    "GenerateSql": {
        SCREEN,
        "s3:GetObject",
        "bedrock:InvokeModel",
        *(f"dynamodb:{verb}Item" for verb in ("Delete", "Get", "Put", "Update")),
    },
    "ValidateSql": {*NOTE_STEPS, "s3:GetObject"},
    "ExecuteSql": {*NOTE_STEPS, "s3:PutObject", *READ_PASSWORD},
    "ComposeAnswer": {*NOTE_STEPS, SCREEN, "s3:GetObject", "s3:PutObject"},
    "RecordOutcome": {
        *NOTE_STEPS,
        *("s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject"),
    },
    "StartSync": {"states:StartExecution"},
    "SyncDocuments": {
        SCREEN,
        *("s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject"),
        *("bedrock:GetKnowledgeBase", "bedrock:StartIngestionJob"),
    },
    "SyncSchema": {
        *("s3:GetObject", "s3:ListBucket", "s3:PutObject"),
        *READ_PASSWORD,
    },
    "CheckIngestion": {
        *("s3:GetObject", "s3:ListBucket"),
        *("bedrock:GetIngestionJob", "bedrock:GetKnowledgeBase"),
    },
    "RecordSync": {"s3:GetObject", "s3:ListBucket", "s3:PutObject"},
    "PrepareDatabase": {*READ_PASSWORD, "kms:GenerateDataKey", "secretsmanager:PutSecretValue"},
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_has_the_rights_that_its_step_needs_and_no_other(name: str) -> None:
    statements = [each["Statement"][0] for each in FUNCTIONS[name].get("Policies", [])]
    assert {action for each in statements for action in listed(each["Action"])} == RIGHTS[name]
    assert all(statement["Resource"] != "*" for statement in statements)


def test_only_the_functions_that_reach_the_database_are_in_its_network_and_know_its_password() -> None:
    inside = {name for name, function in FUNCTIONS.items() if "VpcConfig" in function}
    knowing = {name for name, function in FUNCTIONS.items() if "DATABASE_SECRET" in str(function)}
    assert inside == knowing == {"RetrieveContext", "ExecuteSql", "SyncSchema", "PrepareDatabase"}


def test_administrators_password_is_for_the_function_that_makes_the_reader_alone() -> None:
    assert [name for name, each in FUNCTIONS.items() if "Admin" in str(each)] == ["PrepareDatabase"]
    assert "Events" not in FUNCTIONS["PrepareDatabase"]


@pytest.mark.parametrize("name", ["RetrieveContext", "ExecuteSql", "SyncSchema", "PrepareDatabase"])
def test_key_is_used_for_the_secrets_of_the_function_alone(name: str) -> None:
    by_action = {
        action: statement
        for statement in statements(FUNCTIONS[name]["Policies"])
        for action in listed(statement["Action"])
    }
    used = by_action["kms:Decrypt"]["Condition"]["StringEquals"]
    assert used["kms:EncryptionContext:SecretARN"] == by_action["secretsmanager:GetSecretValue"]["Resource"]
    assert used["kms:ViaService"] == {"Fn::Sub": "secretsmanager.${AWS::Region}.${AWS::URLSuffix}"}


def test_variables_are_settings() -> None:
    shared = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    own = [function.get("Environment", {}).get("Variables", {}) for function in FUNCTIONS.values()]
    names = {name for variables in (shared, *own) for name in variables if name.startswith("TEXT2SQL_")}
    settings = {f"TEXT2SQL_{field}".upper() for field in Settings.model_fields}
    assert names - settings == {
        f"TEXT2SQL_{name}"
        for name in (
            *("PARCELS_BUCKET", "MODEL_REPLIES_TABLE", "JOBS_TABLE", "RESULTS_BUCKET"),
            *("DATABASE_ADMIN_URL", "DATABASE_ADMIN_SECRET"),
        )
    }


def test_parameters_are_described_and_those_of_terraform_are_under_one_path() -> None:
    for parameter in TEMPLATE["Parameters"].values():
        assert parameter["Description"].endswith(".")
        if parameter["Type"].startswith("AWS::SSM"):
            assert parameter["Default"].startswith("/text2sql/")


@pytest.mark.parametrize(("name", "days"), [("Parcels", 1), ("Results", 8), ("Knowledge", None)])
def test_bucket_is_private_encrypted_versioned_and_forgets(name: str, days: int | None) -> None:
    assert len(of_type("AWS::S3::Bucket")) == 3
    bucket = of_type("AWS::S3::Bucket")[name]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert bucket["BucketEncryption"]
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    (rule,) = bucket["LifecycleConfiguration"]["Rules"]
    assert (rule["Status"], rule.get("ExpirationInDays")) == ("Enabled", days)
    assert rule["NoncurrentVersionExpiration"]
    (refused,) = RESOURCES[f"{name}Policy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (refused["Effect"], refused["Principal"], refused["Action"]) == ("Deny", "*", "s3:*")
    assert refused["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_rows_are_kept_as_long_as_their_jobs_and_what_people_wrote_outlives_the_stack() -> None:
    days = of_type("AWS::S3::Bucket")["Results"]["LifecycleConfiguration"]["Rules"][0]["ExpirationInDays"]
    assert days * 86_400 > ApiSettings().job_seconds
    assert (
        RESOURCES["Knowledge"]["DeletionPolicy"] == RESOURCES["Knowledge"]["UpdateReplacePolicy"] == "Retain"
    )


def test_jobs_expire_and_can_be_restored() -> None:
    table = of_type("AWS::DynamoDB::Table")["Jobs"]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["DeletionProtectionEnabled"] == {"Fn::If": ["IsProduction", True, False]}


def test_parameters_of_terraform_are_those_that_the_documentation_lists() -> None:
    text = (REPOSITORY / "docs" / "cloud.md").read_text("utf-8")
    (listed,) = re.findall(
        r"SSM parameters under `/text2sql/` when it is deployed: (.+)\.$", text, re.MULTILINE
    )
    read = [
        each["Default"] for each in TEMPLATE["Parameters"].values() if each["Type"].startswith("AWS::SSM")
    ]
    assert sorted(f"/text2sql/{name}" for name in re.findall("`(.+?)`", listed)) == sorted(read)


def test_every_alarm_names_a_section_of_the_runbook() -> None:
    headings = re.findall(r"^#+ (.+)$", (REPOSITORY / "docs" / "cloud.md").read_text("utf-8"), re.MULTILINE)
    sections = {heading.lower().replace(" ", "-") for heading in headings}
    for alarm in of_type("AWS::CloudWatch::Alarm").values():
        found = re.search(r"docs/cloud\.md#([a-z-]+)\.$", alarm["AlarmDescription"])
        assert found is not None
        assert found[1] in sections


def test_every_alarm_wakes_somebody() -> None:
    alarms = of_type("AWS::CloudWatch::Alarm")
    assert {
        name for name, alarm in alarms.items() if alarm.get("AlarmActions") != [{"Ref": "AlarmTopic"}]
    } == set()


def test_every_bucket_table_and_queue_is_encrypted() -> None:
    assert all(bucket["BucketEncryption"] for bucket in of_type("AWS::S3::Bucket").values())
    assert all(table["SSESpecification"]["SSEEnabled"] for table in of_type("AWS::DynamoDB::Table").values())
    assert all(queue["SqsManagedSseEnabled"] for queue in of_type("AWS::SQS::Queue").values())


def test_no_right_is_for_everything_but_where_the_actions_know_no_resource() -> None:
    """A refusal may be for all: it takes rights away."""
    allowed = [each for each in statements(RESOURCES) if each["Effect"] == "Allow"]
    assert len(allowed) > 10
    for each in allowed:
        assert "*" not in "".join(each["Action"]), each["Sid"]
        assert each.get("Principal") != "*", each["Sid"]
    wide = [each["Sid"] for each in allowed if each.get("Resource") == "*"]
    assert wide == ["TraceAndLog"] * 2


def test_who_is_called_without_a_token_or_a_signature() -> None:
    routes = {route["RouteKey"]: route for route in of_type("AWS::ApiGatewayV2::Route").values()}
    kinds = {key: route["AuthorizationType"] for key, route in routes.items()}
    assert kinds == {
        "GET /v1/{proxy+}": "JWT",
        "POST /v1/{proxy+}": "JWT",
        "DELETE /v1/{proxy+}": "JWT",
        "POST /api/query": "JWT",
        "ANY /machine/{proxy+}": "AWS_IAM",
        "GET /healthz": "NONE",
    }
    for route in routes.values():
        authorizer = {"Ref": "TokenAuthorizer"} if route["AuthorizationType"] == "JWT" else None
        assert route.get("AuthorizerId") == authorizer


def test_gateway_lets_nobody_claim_to_be_a_machine() -> None:
    """Each route's integration overwrites or removes what the API believes of machines."""
    integrations = of_type("AWS::ApiGatewayV2::Integration")
    for route in of_type("AWS::ApiGatewayV2::Route").values():
        integration = integrations[route["Target"]["Fn::Sub"].removeprefix("integrations/${").rstrip("}")]
        mapping = integration["RequestParameters"]
        if route["AuthorizationType"] == "AWS_IAM":
            assert mapping == {
                "overwrite:path": "/${request.path.proxy}",
                "overwrite:header.x-text2sql-gateway": {
                    "Fn::Sub": "{{resolve:secretsmanager:${GatewaySecret}}}"
                },
                "overwrite:header.x-text2sql-iam-arn": "$context.identity.userArn",
            }
        else:
            removed = {"remove:header.x-text2sql-gateway", "remove:header.x-text2sql-iam-arn"}
            assert set(mapping) == removed


def test_access_log_is_json_without_paths_queries_and_tokens() -> None:
    (stage,) = of_type("AWS::ApiGatewayV2::Stage").values()
    log = stage["AccessLogSettings"]
    assert log["DestinationArn"] == {"Fn::GetAtt": ["Logs", "Arn"]}
    fields = set(json.loads(log["Format"]).values())
    assert not [field for field in fields if re.search(r"path|query|authorizer|header", field, re.IGNORECASE)]
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"]


def test_runs_that_end_without_a_record_are_told_and_none_is_lost() -> None:
    rule = of_type("AWS::Events::Rule")["RunsStopped"]
    assert rule["EventPattern"]["detail"] == {
        "stateMachineArn": [{"Ref": "AnswerQuestion"}],
        "status": ["FAILED", "TIMED_OUT", "ABORTED"],
    }
    (target,) = rule["Targets"]
    assert target["Arn"] == {"Ref": "RecordOutcome.Alias"}
    transformer = target["InputTransformer"]
    assert transformer["InputPathsMap"] == {"job_id": "$.detail.name", "stopped": "$.detail.status"}
    assert transformer["InputTemplate"] == '{"job_id": <job_id>, "stopped": <stopped>}'
    queue = {"Fn::GetAtt": ["DeadLetters", "Arn"]}
    assert target["DeadLetterConfig"]["Arn"] == queue
    on_failure = FUNCTIONS["RecordOutcome"]["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]
    assert on_failure == {"Type": "SQS", "Destination": queue}


def test_queues_of_what_failed_keep_it_for_two_weeks_and_somebody_is_told() -> None:
    queues = of_type("AWS::SQS::Queue")
    dead = [name for name, queue in queues.items() if "RedrivePolicy" not in queue]
    assert dead == ["ChangesDead", "DeadLetters"]
    assert {queues[name]["MessageRetentionPeriod"] for name in dead} == {14 * 24 * 3600}
    alarms = of_type("AWS::CloudWatch::Alarm").values()
    watched = [alarm["Dimensions"][0]["Value"] for alarm in alarms if alarm["Namespace"] == "AWS/SQS"]
    assert watched == [{"Fn::GetAtt": [name, "QueueName"]} for name in dead]


def test_both_machines_run_the_same_definition() -> None:
    standard, express, _sync = of_type("AWS::Serverless::StateMachine").values()
    assert (standard["Type"], express["Type"]) == ("STANDARD", "EXPRESS")
    for name in ("DefinitionUri", "DefinitionSubstitutions", "Role", "Logging", "Tracing"):
        assert standard[name] == express[name]


def test_stages_of_samconfig_are_deployed_alike_with_parameters_that_there_are() -> None:
    stages = tomllib.loads((REPOSITORY / "samconfig.toml").read_text("utf-8"))
    deployments = {stage: stages[stage]["deploy"]["parameters"] for stage in ("default", "prod")}
    assert set(deployments["default"]) == set(deployments["prod"])
    for stage, name in (("default", "dev"), ("prod", "prod")):
        given = dict(each.split("=") for each in deployments[stage]["parameter_overrides"].split())
        assert given["Stage"] == name
        assert deployments[stage]["stack_name"] == f"text2sql-{name}"
        assert given.keys() <= TEMPLATE["Parameters"].keys()
