"""What the world reaches, what is stopped before, and the services that run behind it."""

import json
import re
import shutil
from pathlib import Path
from typing import Any, TypeAlias

import botocore.session
import pytest
from botocore.validate import ParamValidator

from infra.terraform import CORE, Terraform, core, planned, resources
from text2sql.settings import Settings
from text2sql_api.routes.events import HEARTBEAT_SECONDS
from text2sql_api.settings import ApiSettings

Made: TypeAlias = dict[str, dict[str, Any]]
"""Resources by their addresses."""

ROOT = CORE.parent
BOTH = ("frontend", "backend")
CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/1234"
TAGS = '{frontend = "4f2a", backend = "4f2a"}'
SECRET = "correct-horse-battery"  # no secret of anybody
REGISTRY = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"

FULL = {
    "stage": "prod",
    "image_tags": TAGS,
    "certificate_arn": CERTIFICATE,
    "hosted_zone_id": "Z0123456789",
    "frontend_domain": "ask.example.com",
    "backend_domain": "api.example.com",
    "shield_advanced": "true",
    "bot_control": "true",
    "rate_limit": "500",
    "ec2_capacity": "true",
    "ec2_services": '["backend"]',
    "execute_command": "true",
    "gateway_secret": SECRET,
    "gateway_secret_version": "3",
    "api_environment": '{TEXT2SQL_API_JOBS_TABLE = "jobs-1", TEXT2SQL_API_RESULTS_BUCKET = "results-1"}',
    "log_router_image": f"{REGISTRY}/log-router:7",
    "log_router_config": "/fluent-bit/text2sql/firehose.conf",
    "log_router_user": "10001",
}
"""All that can be switched on."""


def applied(folder: Path, providers: str, **variables: str) -> tuple[Made, str]:
    """Return what was made, and the state as it is kept."""
    shutil.copy(ROOT / "guardrail.yaml", folder)
    terraform = core(folder / "terraform-core", providers)
    said = terraform.run("apply", "-auto-approve", "-input=false", **variables)
    assert said.returncode == 0, said
    again = terraform.run("plan", "-detailed-exitcode", "-input=false", **variables)
    assert again.returncode == 0, again.stdout
    return resources(terraform.state()["values"]), (terraform.folder / "terraform.tfstate").read_text("utf-8")


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory, providers: str) -> Made:
    """Return what a first run makes, once there are images."""
    return applied(tmp_path_factory.mktemp("trial"), providers, image_tags=TAGS)[0]


@pytest.fixture(scope="module")
def full_and_state(tmp_path_factory: pytest.TempPathFactory, providers: str) -> tuple[Made, str]:
    return applied(tmp_path_factory.mktemp("full"), providers, **FULL)


@pytest.fixture(scope="module")
def full(full_and_state: tuple[Made, str]) -> Made:
    """Return what is made with all that can be switched on."""
    return full_and_state[0]


@pytest.fixture(scope="module")
def configuration(terraform: Terraform) -> dict[str, Any]:
    """Return what the files say of each resource, by its address."""
    listed = terraform.plan()["configuration"]["root_module"]["resources"]
    return {each["address"]: each.get("expressions", {}) for each in listed}


def of_type(made: Made, kind: str) -> Made:
    return {address: each for address, each in made.items() if address.split(".")[0] == kind}


