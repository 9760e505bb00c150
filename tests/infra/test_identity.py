"""Who may sign in, and what the API and the gateway are told of it."""

import json
import re
import shutil
from pathlib import Path
from typing import Any, TypeAlias

import botocore.session
import pytest

from infra.aws_commands import commands, problems
from infra.terraform import CORE, Terraform, core, planned, resources
from text2sql_api.settings import ApiSettings

Made: TypeAlias = dict[str, dict[str, Any]]
"""Resources by their addresses."""

POOL = "aws_cognito_user_pool.this"
PAGE = "aws_cognito_user_pool_client.page"
CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/1234"
SENDER = "arn:aws:ses:eu-central-1:123456789012:identity/example.com"
OIDC = """{
  type    = "OIDC"
  details = {
    attributes_request_method = "GET", authorize_scopes = "openid email"
    client_id = "text2sql", oidc_issuer = "https://sign-in.example.com"
  }
}"""
SAML = """{
  type              = "SAML"
  details           = { MetadataURL = "https://sign-in.example.com/metadata" }
  attribute_mapping = { email = "mail", "custom:region" = "region", username = "name" }
}"""

FULL = {
    "stage": "prod",
    "certificate_arn": CERTIFICATE,
    "frontend_domain": "ask.example.com",
    "admin_creates_users": "false",
    "password_min_length": "16",
    "mfa": "ON",
    "threat_protection": "ENFORCED",
    "sign_in_email": f'{{from = "sign-in@example.com", identity_arn = "{SENDER}"}}',
    "sign_in_domain_prefix": "ask-example",
    "implicit_flow": "true",
    "token_minutes": "15",
    "refresh_token_days": "1",
    "user_groups": '{admin = "All", editor = "Documents", sales = "Sees sales"}',
    "user_attributes": '["region"]',
    "machine_clients": '{etl = ["ask", "group.sales"]}',
    "other_client_ids": '["madeelsewhere"]',
    "identity_providers": f"{{Okta = {OIDC}, Entra = {SAML}}}",
    "identity_provider_secrets": '{Okta = "told-by-okta"}',
}
"""All that can be switched on."""


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory, providers: str) -> Made:
    """Return what a first run makes."""
    return applied(tmp_path_factory.mktemp("trial"), providers)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory, providers: str) -> Made:
    """Return what is made with all that can be switched on."""
    return applied(tmp_path_factory.mktemp("full"), providers, **FULL)


def applied(folder: Path, providers: str, **variables: str) -> Made:
    """Return what was made, and would not be made otherwise by a second run."""
    shutil.copy(CORE.parent / "guardrail.yaml", folder)
    terraform = core(folder / "terraform-core", providers)
    said = terraform.run("apply", "-auto-approve", "-input=false", **variables)
    assert said.returncode == 0, said
    again = terraform.run("plan", "-detailed-exitcode", "-input=false", **variables)
    assert again.returncode == 0, again.stdout
    return resources(terraform.state()["values"])


def told(made: Made, name: str) -> str:
    """Return what a parameter says that the template reads."""
    value: str = made[f'aws_ssm_parameter.contract["{name}"]']["value"]
    return value


def names(made: Made, kind: str) -> set[str]:
    """Return the keys of what is made of a kind, or its name where there is one."""
    return {
        re.sub(r'^\w+\.\w+\["|"\]$|^\w+\.', "", address) for address in made if address.split(".")[0] == kind
    }


def limits(shape: str) -> dict[str, Any]:
    """Return what botocore's model of Cognito says of a type."""
    model = botocore.session.get_session().get_service_model("cognito-idp")
    found: dict[str, Any] = model.shape_for(shape).metadata
    return found


# ── the user pool ────────────────────────────────────────────────────────────────────────────────


