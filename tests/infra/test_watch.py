"""What is watched, who is told, what a second Region needs; and that the runbooks name what there is."""

import json
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from infra.aws_commands import commands, problems
from infra.terraform import CORE, Terraform, core, planned

Made: TypeAlias = dict[str, dict[str, Any]]
"""Resources by their addresses."""

DOCS = CORE.parent / "docs"
RUNBOOKS = sorted((DOCS / "operations").glob("*.md"))
LOCALS = """
locals {
  watched = {
    cluster        = local.name
    services       = { frontend = "${local.name}-frontend", backend = "${local.name}-backend" }
    databases      = { primary = local.name }
    replicas       = { replica = "${local.name}-replica" }
    load_balancers = { frontend = "app/frontend/1", backend = "app/backend/2" }
    target_groups  = { frontend = "targetgroup/frontend/3", backend = "targetgroup/backend/4" }
    state_machines = { answer-question = "arn:of:the:machine" }
    steps          = ["GenerateSql"]
    syncs          = ["SyncDocuments"]
  }
}
"""
"""What the other files fill in: everything that can be watched."""

EVERYTHING = {
    "stage": "prod",
    "alarm_emails": '["a@example.com"]',
    "config_recorder": "true",
    "threat_detection": "true",
    "recovery_region": "eu-west-1",
    "admin_password": "a-password-of-the-tests-2",
    "admin_password_version": "1",
    "failover_zone_id": "Z1",
    "failover_targets": '{"ask.example.com" = {primary_dns_name = "one", primary_zone_id = "Z2",'
    ' secondary_dns_name = "two", secondary_zone_id = "Z3", path = "/healthz"}}',
}

ASKED = {
    "AWS/ECS": {"CPUUtilization", "MemoryUtilization"},
    "AWS/RDS": {
        *("CPUUtilization", "DatabaseConnections", "FreeStorageSpace"),
        *("ReadLatency", "ReplicaLag", "WriteLatency"),
    },
    "AWS/ApplicationELB": {
        *("HTTPCode_ELB_5XX_Count", "HTTPCode_Target_5XX_Count", "HealthyHostCount"),
        *("TargetResponseTime", "UnHealthyHostCount"),
    },
}
"""What must raise an alarm."""

# As aws-cdk-lib 2.275.0 has them in its files *-canned-metrics.generated.js (2026-11-23); ReplicaLag is of
# docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-metrics.html.
METRICS = {
    **ASKED,
    "AWS/ApplicationELB": ASKED["AWS/ApplicationELB"]
    | {"RequestCount", "HTTPCode_Target_2XX_Count", "HTTPCode_Target_4XX_Count"},
    "AWS/States": {
        *("ExecutionsStarted", "ExecutionsSucceeded", "ExecutionsFailed"),
        *("ExecutionsTimedOut", "ExecutionTime"),
    },
    "AWS/Lambda": {"Errors", "Throttles"},
    "AWS/SQS": {"ApproximateNumberOfMessagesVisible"},
    "AWS/ApiGateway": {"5xx", "Latency"},
}
"""The metrics that AWS has, of those that are used here."""

DIMENSIONS = {
    "AWS/ECS": [{"ClusterName", "ServiceName"}],
    "AWS/RDS": [{"DBInstanceIdentifier"}],
    "AWS/ApplicationELB": [{"LoadBalancer"}, {"LoadBalancer", "TargetGroup"}],
    "AWS/States": [{"StateMachineArn"}],
    "Text2Sql": [{"service"}],
}

EXPORT = re.compile(r"^export (.+)$", re.MULTILINE)
SCRIPT = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def terraforms(tmp_path_factory: pytest.TempPathFactory, providers: str) -> tuple[Terraform, Terraform]:
    """Return Terraform as it is, and with everything that can be watched."""
    folder = tmp_path_factory.mktemp("watch")
    shutil.copy(CORE.parent / "guardrail.yaml", folder)
    bare, full = (core(folder / name, providers) for name in ("bare", "full"))
    (full.folder / "watched_override.tf").write_text(LOCALS, "utf-8")
    return bare, full