def containers(made: Made, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the container of a service, and its side-car."""
    service, router = json.loads(made[f'aws_ecs_task_definition.this["{name}"]']["container_definitions"])
    assert (service["name"], router["name"]) == (name, "log-router")
    return service, router


def statements(policy: str) -> dict[str, dict[str, Any]]:
    return {each["Sid"]: each for each in json.loads(policy)["Statement"]}


def rules(made: Made) -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = json.loads(made["aws_wafv2_web_acl.this"]["rule_json"])
    return read


# ── the load balancers ───────────────────────────────────────────────────────────────────────────


def test_load_balancers_are_public_and_services_are_not(trial: Made, configuration: dict[str, Any]) -> None:
    assert [balancer["internal"] for balancer in of_type(trial, "aws_lb").values()] == [False, False]
    assert "aws_subnet.public" in configuration["aws_lb.this"]["subnets"]["references"]
    services = of_type(trial, "aws_ecs_service")
    assert len(services) == len(BOTH)
    assert not any(each["network_configuration"][0]["assign_public_ip"] for each in services.values())
    (network,) = configuration["aws_ecs_service.this"]["network_configuration"]
    assert network["subnets"]["references"] == ["aws_subnet.private"]


def test_each_load_balancer_and_service_has_its_own_security_group(configuration: dict[str, Any]) -> None:
    text = (CORE / "load_balancers.tf").read_text("utf-8") + (CORE / "services.tf").read_text("utf-8")
    assert 'aws_security_group.this["${each.key}_alb"].id' in text
    assert "aws_security_group.this[each.key].id" in text
    assert "aws_security_group.this" in configuration["aws_lb.this"]["security_groups"]["references"]


@pytest.mark.parametrize("name", BOTH)
def test_port_80_leads_to_https_with_a_certificate(full: Made, name: str) -> None:
    (action,) = full[f'aws_lb_listener.http["{name}"]']["default_action"]
    (redirect,) = action["redirect"]
    assert (action["type"], action["target_group_arn"]) == ("redirect", None)
    assert (redirect["protocol"], redirect["port"], redirect["status_code"]) == ("HTTPS", "443", "HTTP_301")


@pytest.mark.parametrize("name", BOTH)
def test_https_is_spoken_with_the_certificate_and_tls_1_2_or_newer(full: Made, name: str) -> None:
    listener = full[f'aws_lb_listener.https["{name}"]']
    assert (listener["port"], listener["protocol"]) == (443, "HTTPS")
    assert listener["certificate_arn"] == CERTIFICATE
    assert listener["ssl_policy"].startswith("ELBSecurityPolicy-TLS13-1-2-")
    assert listener["default_action"][0]["type"] == "forward"


def test_without_a_certificate_there_is_port_80_alone_and_it_redirects_nowhere(trial: Made) -> None:
    listeners = of_type(trial, "aws_lb_listener")
    assert {listener["port"] for listener in listeners.values()} == {80}
    assert {listener["default_action"][0]["type"] for listener in listeners.values()} == {"forward"}


def test_load_balancer_logs_under_its_own_prefix_and_drops_broken_headers(trial: Made) -> None:
    for name in BOTH:
        balancer = trial[f'aws_lb.this["{name}"]']
        (logs,) = balancer["access_logs"]
        assert (logs["enabled"], logs["prefix"]) == (True, name)
        assert balancer["drop_invalid_header_fields"]
        assert balancer["desync_mitigation_mode"] in {"defensive", "strictest"}
        assert not balancer["enable_waf_fail_open"]


def test_silent_event_stream_is_kept_longer_than_its_heartbeat(trial: Made, terraform: Terraform) -> None:
    idle = trial['aws_lb.this["backend"]']["idle_timeout"]
    assert idle > 2 * HEARTBEAT_SECONDS
    assert idle > ApiSettings.model_fields["run_seconds"].default
    (problem,) = terraform.problems(idle_timeout_seconds="60")
    assert "idle_timeout_seconds must be more than 60" in problem


def test_load_balancers_of_prod_cannot_be_deleted_unless_it_is_said(
    trial: Made, full: Made, terraform: Terraform
) -> None:
    def protected(made: Made) -> set[bool]:
        return {each["enable_deletion_protection"] for each in of_type(made, "aws_lb").values()}

    assert protected(trial) == {False}
    assert protected(full) == {True}
    assert protected(planned(terraform, load_balancer_deletion_protection="true")) == {True}
    assert protected(planned(terraform, stage="prod", load_balancer_deletion_protection="false")) == {False}


def test_backend_is_well_where_its_health_route_says_so(trial: Made, terraform: Terraform) -> None:
    (backend,) = trial['aws_lb_target_group.this["backend"]']["health_check"]
    assert (backend["path"], backend["matcher"]) == ("/healthz", "200")
    assert "/healthz" in json.loads((ROOT / "docs" / "openapi.json").read_text("utf-8"))["paths"]
    plan = planned(terraform, frontend_health_path="/api/health")
    assert plan['aws_lb_target_group.this["frontend"]']["health_check"][0]["path"] == "/api/health"


def test_targets_are_tasks_at_the_ports_of_the_security_groups(trial: Made) -> None:
    for name in BOTH:
        group = trial[f'aws_lb_target_group.this["{name}"]']
        rule = trial[f'aws_vpc_security_group_ingress_rule.group["{name}-from-alb"]']
        assert (group["target_type"], group["port"]) == ("ip", rule["from_port"])


def test_names_get_records_where_a_zone_is_named(trial: Made, full: Made, terraform: Terraform) -> None:
    records = of_type(full, "aws_route53_record").values()
    assert {record["name"] for record in records} == {"ask.example.com", "api.example.com"}
    assert all(record["type"] == "A" and record["alias"] for record in records)
    assert not of_type(trial, "aws_route53_record")
    assert not of_type(planned(terraform, frontend_domain="ask.example.com"), "aws_route53_record")


def test_urls_name_the_domains_and_say_https_with_a_certificate_alone(terraform: Terraform) -> None:
    variables = {"frontend_domain": "ask.example.com", "backend_domain": "api.example.com"}
    outputs = terraform.plan(certificate_arn=CERTIFICATE, **variables)["planned_values"]["outputs"]
    assert outputs["frontend_url"]["value"] == "https://ask.example.com"
    outputs = terraform.plan(**variables)["planned_values"]["outputs"]
    assert outputs["backend_url"]["value"] == "http://api.example.com"


def test_shield_advanced_protects_both_load_balancers_where_it_is_wanted(trial: Made, full: Made) -> None:
    assert len(of_type(full, "aws_shield_protection")) == len(BOTH)
    assert not of_type(trial, "aws_shield_protection")


# ── the firewall ─────────────────────────────────────────────────────────────────────────────────


def refused(shape: Any, value: Any) -> list[str]:
    """Return the words among a value that WAF does not know, or that are not worded as it wants them."""
    if shape.type_name == "structure":
        return [word for name, each in value.items() for word in refused(shape.members[name], each)]
    if shape.type_name == "list":
        return [word for each in value for word in refused(shape.member, each)]
    enum, pattern = shape.metadata.get("enum"), shape.metadata.get("pattern")
    if (enum and value not in enum) or (pattern and not re.search(pattern, str(value))):
        return [str(value)]
    return []


def firewall_shape() -> Any:
    model = botocore.session.get_session().get_service_model("wafv2")
    return model.operation_model("CreateWebACL").input_shape.members["Rules"]


def problems_of(given: list[dict[str, Any]]) -> str:
    shape = firewall_shape()
    report: str = ParamValidator().validate(given, shape).generate_report()
    return report or " ".join(refused(shape, given))


def named(given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put an ARN where the stand-in has made something up."""
    text = json.dumps(given).replace(
        "aws_wafv2_ip_set.arn", "arn:aws:wafv2:eu-central-1:1:regional/ipset/a/b"
    )
    read: list[dict[str, Any]] = json.loads(text)
    return read


def test_rules_of_the_firewall_are_as_its_model_wants_them(trial: Made, full: Made) -> None:
    for made in (trial, full):
        assert problems_of(named(rules(made))) == ""
        priorities = [rule["Priority"] for rule in rules(made)]
        assert len(set(priorities)) == len(priorities)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"VendorName"', '"Vendor"'),
        ('"AggregateKeyType": "IP"', '"AggregateKeyType": "ADDRESS"'),
        ('"Limit": 2000', '"Limit": 1'),
        ('"MetricName": "RateLimit", ', ""),
        ('"Count": {}', '"Log": {}'),
    ],
)
def test_mistake_in_a_rule_of_the_firewall_is_seen(trial: Made, old: str, new: str) -> None:
    text = json.dumps(named(rules(trial)), sort_keys=True)
    assert old in text
    assert problems_of(json.loads(text.replace(old, new))) != ""