def test_people_sign_in_by_a_verified_address_whatever_its_case(trial: Made) -> None:
    pool = trial[POOL]
    assert pool["username_attributes"] == ["email"]
    assert pool["auto_verified_attributes"] == ["email"]
    assert pool["username_configuration"] == [{"case_sensitive": False}]
    (update,) = pool["user_attribute_update_settings"]
    assert update["attributes_require_verification_before_update"] == ["email"]


def test_forgotten_password_is_replaced_by_the_address_alone(trial: Made) -> None:
    (recovery,) = trial[POOL]["account_recovery_setting"]
    assert recovery["recovery_mechanism"] == [{"name": "verified_email", "priority": 1}]


def test_password_is_long_and_of_all_four_kinds(trial: Made, full: Made) -> None:
    (policy,) = trial[POOL]["password_policy"]
    kinds = [policy[f"require_{kind}"] for kind in ("lowercase", "uppercase", "numbers", "symbols")]
    assert kinds == [True] * 4
    assert policy["minimum_length"] == 12
    assert full[POOL]["password_policy"][0]["minimum_length"] == 16


@pytest.mark.parametrize("length", ["7", "100", "9.5"])
def test_password_length_that_is_too_weak_or_impossible_is_refused(terraform: Terraform, length: str) -> None:
    (problem,) = terraform.problems(password_min_length=length)
    assert "password_min_length must be a whole number from 8 to 99" in problem


def test_administrators_alone_make_users_unless_asked(trial: Made, full: Made) -> None:
    assert trial[POOL]["admin_create_user_config"][0]["allow_admin_create_user_only"] is True
    assert full[POOL]["admin_create_user_config"][0]["allow_admin_create_user_only"] is False


def test_second_factor_is_a_code_of_an_app(trial: Made, full: Made) -> None:
    assert trial[POOL]["mfa_configuration"] == "OPTIONAL"
    assert full[POOL]["mfa_configuration"] == "ON"
    for made in (trial, full):
        assert made[POOL]["software_token_mfa_configuration"] == [{"enabled": True}]
        assert made[POOL]["sms_configuration"] == []


def test_without_a_second_factor_none_is_configured(terraform: Terraform) -> None:
    pool = planned(terraform, mfa="OFF")[POOL]
    assert (pool["mfa_configuration"], pool["software_token_mfa_configuration"]) == ("OFF", [])


def test_odd_sign_ins_are_stopped_where_asked_and_cost_nothing_elsewhere(trial: Made, full: Made) -> None:
    assert trial[POOL]["user_pool_add_ons"][0]["advanced_security_mode"] == "OFF"
    assert trial[POOL]["user_pool_tier"] == "ESSENTIALS"
    assert names(trial, "aws_cognito_risk_configuration") == set()
    assert full[POOL]["user_pool_add_ons"][0]["advanced_security_mode"] == "ENFORCED"
    assert full[POOL]["user_pool_tier"] == "PLUS"
    risk = full["aws_cognito_risk_configuration.this[0]"]
    (stolen,) = risk["compromised_credentials_risk_configuration"]
    assert stolen["actions"] == [{"event_action": "BLOCK"}]
    (actions,) = risk["account_takeover_risk_configuration"][0]["actions"]
    answers = [actions[f"{level}_action"][0]["event_action"] for level in ("low", "medium", "high")]
    assert answers == ["NO_ACTION", "MFA_IF_CONFIGURED", "BLOCK"]
    assert set(answers) <= set(limits("AccountTakeoverEventActionType")["enum"])


def test_sign_ins_that_are_only_noted_are_not_stopped(terraform: Terraform) -> None:
    made = planned(terraform, threat_protection="AUDIT")
    assert made[POOL]["user_pool_tier"] == "PLUS"
    assert names(made, "aws_cognito_risk_configuration") == set()


def test_user_pool_of_prod_refuses_to_be_deleted(trial: Made, full: Made, terraform: Terraform) -> None:
    assert trial[POOL]["deletion_protection"] == "INACTIVE"
    assert full[POOL]["deletion_protection"] == "ACTIVE"
    unprotected = planned(terraform, stage="prod", user_pool_deletion_protection="false")
    assert unprotected[POOL]["deletion_protection"] == "INACTIVE"


