"""Which values AWS takes: what botocore's models say against planned resources.

The stand-in knows no allowed values; the models of the calls that the provider makes do. An argument is
compared with the member of a call's input that has its name, at the same place; what has another name there
is not seen, so `judged` counts.
"""

import json
import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.model import Shape

CALLS = {
    "aws_apigatewayv2_vpc_link": "apigatewayv2.CreateVpcLink",
    "aws_appautoscaling_policy": "application-autoscaling.PutScalingPolicy",
    "aws_appautoscaling_target": "application-autoscaling.RegisterScalableTarget",
    "aws_autoscaling_group": "autoscaling.CreateAutoScalingGroup",
    "aws_backup_plan": "backup.CreateBackupPlan:BackupPlan",
    "aws_backup_restore_testing_plan": "backup.CreateRestoreTestingPlan:RestoreTestingPlan",
    "aws_backup_restore_testing_selection": "backup.CreateRestoreTestingSelection:RestoreTestingSelection",
    "aws_backup_vault": "backup.CreateBackupVault",
    "aws_budgets_budget": "budgets.CreateBudget:Budget",
    "aws_ce_anomaly_monitor": "ce.CreateAnomalyMonitor:AnomalyMonitor",
    "aws_ce_anomaly_subscription": "ce.CreateAnomalySubscription:AnomalySubscription",
    "aws_cloudtrail": "cloudtrail.CreateTrail",
    "aws_cloudwatch_event_rule": "events.PutRule",
    "aws_cloudwatch_log_group": "logs.CreateLogGroup",
    "aws_cloudwatch_metric_alarm": "cloudwatch.PutMetricAlarm",
    "aws_cognito_resource_server": "cognito-idp.CreateResourceServer",
    "aws_cognito_user_group": "cognito-idp.CreateGroup",
    "aws_cognito_user_pool": "cognito-idp.CreateUserPool",
    "aws_cognito_user_pool_client": "cognito-idp.CreateUserPoolClient",
    "aws_cognito_user_pool_domain": "cognito-idp.CreateUserPoolDomain",
    "aws_config_config_rule": "config.PutConfigRule:ConfigRule",
    "aws_db_instance": "rds.CreateDBInstance",
    "aws_db_parameter_group": "rds.CreateDBParameterGroup",
    "aws_db_proxy": "rds.CreateDBProxy",
    "aws_ecr_repository": "ecr.CreateRepository",
    "aws_ecs_capacity_provider": "ecs.CreateCapacityProvider",
    "aws_ecs_cluster": "ecs.CreateCluster",
    "aws_ecs_cluster_capacity_providers": "ecs.PutClusterCapacityProviders",
    "aws_ecs_service": "ecs.CreateService",
    "aws_ecs_task_definition": "ecs.RegisterTaskDefinition",
    "aws_flow_log": "ec2.CreateFlowLogs",
    "aws_guardduty_detector": "guardduty.CreateDetector",
    "aws_iam_instance_profile": "iam.CreateInstanceProfile",
    "aws_iam_role": "iam.CreateRole",
    "aws_iam_role_policy": "iam.PutRolePolicy",
    "aws_kinesis_firehose_delivery_stream": "firehose.CreateDeliveryStream",
    "aws_kms_alias": "kms.CreateAlias",
    "aws_kms_key": "kms.CreateKey",
    "aws_launch_template": "ec2.CreateLaunchTemplate:LaunchTemplateData",
    "aws_lb": "elbv2.CreateLoadBalancer",
    "aws_lb_listener": "elbv2.CreateListener",
    "aws_lb_target_group": "elbv2.CreateTargetGroup",
    "aws_nat_gateway": "ec2.CreateNatGateway",
    "aws_s3_bucket_lifecycle_configuration": "s3.PutBucketLifecycleConfiguration:LifecycleConfiguration",
    "aws_s3_bucket_ownership_controls": "s3.PutBucketOwnershipControls:OwnershipControls",
    "aws_s3_bucket_replication_configuration": "s3.PutBucketReplication:ReplicationConfiguration",
    "aws_s3_bucket_server_side_encryption_configuration": (
        "s3.PutBucketEncryption:ServerSideEncryptionConfiguration"
    ),
    "aws_s3_bucket_versioning": "s3.PutBucketVersioning",
    "aws_secretsmanager_secret": "secretsmanager.CreateSecret",
    "aws_sns_topic": "sns.CreateTopic",
    "aws_ssm_parameter": "ssm.PutParameter",
    "aws_vpc_endpoint": "ec2.CreateVpcEndpoint",
    "aws_wafv2_ip_set": "wafv2.CreateIPSet",
    "aws_wafv2_web_acl": "wafv2.CreateWebACL",
}
"""The call that makes each kind, and after a colon the member of its input that holds the arguments."""