def groups(made: Made) -> dict[str, dict[str, Any]]:
    """Return the managed rule groups by their names."""
    listed = [rule["Statement"].get("ManagedRuleGroupStatement") for rule in rules(made)]
    return {each["Name"]: each for each in listed if each}


def test_firewall_has_the_managed_rules_and_bot_control_where_it_is_wanted(trial: Made, full: Made) -> None:
    managed = {
        "AWSManagedRulesAmazonIpReputationList",
        "AWSManagedRulesCommonRuleSet",
        "AWSManagedRulesKnownBadInputsRuleSet",
        "AWSManagedRulesSQLiRuleSet",
    }
    assert groups(trial).keys() == managed
    assert groups(full).keys() == managed | {"AWSManagedRulesBotControlRuleSet"}
    assert all(rule["OverrideAction"] == {"None": {}} for rule in rules(full) if "OverrideAction" in rule)


def test_sql_in_a_body_is_counted_and_elsewhere_it_is_stopped(trial: Made) -> None:
    counted = {
        name: {each["Name"] for each in group.get("RuleActionOverrides", ())}
        for name, group in groups(trial).items()
    }
    assert counted["AWSManagedRulesSQLiRuleSet"] == {"SQLi_BODY", "SQLiExtendedPatterns_BODY"}
    assert "SizeRestrictions_BODY" in counted["AWSManagedRulesCommonRuleSet"]
    assert all(name.endswith("_BODY") for names in counted.values() for name in names)