def test_letters_come_from_the_address_that_is_named(trial: Made, full: Made) -> None:
    assert trial[POOL]["email_configuration"] == []
    (sender,) = full[POOL]["email_configuration"]
    assert (sender["email_sending_account"], sender["source_arn"]) == ("DEVELOPER", SENDER)
    assert sender["from_email_address"] == "sign-in@example.com"


def test_failed_letters_are_logged_and_sign_ins_with_threat_protection(trial: Made, full: Made) -> None:
    def sources(made: Made) -> list[tuple[str, str]]:
        listed = made["aws_cognito_log_delivery_configuration.this"]["log_configurations"]
        return [(each["event_source"], each["log_level"]) for each in listed]

    assert sources(trial) == [("userNotification", "ERROR")]
    assert sources(full) == [("userNotification", "ERROR"), ("userAuthEvents", "INFO")]
    assert trial["aws_cloudwatch_log_group.sign_in"]["kms_key_id"]


# ── the page ─────────────────────────────────────────────────────────────────────────────────────


def test_page_has_no_secret_and_gets_a_code(trial: Made) -> None:
    page = trial[PAGE]
    assert page["generate_secret"] is False
    assert page["allowed_oauth_flows_user_pool_client"] is True
    assert page["allowed_oauth_flows"] == ["code"]
    assert sorted(page["allowed_oauth_scopes"]) == ["email", "openid"]


def test_tokens_come_in_a_url_only_where_asked(full: Made) -> None:
    assert sorted(full[PAGE]["allowed_oauth_flows"]) == ["code", "implicit"]


def test_no_client_takes_a_password_itself(full: Made) -> None:
    clients = {address: each for address, each in full.items() if "user_pool_client." in address}
    assert len(clients) == 2
    for address, client in clients.items():
        assert client["explicit_auth_flows"] == ["ALLOW_REFRESH_TOKEN_AUTH"], address
        assert client["prevent_user_existence_errors"] == "ENABLED", address
        assert client["enable_token_revocation"] is True, address


@pytest.mark.parametrize(("stage", "minutes", "days"), [("trial", 60, 7), ("full", 15, 1)])
def test_tokens_are_valid_for_as_long_as_is_said(
    request: pytest.FixtureRequest, stage: str, minutes: int, days: int
) -> None:
    page = request.getfixturevalue(stage)[PAGE]
    assert (page["access_token_validity"], page["id_token_validity"]) == (minutes, minutes)
    assert page["refresh_token_validity"] == days
    assert page["token_validity_units"] == [
        {"access_token": "minutes", "id_token": "minutes", "refresh_token": "days"}
    ]


def test_trial_is_sent_back_to_this_machine_and_prod_to_its_page(trial: Made, full: Made) -> None:
    assert trial[PAGE]["callback_urls"] == ["http://localhost:3000/auth/callback"]
    assert trial[PAGE]["logout_urls"] == ["http://localhost:3000/"]
    assert full[PAGE]["callback_urls"] == ["https://ask.example.com/auth/callback"]
    assert full[PAGE]["logout_urls"] == ["https://ask.example.com/"]


@pytest.mark.parametrize("name", ["callback_urls", "logout_urls"])
@pytest.mark.parametrize(
    ("stage", "url", "is_taken"),
    [
        ("dev", "http://localhost:8080/back", True),
        ("dev", "http://localhost.example.com/back", False),
        ("dev", "http://ask.example.com/back", False),
        ("prod", "https://ask.example.com/back", True),
        ("prod", "http://localhost:3000/back", False),
        ("prod", "https://ask.example.com/back#part", False),
    ],
)
def test_page_is_sent_back_by_https_or_in_dev_to_this_machine(
    terraform: Terraform, name: str, stage: str, url: str, is_taken: bool
) -> None:
    problems = terraform.problems(stage=stage, **{name: f'["{url}"]'})
    refused = [f"{name} must begin with https://" in each for each in problems]
    assert refused == ([] if is_taken else [True])


