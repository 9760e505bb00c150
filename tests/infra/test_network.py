"""The network that Terraform plans: what is where, and who may talk to whom."""

import json
from typing import Any

import pytest

from infra.terraform import Terraform, planned

ANYWHERE = "0.0.0.0/0"
KINDS = {
    "public": ["10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/24"],
    "private": ["10.0.11.0/24", "10.0.12.0/24", "10.0.13.0/24"],
    "database": ["10.0.21.0/24", "10.0.22.0/24", "10.0.23.0/24"],
}
ZONES = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]


def of_type(made: dict[str, Any], kind: str) -> dict[str, Any]:
    return {address: each for address, each in made.items() if address.split(".")[0] == kind}


@pytest.fixture(scope="module")
def plan(terraform: Terraform) -> dict[str, Any]:
    return planned(terraform)


@pytest.mark.parametrize("kind", KINDS)
def test_each_zone_has_a_subnet_of_each_kind_that_gives_no_public_address(
    plan: dict[str, Any], kind: str
) -> None:
    subnets = [plan[f'aws_subnet.{kind}["{zone}"]'] for zone in ZONES]
    assert [subnet["cidr_block"] for subnet in subnets] == KINDS[kind]
    assert [subnet["availability_zone"] for subnet in subnets] == ZONES
    assert {subnet["map_public_ip_on_launch"] for subnet in subnets} == {False}
    assert len(of_type(plan, "aws_subnet")) == len(ZONES) * len(KINDS)


def test_network_has_the_addresses_and_zones_that_are_named(terraform: Terraform) -> None:
    zones = [f"eu-central-1{letter}" for letter in "def"]
    plan = planned(terraform, vpc_cidr="10.9.0.0/16", azs=json.dumps(zones))
    assert plan["aws_vpc.this"]["cidr_block"] == "10.9.0.0/16"
    assert {subnet["availability_zone"] for subnet in of_type(plan, "aws_subnet").values()} == set(zones)


def test_all_private_zones_go_out_by_one_nat_gateway_or_each_by_its_own(terraform: Terraform) -> None:
    assert len(of_type(planned(terraform), "aws_nat_gateway")) == 1
    plan = planned(terraform, nat_gateway_per_az="true")
    assert len(of_type(plan, "aws_nat_gateway")) == len(of_type(plan, "aws_eip")) == len(ZONES)


def test_database_subnets_have_no_way_out(terraform: Terraform) -> None:
    configuration = terraform.plan()["configuration"]["root_module"]["resources"]
    routes = [each["expressions"]["route_table_id"] for each in configuration if each["type"] == "aws_route"]
    tables = {reference for route in routes for reference in route["references"]}
    assert "aws_route_table.public.id" in tables
    assert not any(reference.startswith("aws_route_table.database") for reference in tables)


def test_database_subnets_talk_to_private_ones_alone(plan: dict[str, Any]) -> None:
    rules = plan["aws_network_acl.database"]
    coming = [(rule["cidr_block"], rule["from_port"], rule["to_port"]) for rule in rules["ingress"]]
    assert sorted(coming) == [(cidr, 3306, 3306) for cidr in KINDS["private"]]
    assert sorted(rule["cidr_block"] for rule in rules["egress"]) == KINDS["private"]
    assert {rule["action"] for rule in rules["ingress"] + rules["egress"]} == {"allow"}


def test_world_reaches_the_load_balancers_alone_and_443_only_with_a_certificate(terraform: Terraform) -> None:
    def open_ports(**variables: str) -> set[str]:
        rules = of_type(planned(terraform, **variables), "aws_vpc_security_group_ingress_rule")
        return {
            address.partition('["')[2].rstrip('"]')
            for address, rule in rules.items()
            if rule["cidr_ipv4"] == ANYWHERE
        }

    assert open_ports() == {"frontend_alb-80", "backend_alb-80"}
    certificate = "arn:aws:acm:eu-central-1:123456789012:certificate/1"
    assert open_ports(certificate_arn=certificate) == {
        f"{group}_alb-{port}" for group in ("frontend", "backend") for port in (80, 443)
    }


def test_groups_reach_each_other_as_the_table_says(plan: dict[str, Any]) -> None:
    rules = of_type(plan, "aws_vpc_security_group_ingress_rule")
    inside = {
        address.partition('["')[2].rstrip('"]'): rule["from_port"]
        for address, rule in rules.items()
        if rule["cidr_ipv4"] is None
    }
    assert inside == {
        "frontend-from-alb": 3000,
        "backend-from-alb": 80,
        "database-from-backend": 3306,
        "database-from-functions": 3306,
        "endpoints-from-frontend": 443,
        "endpoints-from-backend": 443,
        "endpoints-from-function": 443,
    }
    assert all(rule["from_port"] == rule["to_port"] for rule in rules.values())


def test_default_security_group_lets_nothing_through(terraform: Terraform) -> None:
    (group,) = [
        each
        for each in terraform.plan()["configuration"]["root_module"]["resources"]
        if each["type"] == "aws_default_security_group"
    ]
    assert not {"ingress", "egress"} & set(group["expressions"])


def test_endpoints_that_cost_by_the_hour_are_for_production_or_whoever_asks(terraform: Terraform) -> None:
    def count(**variables: str) -> int:
        return len(of_type(planned(terraform, **variables), "aws_vpc_endpoint"))

    assert count() == count(stage="prod", interface_endpoints="false") == 2
    assert count(stage="prod") == count(interface_endpoints="true") == 10


def test_services_of_aws_are_reached_inside_the_network_by_identities_of_the_account(
    terraform: Terraform,
) -> None:
    plan = planned(terraform, stage="prod")
    endpoints = {
        each["service_name"].removeprefix("com.amazonaws.eu-central-1."): each
        for each in of_type(plan, "aws_vpc_endpoint").values()
    }
    assert endpoints.keys() >= {"s3", "dynamodb", "ecr.api", "ecr.dkr", "logs", "secretsmanager", "sts"}
    assert "bedrock-runtime" in endpoints
    for name, endpoint in endpoints.items():
        own, *others = json.loads(endpoint["policy"])["Statement"]
        assert own["Condition"] == {"StringEquals": {"aws:PrincipalAccount": "123456789012"}}
        assert [each["Sid"] for each in others] == (["LayersOfImages"] if name == "s3" else [])
        assert endpoint["vpc_endpoint_type"] == "Gateway" or endpoint["private_dns_enabled"]


def test_all_flows_are_logged_and_kept(plan: dict[str, Any]) -> None:
    assert plan["aws_flow_log.this"]["traffic_type"] == "ALL"
    assert plan["aws_cloudwatch_log_group.flows"]["retention_in_days"] == 90


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("azs", '["eu-central-1a", "eu-central-1b"]'),
        ("azs", '["eu-central-1a", "eu-central-1a", "eu-central-1b"]'),
        ("vpc_cidr", "10.0.0.0/20"),
        ("public_subnets", '["10.0.1.0/24"]'),
        ("private_subnets", '["10.0.1.0/24", "x", "y"]'),
        ("database_subnets", "[]"),
        ("log_retention_days", "7"),
        ("certificate_arn", "example.com"),
        ("stage", "test"),
        ("alarm_emails", '["nobody"]'),
    ],
)
def test_variable_that_cannot_be_meant_is_refused(terraform: Terraform, name: str, value: str) -> None:
    (problem,) = terraform.problems(**{name: value})
    assert f"{name} must" in problem