def test_one_address_may_send_so_much_but_the_networks_own_may_send_more(trial: Made, full: Made) -> None:
    for made, limit in ((trial, 2000), (full, 500)):
        rule = rules(made)[0]
        rate = rule["Statement"]["RateBasedStatement"]
        assert (rule["Action"], rate["Limit"], rate["AggregateKeyType"]) == ({"Block": {}}, limit, "IP")
        spared = rate["ScopeDownStatement"]["NotStatement"]["Statement"]["IPSetReferenceStatement"]
        assert spared == {"ARN": "aws_wafv2_ip_set.arn"}
    assert "10.0.0.0/16" in trial["aws_wafv2_ip_set.own"]["addresses"]


def test_firewall_stands_before_both_and_its_log_holds_no_token(trial: Made) -> None:
    assert len(of_type(trial, "aws_wafv2_web_acl_association")) == len(BOTH)
    assert trial["aws_cloudwatch_log_group.firewall"]["name"].startswith("aws-waf-logs-")
    redacted = trial["aws_wafv2_web_acl_logging_configuration.this"]["redacted_fields"]
    headers = {each["single_header"][0]["name"] for each in redacted}
    assert headers == {"authorization", "cookie", "x-text2sql-gateway"}
    visibility = [rule["VisibilityConfig"] for rule in rules(trial)]
    assert not any(each["SampledRequestsEnabled"] for each in visibility)


def test_block_that_holds_itself_is_left_open_and_the_rest_of_the_web_acl_is_read(
    tmp_path: Path, providers: str
) -> None:
    head = 'resource "aws_wafv2_web_acl" "x" {\n  scope = "REGIONAL"\n  default_action {\n    allow {}\n  }\n'
    seen = (
        "  visibility_config {\n    cloudwatch_metrics_enabled = true\n"
        '    metric_name = "x"\n    sampled_requests_enabled = true\n  }\n'
    )
    rule = f'  rule {{\n    name = "x"\n    priority = 1\n{seen}    statement {{}}\n  }}\n'
    requires = 'terraform {\n  required_providers {\n    aws = { source = "hashicorp/aws" }\n  }\n}\n'
    for name, text, wrong in (
        ("a", seen, None),
        ("b", seen + rule, "statement"),
        ("c", "", "visibility_config"),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "main.tf").write_text(f"{requires}{head}{text}}}\n", "utf-8")
        said = json.loads(Terraform(tmp_path / name, providers).run("validate", "-json").stdout)
        told = [f"{each['summary']} {each['detail']}" for each in said["diagnostics"]]
        assert (told == []) if wrong is None else (wrong in told[0])


# ── the images, and where they run ───────────────────────────────────────────────────────────────


def test_images_are_scanned_and_never_replaced_and_the_last_twenty_are_kept(trial: Made) -> None:
    assert len(of_type(trial, "aws_ecr_repository")) == len(BOTH)
    for name in BOTH:
        repository = trial[f'aws_ecr_repository.this["{name}"]']
        assert repository["image_tag_mutability"] == "IMMUTABLE"
        assert repository["image_scanning_configuration"][0]["scan_on_push"]
        assert repository["encryption_configuration"][0]["encryption_type"] == "KMS"
        policy = json.loads(trial[f'aws_ecr_lifecycle_policy.this["{name}"]']["policy"])
        untagged, rest = (each["selection"] for each in policy["rules"])
        assert (untagged["tagStatus"], untagged["countUnit"], untagged["countNumber"]) == (
            "untagged",
            "days",
            7,
        )
        assert (rest["countType"], rest["countNumber"]) == ("imageCountMoreThan", 20)