def test_sign_in_page_has_a_name_that_nobody_else_has(trial: Made, full: Made) -> None:
    domain = trial["aws_cognito_user_pool_domain.this"]["domain"]
    assert domain == "text2sql-dev-123456789012"
    assert re.fullmatch(limits("DomainType")["pattern"], domain)
    assert full["aws_cognito_user_pool_domain.this"]["domain"] == "ask-example"


@pytest.mark.parametrize("prefix", ["Ask", "my-aws-page", "-ask", "cognito1"])
def test_name_that_cognito_does_not_give_is_refused(terraform: Terraform, prefix: str) -> None:
    (problem,) = terraform.problems(sign_in_domain_prefix=prefix)
    assert "sign_in_domain_prefix must be lower-case letters" in problem


# ── groups and organizations ─────────────────────────────────────────────────────────────────────


def test_groups_are_those_that_the_api_knows_and_those_of_the_policy(trial: Made, full: Made) -> None:
    settings = ApiSettings.model_fields
    known = {settings["admin_group"].default, settings["editor_group"].default}
    assert names(trial, "aws_cognito_user_group") == known
    assert names(full, "aws_cognito_user_group") == {*known, "sales"}


def test_nobody_but_organizations_writes_what_the_policy_asks_for(trial: Made, full: Made) -> None:
    assert trial[POOL]["schema"] == []
    assert trial[PAGE]["write_attributes"] == ["email"]
    (attribute,) = full[POOL]["schema"]
    assert (attribute["name"], attribute["attribute_data_type"]) == ("region", "String")
    assert sorted(full[PAGE]["read_attributes"]) == ["custom:region", "email", "email_verified"]
    assert sorted(full[PAGE]["write_attributes"]) == ["custom:region", "email"]
    assert "aws.cognito.signin.user.admin" not in full[PAGE]["allowed_oauth_scopes"]


def test_without_organizations_people_sign_in_with_passwords_alone(trial: Made) -> None:
    assert names(trial, "aws_cognito_identity_provider") == set()
    assert trial[PAGE]["supported_identity_providers"] == ["COGNITO"]


def test_people_of_an_organization_may_sign_in(full: Made) -> None:
    oidc, saml = (full[f'aws_cognito_identity_provider.this["{name}"]'] for name in ("Okta", "Entra"))
    assert sorted(full[PAGE]["supported_identity_providers"]) == ["COGNITO", "Entra", "Okta"]
    assert (oidc["provider_type"], saml["provider_type"]) == ("OIDC", "SAML")
    assert oidc["provider_details"]["client_secret"] == "told-by-okta"  # nobody's
    assert "client_secret" not in saml["provider_details"]
    assert oidc["attribute_mapping"] == {"email": "email"}
    assert saml["attribute_mapping"]["email"] == "mail"


def test_secret_of_an_organization_is_not_shown_in_a_plan(terraform: Terraform) -> None:
    variables = {name: FULL[name] for name in ("identity_providers", "user_attributes")}
    secrets = FULL["identity_provider_secrets"]
    said = terraform.run("plan", "-input=false", **variables, identity_provider_secrets=secrets)
    assert said.returncode == 0
    assert "told-by-okta" not in said.stdout
    assert "https://sign-in.example.com/metadata" in said.stdout


@pytest.mark.parametrize(
    ("providers_told", "problem"),
    [
        ('{COGNITO = {type = "SAML", details = {MetadataURL = "x"}}}', "other than COGNITO"),
        ('{Okta = {type = "Google", details = {}}}', "must be of type SAML or OIDC"),
        ('{Okta = {type = "SAML", details = {}}}', "must have MetadataURL or MetadataFile"),
        ('{Okta = {type = "OIDC", details = {client_id = "x"}}}', "attributes_request_method"),
        (
            '{Okta = {type = "SAML", details = {MetadataURL = "x", client_secret = "x"}}}',
            "that is for identity_provider_secrets",
        ),
        (
            '{Okta = {type = "SAML", details = {MetadataURL = "x"}, attribute_mapping = {name = "x"}}}',
            "must map email",
        ),
    ],
)
def test_organization_that_is_told_wrongly_is_refused(
    terraform: Terraform, providers_told: str, problem: str
) -> None:
    assert [problem in each for each in terraform.problems(identity_providers=providers_told)] == [True]