@pytest.fixture(scope="module")
def everything(terraforms: tuple[Terraform, Terraform]) -> Made:
    """Return what was made where all is watched and all is on, with what the stand-in made up."""
    _, full = terraforms
    said = full.run("apply", "-auto-approve", "-input=false", **EVERYTHING)
    assert said.returncode == 0, said
    listed = full.state()["values"]["root_module"]["resources"]
    return {each["address"]: each.get("values", {}) for each in listed if each["mode"] == "managed"}


@pytest.fixture(scope="module")
def first_run(terraforms: tuple[Terraform, Terraform]) -> Made:
    """Return what is planned without a variable, with everything that can be watched."""
    return planned(terraforms[1])


def of_type(made: Made, kind: str) -> Made:
    return {address: each for address, each in made.items() if address.split(".")[0] == kind}


def alarms(made: Made) -> Made:
    return of_type(made, "aws_cloudwatch_metric_alarm")


def sections(path: Path) -> Counter[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```$", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return Counter(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings)


# ── alarms ───────────────────────────────────────────────────────────────────────────────────────


def test_each_metric_that_was_asked_for_raises_an_alarm(everything: Made) -> None:
    found: dict[str, set[str]] = {}
    for alarm in alarms(everything).values():
        found.setdefault(alarm["namespace"], set()).add(alarm["metric_name"])
    assert found == ASKED


def test_each_service_server_and_load_balancer_has_its_alarms(everything: Made) -> None:
    watched = Counter(tuple(sorted(alarm["dimensions"].values())) for alarm in alarms(everything).values())
    assert watched == {
        ("text2sql-prod", "text2sql-prod-backend"): 2,
        ("text2sql-prod", "text2sql-prod-frontend"): 2,
        ("text2sql-prod",): 6,
        ("text2sql-prod-replica",): 7,
        ("app/frontend/1",): 3,
        ("app/backend/2",): 3,
        ("app/frontend/1", "targetgroup/frontend/3"): 2,
        ("app/backend/2", "targetgroup/backend/4"): 2,
    }


def test_alarm_has_the_dimensions_that_its_metric_is_told_by(everything: Made) -> None:
    for address, alarm in alarms(everything).items():
        assert set(alarm["dimensions"]) in DIMENSIONS[alarm["namespace"]], address


def test_alarm_names_a_section_of_a_runbook_that_is_there(everything: Made) -> None:
    named = set()
    for address, alarm in alarms(everything).items():
        found = re.fullmatch(r"\S.+\. See (docs/operations/\w+\.md)#([\w-]+)\.", alarm["alarm_description"])
        assert found is not None, address
        assert sections(CORE.parent / found[1])[found[2]] == 1, f"{address}: {found[2]}"
        named.add(found[2])
    assert len(named) >= 10


def test_section_about_an_alarm_is_named_by_one(everything: Made) -> None:
    text = (DOCS / "operations" / "troubleshooting.md").read_text("utf-8")
    told = {
        re.sub(r"<\w+>", "X", name)
        for line in re.findall(r"^\*\*Symptom\*\*: the alarm (.+)$", text, re.MULTILINE)
        for name in re.findall(r"`([a-z-]*<\w+>-[\w-]+)`", line)
    }
    raised = {
        re.sub(r"^text2sql-prod-|(?<=database-)(primary|replica)|(frontend|backend)", r"", each["alarm_name"])
        for each in alarms(everything).values()
    }
    assert {name.replace("X", "") for name in told} == raised


def test_alarm_tells_the_topic_that_it_began_and_that_it_is_over(everything: Made) -> None:
    topic = everything["aws_sns_topic.alarms"]["arn"]
    for address, alarm in alarms(everything).items():
        assert alarm["alarm_actions"] == alarm["ok_actions"] == [topic], address
        assert alarm["actions_enabled"] is not False


def test_silence_is_an_alarm_where_something_that_runs_is_never_silent(everything: Made) -> None:
    silent = {
        alarm["alarm_name"].removeprefix("text2sql-prod-")
        for alarm in alarms(everything).values()
        if alarm["treat_missing_data"] == "breaching"
    }
    assert silent == {
        *("database-primary-silent", "database-replica-silent", "database-replica-lag"),
        *("frontend-healthy", "backend-healthy"),
    }
    requests = [it for it in alarms(everything).values() if it["dimensions"].keys() == {"LoadBalancer"}]
    assert {it["treat_missing_data"] for it in requests} == {"notBreaching"}  # no requests, no figures


def test_alarm_has_one_statistic(everything: Made) -> None:
    for address, alarm in alarms(everything).items():
        assert bool(alarm["statistic"]) != bool(alarm["extended_statistic"]), address
        assert alarm["period"] % 60 == 0
        assert alarm["period"] * alarm["evaluation_periods"] <= 86_400


THRESHOLDS = {
    "service_cpu_percent": ["backend-cpu", "frontend-cpu"],
    "service_memory_percent": ["backend-memory", "frontend-memory"],
    "database_cpu_percent": ["database-primary-cpu", "database-replica-cpu"],
    "database_connections": ["database-primary-connections", "database-replica-connections"],
    "database_free_gib": ["database-primary-storage", "database-replica-storage"],
    "database_read_seconds": ["database-primary-reads", "database-replica-reads"],
    "database_write_seconds": ["database-primary-writes", "database-replica-writes"],
    "replica_lag_seconds": ["database-replica-lag"],
    "frontend_response_seconds": ["frontend-slow"],
    "backend_response_seconds": ["backend-slow"],
    "target_5xx": ["backend-target-5xx", "frontend-target-5xx"],
    "load_balancer_5xx": ["backend-own-5xx", "frontend-own-5xx"],
    "unhealthy_targets": ["backend-unhealthy", "frontend-unhealthy"],
    "healthy_targets": ["backend-healthy", "frontend-healthy"],
}
"""The alarms of each threshold."""


def test_each_threshold_follows_its_variable(terraforms: tuple[Terraform, Terraform]) -> None:
    numbers = {name: number for number, name in enumerate(THRESHOLDS, start=30)}
    listed = ", ".join(f"{name} = {number}" for name, number in numbers.items())
    made = alarms(planned(terraforms[1], alarm_thresholds=f"{{{listed}}}"))
    numbers["database_free_gib"] *= 1024**3
    expected = {alarm: numbers[name] for name, named in THRESHOLDS.items() for alarm in named}
    found = {it["alarm_name"].removeprefix("text2sql-dev-"): it["threshold"] for it in made.values()}
    assert found == expected | {"database-primary-silent": 1, "database-replica-silent": 1}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("{cpu = 1}", "names a threshold"),
        ("{target_5xx = 0}", "above 0"),
        ("{service_cpu_percent = 101}", "100 at most"),
    ],
)
def test_threshold_that_makes_no_sense_is_refused(
    terraforms: tuple[Terraform, Terraform], given: str, told: str
) -> None:
    (problem,) = terraforms[0].problems(alarm_thresholds=given)
    assert told in problem


def test_documentation_lists_each_threshold_with_its_default() -> None:
    text = (CORE / "alarms.tf").read_text("utf-8").partition("}, var.alarm_thresholds)")[0]
    written = dict(re.findall(r"^ {4}(\w+) += ([\d.]+)$", text, re.MULTILINE))
    manual = (DOCS / "infrastructure_watch.md").read_text("utf-8").partition("\n## Thresholds\n")[2]
    told = dict(re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", manual, re.MULTILINE))
    assert set(written) == set(THRESHOLDS)
    assert told == written


# ── the dashboard ────────────────────────────────────────────────────────────────────────────────


def widgets(made: Made) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(made["aws_cloudwatch_dashboard.this"]["dashboard_body"])[
        "widgets"
    ]
    return listed


def own_metrics() -> set[str]:
    """Return the names that the workflow's code gives to its metrics."""
    source = CORE.parent / "src" / "text2sql" / "workflow"
    text = "".join((source / name).read_text("utf-8") for name in ("function.py", "sync.py"))
    assert 'namespace="Text2Sql"' in text
    names = set(re.findall(r'add_metric\("(\w+)"', text))
    kinds = re.search(r"for kind in \((.+)\):\n +metrics.add_metric\(f\"Documents", text)
    assert kinds is not None
    return names | {f"Documents{kind.title()}" for kind in re.findall(r'"(\w+)"', kinds[1])}


def charted(made: Made) -> list[tuple[str, str, set[str]]]:
    """Return each line of each chart: namespace, metric and the names of its dimensions."""
    found = []
    for widget in widgets(made):
        for line in widget["properties"].get("metrics", []):
            if isinstance(line[0], str):
                namespace, metric, *dimensions, _ = line
                found.append((namespace, metric, set(dimensions[::2])))
            else:
                searched = re.match(
                    r"SEARCH\('\{([\w/]+),(\w+)\} MetricName=\"(\w+)\"", line[0]["expression"]
                )
                assert searched is not None, line
                found.append((searched[1], searched[3], {searched[2]}))
    return found


def test_dashboard_names_metrics_that_exist(everything: Made) -> None:
    known = {**METRICS, "Text2Sql": own_metrics()}
    lines = charted(everything)
    assert len(lines) > 40
    for namespace, metric, dimensions in lines:
        assert metric in known[namespace], f"{namespace} {metric}"
        if namespace in DIMENSIONS:
            assert dimensions in DIMENSIONS[namespace], f"{namespace} {metric}"


def test_dashboard_shows_what_every_alarm_looks_at(everything: Made) -> None:
    shown = {(namespace, metric) for namespace, metric, _ in charted(everything)}
    assert {(it["namespace"], it["metric_name"]) for it in alarms(everything).values()} <= shown


def test_dashboard_shows_every_metric_of_the_workflow(everything: Made) -> None:
    assert {
        metric for namespace, metric, _ in charted(everything) if namespace == "Text2Sql"
    } == own_metrics()


def test_dashboard_shows_the_state_of_every_alarm(everything: Made) -> None:
    (widget,) = [it for it in widgets(everything) if it["type"] == "alarm"]
    assert len(widget["properties"]["alarms"]) == len(alarms(everything)) <= 100


def test_chart_has_the_thresholds_of_its_alarms_as_lines(everything: Made) -> None:
    lines = {
        line["value"]
        for widget in widgets(everything)
        for line in widget["properties"].get("annotations", {}).get("horizontal", [])
    }
    silent = {a for a in alarms(everything) if a.endswith('silent"]')}
    assert {it["threshold"] for address, it in alarms(everything).items() if address not in silent} == lines


def test_what_is_watched_bears_the_names_of_the_template() -> None:
    text = (CORE / "watched.tf").read_text("utf-8")
    template = (CORE.parent / "template.yaml").read_text("utf-8")
    machines = re.search(r"for machine in \[(.+)\]", text)
    steps = re.findall(r"(?:steps|syncs) = \[(.+)\]", re.sub(r" +=", " =", text))
    assert machines is not None
    assert len(steps) == 2
    for machine in re.findall(r'"([\w-]+)"', machines[1]):
        assert f"Name: !Sub text2sql-${{Stage}}-{machine}\n" in template
    for step in re.findall(r'"(\w+)"', ",".join(steps)):
        assert f"\n  {step}:\n    Type: AWS::Serverless::Function\n" in template


# ── money ────────────────────────────────────────────────────────────────────────────────────────


def test_budget_tells_of_four_fifths_forecast_and_of_all_spent(everything: Made) -> None:
    budget = everything["aws_budgets_budget.this[0]"]
    assert (budget["limit_amount"], budget["limit_unit"], budget["time_unit"]) == ("1200.0", "USD", "MONTHLY")
    topic = everything["aws_sns_topic.alarms"]["arn"]
    assert {
        (it["notification_type"], it["threshold"], it["threshold_type"], *it["subscriber_sns_topic_arns"])
        for it in budget["notification"]
    } == {("FORECASTED", 80, "PERCENTAGE", topic), ("ACTUAL", 100, "PERCENTAGE", topic)}


def test_budget_has_its_variables_amount_or_is_not_there(
    terraforms: tuple[Terraform, Terraform],
) -> None:
    made = planned(terraforms[0], monthly_budget="75.5")
    assert made["aws_budgets_budget.this[0]"]["limit_amount"] == "75.5"
    assert not of_type(planned(terraforms[0], monthly_budget="0"), "aws_budgets_budget")
    assert terraforms[0].problems(monthly_budget="-1") != []


def test_unusual_costs_are_told_once_somebody_can_be(everything: Made, first_run: Made) -> None:
    subscription = everything["aws_ce_anomaly_subscription.this[0]"]
    assert subscription["monitor_arn_list"] == [everything["aws_ce_anomaly_monitor.this[0]"]["arn"]]
    assert subscription["frequency"] == "IMMEDIATE"  # the one that a topic takes
    assert [(it["type"], it["address"]) for it in subscription["subscriber"]] == [
        ("SNS", everything["aws_sns_topic.alarms"]["arn"])
    ]
    assert not of_type(first_run, "aws_ce_anomaly_subscription")


def test_monitor_that_the_account_has_is_taken(
    terraforms: tuple[Terraform, Terraform],
) -> None:
    has = "arn:aws:ce::123456789012:anomalymonitor/x"
    made = planned(terraforms[0], watch_spending_anomalies="true", anomaly_monitor_arn=has)
    assert made["aws_ce_anomaly_subscription.this[0]"]["monitor_arn_list"] == [has]
    assert not of_type(made, "aws_ce_anomaly_monitor")


def test_topic_and_its_key_take_what_money_and_events_say(everything: Made) -> None:
    services = {"cloudwatch", "budgets", "costalerts", "events"}
    policy = json.loads(everything["aws_sns_topic_policy.alarms"]["policy"])["Statement"]
    assert {f"{it}.amazonaws.com" for it in services} <= set(policy[0]["Principal"]["Service"])
    key = json.loads(everything['aws_kms_key.this["messages"]']["policy"])["Statement"]
    assert {f"{it}.amazonaws.com" for it in services} <= set(key[1]["Principal"]["Service"])


# ── who did what ─────────────────────────────────────────────────────────────────────────────────


def test_trail_sees_all_regions_and_can_be_proved_whole(everything: Made) -> None:
    trail = everything["aws_cloudtrail.this[0]"]
    assert trail["is_multi_region_trail"]
    assert trail["include_global_service_events"]
    assert trail["enable_log_file_validation"]
    assert trail["enable_logging"] is not False
    assert trail["kms_key_id"] == everything["aws_kms_key.audit[0]"]["arn"]
    assert trail["s3_bucket_name"] == everything["aws_s3_bucket.audit[0]"]["id"]


def test_trail_writes_where_its_bucket_lets_it(everything: Made) -> None:
    prefix = everything["aws_cloudtrail.this[0]"]["s3_key_prefix"]
    refused, *allowed = json.loads(everything["aws_s3_bucket_policy.audit[0]"]["policy"])["Statement"]
    assert (refused["Effect"], refused["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    (written,) = [it for it in allowed if it["Sid"] == "LetServiceWriteTrail"]
    assert written["Resource"].endswith(f"/{prefix}/AWSLogs/123456789012/*")
    assert written["Principal"] == {"Service": "cloudtrail.amazonaws.com"}
    arn = f"arn:aws:cloudtrail:eu-central-1:123456789012:trail/{everything['aws_cloudtrail.this[0]']['name']}"
    of_the_trail = [it for it in allowed if it["Principal"] == {"Service": "cloudtrail.amazonaws.com"}]
    assert [it["Condition"]["StringEquals"]["aws:SourceArn"] for it in of_the_trail] == [arn, arn]
    _, usage = json.loads(everything["aws_kms_key.audit[0]"]["policy"])["Statement"]
    assert usage["Condition"] == {"StringEquals": {"aws:SourceArn": arn}}


def test_trail_is_kept_versioned_encrypted_and_for_a_year(everything: Made) -> None:
    (versioning,) = everything["aws_s3_bucket_versioning.audit[0]"]["versioning_configuration"]
    (rule,) = everything["aws_s3_bucket_lifecycle_configuration.audit[0]"]["rule"]
    encryption = everything["aws_s3_bucket_server_side_encryption_configuration.audit[0]"]["rule"]
    (default,) = encryption[0]["apply_server_side_encryption_by_default"]
    assert versioning["status"] == "Enabled"
    assert [it["days"] for it in rule["expiration"]] == [365]
    assert default["sse_algorithm"] == "aws:kms"


@pytest.mark.parametrize(
    ("variables", "has_trail"),
    [
        ({"stage": "dev"}, False),
        ({"stage": "prod"}, True),
        ({"stage": "dev", "trail": "true"}, True),
        ({"stage": "prod", "trail": "false"}, False),
    ],
)
def test_trail_is_there_in_prod_unless_told_otherwise(
    terraforms: tuple[Terraform, Terraform], variables: dict[str, str], has_trail: bool
) -> None:
    made = planned(terraforms[0], **variables)
    assert ("aws_cloudtrail.this[0]" in made) is has_trail
    assert ("aws_s3_bucket.audit[0]" in made) is has_trail


def test_what_an_account_has_once_is_off_in_a_first_run(first_run: Made) -> None:
    kinds = {address.split(".")[0] for address in first_run}
    once = {
        *("aws_cloudtrail", "aws_config_configuration_recorder", "aws_config_config_rule"),
        *("aws_guardduty_detector", "aws_ecr_replication_configuration", "aws_ce_anomaly_monitor"),
        *("aws_route53_health_check", "aws_kms_key.audit[0]"),
    }
    assert once & kinds == set()


def test_recorder_records_everything_by_a_role_that_writes_to_its_bucket_alone(everything: Made) -> None:
    recorder = everything["aws_config_configuration_recorder.this[0]"]
    (group,) = recorder["recording_group"]
    assert group["all_supported"]
    assert everything["aws_config_configuration_recorder_status.this[0]"]["is_enabled"]
    statements = json.loads(everything["aws_iam_role_policy.config[0]"]["policy"])["Statement"]
    written = [it["Resource"] for it in statements if it["Action"] == "s3:PutObject"]
    assert written == [f"{everything['aws_s3_bucket.audit[0]']['arn']}/config/AWSLogs/123456789012/*"]
    rules = of_type(everything, "aws_config_config_rule").values()
    assert len(rules) >= 5
    assert {rule["source"][0]["owner"] for rule in rules} == {"AWS"}
    assert all(isinstance(json.loads(rule["input_parameters"] or "{}"), dict) for rule in rules)


def test_threats_and_deviations_reach_the_topic(everything: Made) -> None:
    rules = of_type(everything, "aws_cloudwatch_event_rule")
    sources = {json.loads(rule["event_pattern"])["source"][0] for rule in rules.values()}
    assert sources == {"aws.guardduty", "aws.config"}
    targets = of_type(everything, "aws_cloudwatch_event_target").values()
    assert [it["arn"] for it in targets] == [everything["aws_sns_topic.alarms"]["arn"]] * len(rules)
    assert everything["aws_guardduty_detector.this[0]"]["enable"]


# ── the second Region ────────────────────────────────────────────────────────────────────────────


def test_images_of_this_deployment_alone_are_copied_to_the_second_region(everything: Made) -> None:
    (configuration,) = everything["aws_ecr_replication_configuration.this[0]"]["replication_configuration"]
    (rule,) = configuration["rule"]
    assert [it["region"] for it in rule["destination"]] == ["eu-west-1"]
    assert [(it["filter"], it["filter_type"]) for it in rule["repository_filter"]] == [
        ("text2sql-prod", "PREFIX_MATCH")
    ]


def test_images_cannot_be_copied_to_the_region_they_are_in(terraforms: tuple[Terraform, Terraform]) -> None:
    assert any("another Region" in it for it in terraforms[0].problems(recovery_region="eu-central-1"))


def test_name_turns_to_the_second_region_when_the_first_fails_its_check(everything: Made) -> None:
    check = everything['aws_route53_health_check.primary["ask.example.com"]']
    assert (check["fqdn"], check["resource_path"], check["type"]) == ("one", "/healthz", "HTTP")
    records = {
        record["set_identifier"]: record for record in of_type(everything, "aws_route53_record").values()
    }
    assert set(records) == {"primary", "secondary"}
    for role, target in {"primary": "one", "secondary": "two"}.items():
        assert records[role]["failover_routing_policy"] == [{"type": role.upper()}]
        assert [it["name"] for it in records[role]["alias"]] == [target]
    assert records["primary"]["health_check_id"] == check["id"]
    assert not records["secondary"]["health_check_id"]


def test_target_without_a_zone_is_refused(terraforms: tuple[Terraform, Terraform]) -> None:
    targets = EVERYTHING["failover_targets"]
    assert any("failover_zone_id" in it for it in terraforms[0].problems(failover_targets=targets))
    (problem,) = terraforms[0].problems(failover_targets='{a = {primary_dns_name = "one"}}')
    assert "secondary_dns_name" in problem


# ── the runbooks ─────────────────────────────────────────────────────────────────────────────────


def scripts(path: Path) -> list[str]:
    return SCRIPT.findall(path.read_text("utf-8"))


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: path.name)
def test_runbook_calls_operations_that_aws_has_with_options_that_they_take(path: Path) -> None:
    called = [words for script in scripts(path) for words in commands(script) if words[0] == "aws"]
    assert len(called) > 10
    assert [(" ".join(words[:3]), problem) for words in called for problem in problems(words)] == []


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: path.name)
def test_runbook_is_made_of_scripts_that_a_shell_can_read(path: Path) -> None:
    for script in scripts(path):
        said = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
        assert (said.returncode, said.stderr) == (0, ""), script


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: path.name)
def test_runbook_sets_each_variable_before_it_is_used(path: Path) -> None:
    given: set[str] = set()
    for script in scripts(path):
        given |= {name for line in EXPORT.findall(script) for name in re.findall(r"(\w+)=", line)}
        given |= set(re.findall(r"^(?:read -rs|for) (\w+)", script, re.MULTILINE))
        used = set(re.findall(r"\$\{?([A-Za-z_]\w*)", re.sub(r"'[^']*'", "", script)))
        assert used - given == set(), script


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: path.name)
def test_runbook_leads_to_sections_that_are_there(path: Path) -> None:
    for target, section in re.findall(r"\]\(([^)#]*)#?([^)]*)\)", path.read_text("utf-8")):
        leads_to = (path.parent / target).resolve() if target else path
        assert leads_to.is_file(), target
        assert not section or sections(leads_to)[section], f"{target}#{section}"


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: path.name)
def test_runbook_names_no_account_and_nothing_of_another_project(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.search(r"\b\d{12}\b", text)
    assert not re.search(r"text-to-sql-cluster|ecs_(frontend|backend)", text)
    assert set(re.findall(r"\btext2sql-(\w+)", text)) <= {"prod", "dev", "recovery"}


def test_entry_of_troubleshooting_has_symptom_look_and_mend() -> None:
    text = (DOCS / "operations" / "troubleshooting.md").read_text("utf-8")
    entries = re.split(r"^### ", text, flags=re.MULTILINE)[1:]
    assert len(entries) >= 20
    for entry in entries:
        assert "**Symptom**" in entry, entry[:40]
        assert "**Look**" in entry, entry[:40]
        assert "**Mend**" in entry or "| what mends it |" in entry or "**mend**" in entry, entry[:40]


def test_troubleshooting_tells_of_all_that_was_asked_for() -> None:
    told = sections(DOCS / "operations" / "troubleshooting.md")
    for section in (
        *("tasks-do-not-start", "the-database-cannot-be-reached", "the-model-fails"),
        *("the-load-balancer-answers-with-5xx", "nobody-can-sign-in", "vault-does-not-give-its-secrets"),
    ):
        assert told[section] == 1


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("aws rdz reboot-db-instance", "no service rdz"),
        ("aws rds restart-db-instance", "no operation rds restart-db-instance"),
        ("aws rds reboot-db-instance --db-instance-identifier x --force", "no option --force"),
        ("aws rds reboot-db-instance --force-failover", "--db-instance-identifier is missing"),
        ("aws rds reboot-db-instance --db-instance-identifier x --force-failover yes", "takes no value yes"),
        ("echo $(aws rds wait db-instance-ready --db-instance-identifier x)", "no operation rds wait"),
        ('echo "$(aws ecs list-tasks --desired-status ended)"', "takes no ended"),
        ("aws ecs update-service --service x --desired-count many", "takes a number"),
        ("aws ecs update-service \\\n  --service x --desired-count", "has no value"),
        ("aws logs tail x --folow", "no option --folow"),
        (
            """aws bedrock-agent-runtime retrieve --knowledge-base-id x --retrieval-query '{"txt": "x"}'""",
            "txt",
        ),
    ],
)
def test_mistake_in_a_command_is_told(command: str, problem: str) -> None:
    (told,) = [it for words in commands(command) if words[0] == "aws" for it in problems(words)]
    assert problem in told