def test_cluster_is_measured_and_logs_what_is_typed_in_shells(trial: Made) -> None:
    cluster = trial["aws_ecs_cluster.this"]
    assert cluster["setting"] == [{"name": "containerInsights", "value": "enabled"}]
    (shells,) = cluster["configuration"][0]["execute_command_configuration"]
    assert shells["logging"] == "OVERRIDE"
    assert shells["log_configuration"][0]["cloud_watch_encryption_enabled"]


def shares(made: Made, name: str) -> dict[str, tuple[int, int]]:
    """Return the base and weight of each provider that a service runs on."""
    strategy = made[f'aws_ecs_service.this["{name}"]']["capacity_provider_strategy"]
    return {each["capacity_provider"]: (each["base"], each["weight"]) for each in strategy}


def test_service_has_its_base_on_fargate_and_half_of_the_rest_on_spot(trial: Made) -> None:
    for name in BOTH:
        assert shares(trial, name) == {"FARGATE": (1, 50), "FARGATE_SPOT": (0, 50)}
    default = trial["aws_ecs_cluster_capacity_providers.this"]["default_capacity_provider_strategy"]
    assert {each["capacity_provider"] for each in default} == {"FARGATE", "FARGATE_SPOT"}


def test_base_and_weights_can_be_those_of_the_brief(terraform: Terraform) -> None:
    plan = planned(
        terraform, fargate_base="20", ec2_base="20", ec2_capacity="true", ec2_services='["frontend"]'
    )
    assert shares(plan, "backend") == {"FARGATE": (20, 50), "FARGATE_SPOT": (0, 50)}
    assert shares(plan, "frontend") == {"text2sql-dev-ec2": (20, 50)}


def test_strategy_has_one_base_and_never_mixes_fargate_with_instances(trial: Made, full: Made) -> None:
    for made in (trial, full):
        for name in BOTH:
            share = shares(made, name)
            assert sum(base > 0 for base, _ in share.values()) == 1
            assert len({provider.startswith("FARGATE") for provider in share}) == 1


def test_instances_are_there_only_where_they_are_wanted(
    trial: Made, full: Made, terraform: Terraform
) -> None:
    assert not of_type(trial, "aws_autoscaling_group")
    assert len(of_type(full, "aws_autoscaling_group")) == 1
    providers = full["aws_ecs_cluster_capacity_providers.this"]["capacity_providers"]
    assert set(providers) == {"FARGATE", "FARGATE_SPOT", "text2sql-prod-ec2"}
    (problem,) = terraform.problems(ec2_services='["backend"]')
    assert "ec2_services need ec2_capacity" in problem


def test_instance_is_ecs_own_image_with_imdsv2_encrypted_disks_and_no_public_address(full: Made) -> None:
    template = full['aws_launch_template.instances["this"]']
    assert template["image_id"].startswith("resolve:ssm:/aws/service/ecs/optimized-ami/amazon-linux-2023/")
    assert template["metadata_options"][0]["http_tokens"] == "required"
    assert template["block_device_mappings"][0]["ebs"][0]["encrypted"] == "true"
    assert template["network_interfaces"][0]["associate_public_ip_address"] == "false"


def test_cluster_scales_and_drains_its_instances(full: Made) -> None:
    (group,) = full['aws_ecs_capacity_provider.ec2["this"]']["auto_scaling_group_provider"]
    assert group["managed_draining"] == "ENABLED"
    assert group["managed_scaling"][0]["status"] == "ENABLED"
    assert full['aws_autoscaling_group.instances["this"]']["min_size"] == 0


# ── the services ─────────────────────────────────────────────────────────────────────────────────


def test_task_has_one_vcpu_and_four_gigabytes_and_listens_at_its_port(trial: Made) -> None:
    for name, port in (("frontend", 3000), ("backend", 80)):
        task = trial[f'aws_ecs_task_definition.this["{name}"]']
        assert (task["cpu"], task["memory"], task["network_mode"]) == ("1024", "4096", "awsvpc")
        assert containers(trial, name)[0]["portMappings"] == [{"containerPort": port, "protocol": "tcp"}]