# ── programs ─────────────────────────────────────────────────────────────────────────────────────


def test_scopes_are_those_that_the_api_reads(full: Made) -> None:
    server = full["aws_cognito_resource_server.this"]
    assert f"{server['identifier']}/" == ApiSettings.model_fields["scope_prefix"].default
    scopes = {each["scope_name"] for each in server["scope"]}
    assert scopes == {"ask", "metrics", "group.admin", "group.editor", "group.sales"}
    assert all(re.fullmatch(limits("ResourceServerScopeNameType")["pattern"], scope) for scope in scopes)


def test_no_program_signs_in_unless_asked(trial: Made) -> None:
    assert names(trial, "aws_cognito_user_pool_client") == {"page"}


def test_program_signs_in_as_itself_with_its_scopes_alone(full: Made) -> None:
    client = full['aws_cognito_user_pool_client.machine["etl"]']
    assert client["generate_secret"] is True
    assert client["allowed_oauth_flows"] == ["client_credentials"]
    assert sorted(client["allowed_oauth_scopes"]) == ["text2sql/ask", "text2sql/group.sales"]
    assert client["access_token_validity"] == 15


@pytest.mark.parametrize("scopes", ["[]", '["asks"]', '["group.sales"]'])
def test_program_without_scopes_or_with_others_is_refused(terraform: Terraform, scopes: str) -> None:
    (problem,) = terraform.problems(machine_clients=f"{{etl = {scopes}}}")
    assert "machine_clients must have scopes" in problem


# ── what others are told ─────────────────────────────────────────────────────────────────────────


def test_template_is_told_of_the_issuer_and_of_each_client(trial: Made, full: Made) -> None:
    pool = trial[POOL]["id"]
    assert told(trial, "token-issuer") == f"https://cognito-idp.eu-central-1.amazonaws.com/{pool}"
    assert told(trial, "token-client-ids") == trial[PAGE]["id"]
    ids = told(full, "token-client-ids").split(",")
    assert len(ids) == 3
    assert ids[-1] == "madeelsewhere"


def test_api_takes_the_tokens_that_the_gateway_takes(full: Made) -> None:
    (backend, _) = json.loads(full['aws_ecs_task_definition.this["backend"]']["container_definitions"])
    environment = {each["name"]: each["value"] for each in backend["environment"]}
    assert environment["TEXT2SQL_API_ISSUER"] == told(full, "token-issuer")
    assert environment["TEXT2SQL_API_CLIENT_IDS"] == told(full, "token-client-ids")


def test_operator_is_told_of_pool_client_and_page(terraform: Terraform) -> None:
    outputs = terraform.plan()["planned_values"]["outputs"]
    assert {"cognito_user_pool_id", "cognito_client_id"} <= outputs.keys()
    url = "https://text2sql-dev-123456789012.auth.eu-central-1.amazoncognito.com"
    assert outputs["sign_in_url"]["value"] == url
    assert "client_secret" not in json.dumps(outputs)


def test_operator_is_told_commands_that_aws_has() -> None:
    manual = (CORE.parent / "docs" / "infrastructure_identity.md").read_text("utf-8")
    scripts = re.findall(r"```sh\n(.*?)```", manual, re.DOTALL)
    called = [words for script in scripts for words in commands(script) if words[0] == "aws"]
    assert [words[2] for words in called] == [
        "admin-create-user",
        "admin-add-user-to-group",
        "put-secret-value",
    ]
    assert [(words[2], problem) for words in called for problem in problems(words)] == []