@dataclass
class Judgement:
    """What was compared."""

    judged: set[str] = field(default_factory=set)
    """The arguments that a model says something of, by kind and path."""
    problems: list[str] = field(default_factory=list)


def judge(resources: dict[str, Any]) -> Judgement:
    """Compare planned resources, by address, with the models of the calls that make them."""
    told = Judgement()
    for address, values in resources.items():
        kind = address.partition(".")[0]
        if kind in CALLS:
            _compare(_shape(CALLS[kind]), values, kind, address, told)
    return told


@cache
def _shape(call: str) -> Shape:
    operation, _, member = call.partition(":")
    service, _, name = operation.partition(".")
    model = botocore.session.get_session().get_service_model(service)
    shape = model.operation_model(name).input_shape
    found: Shape = shape.members[member] if member else shape
    return found


def _compare(shape: Shape, value: Any, path: str, address: str, told: Judgement) -> None:
    if isinstance(value, list) and shape.type_name in {"structure", "list"}:
        # Terraform writes a block of which there is one as a list, too.
        inner = shape.member if shape.type_name == "list" else shape
        for each in value:
            _compare(inner, each, path, address, told)
    elif isinstance(value, dict) and shape.type_name == "structure":
        members = {_written(name): member for name, member in shape.members.items()}
        named = [name for name in shape.required_members if name.lower().endswith("name")]
        if len(named) == 1:  # RoleName is called name
            members.setdefault("name", shape.members[named[0]])
        for name, each in value.items():
            if each is not None and (member := members.get(_written(name))) is not None:
                _compare(member, each, f"{path}.{name}", address, told)
    elif isinstance(value, dict) and shape.type_name == "list":
        _compare(shape.member, value, path, address, told)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        _judge(shape, value, path, address, told)


def _written(name: str) -> str:
    """Return a name as both would write it: VPCZoneIdentifiers and vpc_zone_identifier are one."""
    return xform_name(name).replace("_", "").rstrip("s")


def _judge(shape: Shape, value: str | float, path: str, address: str, told: Judgement) -> None:
    limits = {
        name: limit for name, limit in shape.metadata.items() if name in {"enum", "max", "min", "pattern"}
    }
    if not limits or shape.type_name in {"structure", "list", "map"}:
        return
    told.judged.add(path)
    number = len(value) if isinstance(value, str) else value
    if isinstance(value, str) and shape.type_name in {"integer", "long", "float", "double"}:
        number = float(value)
    kept = {
        "enum": lambda limit: value in limit,
        "max": lambda limit: number <= limit,
        "min": lambda limit: number >= limit,
        "pattern": lambda limit: _matches(limit, str(value)),
    }
    for name, limit in limits.items():
        if not kept[name](limit):
            told.problems.append(f"{address}: {path} is {json.dumps(value)}, and {name} {limit}")


def _matches(pattern: str, value: str) -> bool:
    """Tell whether a text fits; a pattern that Python does not know is not judged by."""
    for posix, own in {r"\p{L}\p{M}\p{Z}\p{S}\p{N}\p{P}": r"\s\S", r"\p{L}\p{Z}\p{N}": r"\w\s"}.items():
        pattern = pattern.replace(posix, own)
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:
        return True