@pytest.mark.parametrize("name", BOTH)
def test_container_is_no_root_and_writes_to_tmp_alone(trial: Made, name: str) -> None:
    container, router = containers(trial, name)
    assert container["user"] == "10001:10001"
    assert container["readonlyRootFilesystem"]
    assert router["readonlyRootFilesystem"]
    assert not container["privileged"]
    assert container["linuxParameters"]["capabilities"] == {"drop": ["ALL"]}
    assert [each["containerPath"] for each in container["mountPoints"]] == ["/tmp"]  # its own


def test_api_may_listen_at_port_80_without_root(trial: Made) -> None:
    assert containers(trial, "backend")[0]["systemControls"] == [
        {"namespace": "net.ipv4.ip_unprivileged_port_start", "value": "0"}
    ]


def test_api_is_asked_after_its_health_as_its_image_says(trial: Made) -> None:
    dockerfile = (ROOT / "containers" / "api" / "Dockerfile").read_text("utf-8")
    (command,) = re.findall(r"^HEALTHCHECK .*\\\n\s+CMD (\[.+\])$", dockerfile, re.MULTILINE)
    assert containers(trial, "backend")[0]["healthCheck"]["command"] == ["CMD", *json.loads(command)]


def test_page_is_asked_after_its_health_at_its_path(terraform: Terraform, trial: Made) -> None:
    health = containers(trial, "frontend")[0]["healthCheck"]
    assert "http://127.0.0.1:3000/'" in health["command"][-1]
    (problem,) = terraform.problems(frontend_health_path="/'; process.exit(0)")
    assert "frontend_health_path must be a path" in problem


def test_settings_of_the_api_are_settings_that_there_are(trial: Made) -> None:
    told = {each["name"]: each["value"] for each in containers(trial, "backend")[0]["environment"]}
    known = {f"TEXT2SQL_API_{name.upper()}" for name in ApiSettings.model_fields}
    known |= {f"TEXT2SQL_{name.upper()}" for name in Settings.model_fields}
    assert told.keys() - known == {"AWS_REGION", "AWS_DEFAULT_REGION"}
    assert float(told["TEXT2SQL_API_RUN_SECONDS"]) < 30  # the gateway waits no longer
    template = (ROOT / "template.yaml").read_text("utf-8")
    for name in ("TEXT2SQL_API_STATE_MACHINE", "TEXT2SQL_API_STATE_MACHINE_NOW"):
        machine = told[name].rpartition(":")[2].replace("-dev-", "-${Stage}-")
        assert f"      Name: !Sub {machine}\n" in template


def test_secret_among_the_settings_is_refused(terraform: Terraform) -> None:
    (problem,) = terraform.problems(api_environment='{TEXT2SQL_DATABASE_PASSWORD = "x"}')
    assert "no passwords or keys" in problem


def test_first_run_without_images_starts_no_task(terraform: Terraform) -> None:
    plan = planned(terraform)
    assert {each["desired_count"] for each in of_type(plan, "aws_ecs_service").values()} == {0}
    targets = of_type(plan, "aws_appautoscaling_target").values()
    assert {(each["min_capacity"], each["max_capacity"]) for each in targets} == {(0, 0)}


def test_image_is_the_tag_of_our_repository_or_of_the_one_that_is_named(
    trial: Made, terraform: Terraform
) -> None:
    assert containers(trial, "backend")[0]["image"].endswith(":4f2a")
    (problem,) = terraform.problems(image_repositories='{sidecar = "x"}')
    assert "frontend and backend" in problem


def test_failed_deployment_is_rolled_back_and_takes_no_task_away(trial: Made) -> None:
    for service in of_type(trial, "aws_ecs_service").values():
        assert service["deployment_circuit_breaker"] == [{"enable": True, "rollback": True}]
        assert service["deployment_minimum_healthy_percent"] == 100
        assert service["health_check_grace_period_seconds"] > 0


def test_shell_can_be_opened_only_where_it_is_wanted(trial: Made, full: Made) -> None:
    for made, wanted in ((trial, False), (full, True)):
        for name in BOTH:
            assert made[f'aws_ecs_service.this["{name}"]']["enable_execute_command"] is wanted
            assert containers(made, name)[0]["readonlyRootFilesystem"] is not wanted
            assert (
                "OpenShells" in statements(made[f'aws_iam_role_policy.task["{name}"]']["policy"])
            ) is wanted


def test_services_are_scaled_by_processor_memory_and_requests(trial: Made) -> None:
    policies = of_type(trial, "aws_appautoscaling_policy").values()
    targets = [each["target_tracking_scaling_policy_configuration"][0] for each in policies]
    metrics = [each["predefined_metric_specification"][0] for each in targets]
    assert sorted(each["predefined_metric_type"] for each in metrics) == sorted(
        ["ECSServiceAverageCPUUtilization", "ECSServiceAverageMemoryUtilization", "ALBRequestCountPerTarget"]
        * 2
    )
    labelled = {each["predefined_metric_type"] for each in metrics if each["resource_label"]}
    assert labelled == {"ALBRequestCountPerTarget"}
    bounds = of_type(trial, "aws_appautoscaling_target").values()
    assert {(each["min_capacity"], each["max_capacity"]) for each in bounds} == {(1, 4)}


# ── the logs ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", BOTH)
def test_log_of_a_container_goes_through_the_router_to_its_own_stream(trial: Made, name: str) -> None:
    container, router = containers(trial, name)
    stream = trial[f'aws_kinesis_firehose_delivery_stream.containers["{name}"]']["name"]
    assert container["logConfiguration"]["logDriver"] == "awsfirelens"
    assert container["logConfiguration"]["options"]["delivery_stream"] == stream
    assert {"name": "LOG_DELIVERY_STREAM", "value": stream} in router["environment"]
    assert router["firelensConfiguration"]["type"] == "fluentbit"
    assert router["logConfiguration"]["logDriver"] == "awslogs"


def test_router_with_a_configuration_of_ours_has_no_second_output(full: Made) -> None:
    container, router = containers(full, "backend")
    assert container["logConfiguration"]["options"] == {}
    config = router["firelensConfiguration"]["options"]["config-file-value"]
    assert config == "/fluent-bit/text2sql/firehose.conf"
    text = (ROOT / "containers" / "fluent-bit" / Path(config).name).read_text("utf-8")
    told = {each["name"] for each in router["environment"]}
    assert set(re.findall(r"\${(\w+)}", text)) == told
    assert router["user"] == "10001"


def test_firehose_packs_logs_into_their_bucket_by_service_and_day(trial: Made) -> None:
    streams = of_type(trial, "aws_kinesis_firehose_delivery_stream")
    assert len(streams) == len(BOTH)
    for name in BOTH:
        stream = streams[f'aws_kinesis_firehose_delivery_stream.containers["{name}"]']
        (target,) = stream["extended_s3_configuration"]
        assert (stream["destination"], target["compression_format"]) == ("extended_s3", "GZIP")
        assert target["prefix"].startswith(f"{name}/")
        assert target["cloudwatch_logging_options"][0]["enabled"]
        assert stream["server_side_encryption"][0]["key_type"] == "CUSTOMER_MANAGED_CMK"


# ── who may do what ──────────────────────────────────────────────────────────────────────────────


def test_api_may_do_what_its_documentation_says_and_with_nothing_but_its_own(trial: Made) -> None:
    allowed = statements(trial['aws_iam_role_policy.task["backend"]']["policy"])
    actions: set[str] = set()
    for sid, each in allowed.items():
        assert each["Effect"] == "Allow"
        actions |= {each["Action"]} if isinstance(each["Action"], str) else set(each["Action"])
        named = [each["Resource"]] if isinstance(each["Resource"], str) else each["Resource"]
        assert sid == "HandOnLogs" or all("text2sql-dev-" in resource for resource in named)
    assert actions == {
        *("states:StartExecution", "states:DescribeStateMachine"),
        *("states:DescribeExecution", "states:StopExecution"),
        *("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:Query"),
        *("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"),
        "firehose:PutRecordBatch",
    }
    manual = (ROOT / "docs" / "api.md").read_text("utf-8")
    for action in ("states:StartExecution", "states:StopExecution", "s3:DeleteObject", "dynamodb:GetItem"):
        assert f"`{action}`" in manual


def test_api_may_use_the_very_table_and_bucket_that_are_named(full: Made) -> None:
    allowed = statements(full['aws_iam_role_policy.task["backend"]']["policy"])
    assert allowed["KeepJobs"]["Resource"].endswith(":table/jobs-1")
    assert allowed["KeepResults"]["Resource"] == "arn:aws:s3:::results-1/*"


def test_api_may_remove_documents_alone_and_only_in_our_account(trial: Made) -> None:
    allowed = statements(trial['aws_iam_role_policy.task["backend"]']["policy"])
    assert allowed["ChangeDocuments"]["Resource"].endswith("/documents/*")
    for sid in ("KeepResults", "ReadKnowledge", "ChangeDocuments", "SeeWhatIsMissing"):
        assert allowed[sid]["Condition"] == {"StringEquals": {"aws:ResourceAccount": "123456789012"}}


def test_page_may_hand_on_its_logs_and_nothing_else(trial: Made) -> None:
    assert statements(trial['aws_iam_role_policy.task["frontend"]']["policy"]).keys() == {"HandOnLogs"}


def test_ecs_reads_the_secrets_that_the_api_is_given_and_no_others(trial: Made, full: Made) -> None:
    assert "ReadSecrets" not in statements(trial['aws_iam_role_policy.execution["backend"]']["policy"])
    assert "ReadSecrets" not in statements(full['aws_iam_role_policy.execution["frontend"]']["policy"])
    allowed = statements(full['aws_iam_role_policy.execution["backend"]']["policy"])
    assert allowed["ReadSecrets"]["Resource"] == ["aws_secretsmanager_secret.arn"]
    assert "kms:ViaService" in allowed["DecryptSecrets"]["Condition"]["StringEquals"]


def test_ecs_fetches_images_from_the_repositories_that_are_named(trial: Made, full: Made) -> None:
    fetched = statements(trial['aws_iam_role_policy.execution["backend"]']["policy"])["FetchImages"][
        "Resource"
    ]
    assert fetched == ["aws_ecr_repository.arn"]
    fetched = statements(full['aws_iam_role_policy.execution["backend"]']["policy"])["FetchImages"][
        "Resource"
    ]
    assert "arn:aws:ecr:eu-central-1:123456789012:repository/log-router" in fetched


# ── the gateway ──────────────────────────────────────────────────────────────────────────────────


def test_gateway_secret_reaches_the_api_and_is_in_no_state(full_and_state: tuple[Made, str]) -> None:
    full, state = full_and_state
    assert SECRET not in state
    container = containers(full, "backend")[0]
    assert "TEXT2SQL_API_GATEWAY_SECRET" in {each["name"] for each in container["secrets"]}
    assert "TEXT2SQL_API_GATEWAY_SECRET" not in {each["name"] for each in container["environment"]}


def test_new_gateway_secret_is_a_new_one_and_not_a_new_version(full: Made, trial: Made) -> None:
    assert full["aws_secretsmanager_secret.gateway"]["name"] == "text2sql-prod/gateway/3"
    assert trial["aws_secretsmanager_secret.gateway"]["name"] == "text2sql-dev/gateway/0"
    assert not of_type(trial, "aws_secretsmanager_secret_version")
    told = {each["name"] for each in containers(trial, "backend")[0]["secrets"]}
    assert "TEXT2SQL_API_GATEWAY_SECRET" not in told


def test_short_gateway_secret_is_refused(terraform: Terraform) -> None:
    problems = terraform.problems(gateway_secret="short", gateway_secret_version="1")
    assert any("one word of 16 to 128" in problem for problem in problems)


def test_gateway_secret_with_a_version_and_no_value_is_refused(terraform: Terraform) -> None:
    problems = terraform.problems(gateway_secret_version="1")
    assert any("must be given with each run" in problem for problem in problems)


def test_gateway_reaches_the_api_where_it_listens(trial: Made, full: Made) -> None:
    for made, port in ((trial, 80), (full, 443)):
        rule = made["aws_vpc_security_group_egress_rule.gateway"]
        assert (rule["from_port"], rule["to_port"], rule["cidr_ipv4"]) == (port, port, None)
        assert len(of_type(made, "aws_apigatewayv2_vpc_link")) == 1
