"""Who may sign in, which model is called, and where documents are searched, as Terraform plans it."""

import json
from typing import Any

import pytest

from infra.terraform import Terraform, planned
from text2sql_api.settings import ApiSettings

ACTION = "arn:aws:lambda:eu-central-1:123456789012:function:ask"
BASE = {
    "knowledge_base": "pinecone",
    "pinecone_connection_string": "https://text2sql-1a2b3c.svc.aped-1.pinecone.io",
    "knowledge_bucket": "text2sql-dev-knowledge-1",
}


@pytest.fixture(scope="module")
def plan(terraform: Terraform) -> dict[str, Any]:
    return planned(terraform)


@pytest.fixture(scope="module")
def pool(plan: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = plan["aws_cognito_user_pool.this"]
    return found


def test_people_sign_in_by_an_e_mail_address_that_is_verified(pool: dict[str, Any]) -> None:
    assert pool["username_attributes"] == pool["auto_verified_attributes"] == ["email"]
    (recovery,) = pool["account_recovery_setting"][0]["recovery_mechanism"]
    assert recovery["name"] == "verified_email"
    assert pool["admin_create_user_config"][0]["allow_admin_create_user_only"]


def test_passwords_have_all_four_kinds_of_characters(terraform: Terraform, pool: dict[str, Any]) -> None:
    (policy,) = pool["password_policy"]
    kinds = [policy[f"require_{kind}"] for kind in ("lowercase", "uppercase", "numbers", "symbols")]
    assert (policy["minimum_length"], kinds) == (12, [True] * 4)
    (shorter,) = planned(terraform, password_min_length="8")["aws_cognito_user_pool.this"]["password_policy"]
    assert shorter["minimum_length"] == 8


@pytest.mark.parametrize(("mfa", "codes"), [("OFF", 0), ("OPTIONAL", 1), ("ON", 1)])
def test_second_factor_is_an_authenticators_code(terraform: Terraform, mfa: str, codes: int) -> None:
    pool = planned(terraform, mfa=mfa)["aws_cognito_user_pool.this"]
    assert (pool["mfa_configuration"], len(pool["software_token_mfa_configuration"])) == (mfa, codes)


def test_user_pool_of_prod_refuses_to_be_deleted(terraform: Terraform, pool: dict[str, Any]) -> None:
    assert pool["deletion_protection"] == "INACTIVE"
    assert planned(terraform, stage="prod")["aws_cognito_user_pool.this"]["deletion_protection"] == "ACTIVE"


def test_page_gets_tokens_for_a_code_and_keeps_no_secret(plan: dict[str, Any]) -> None:
    client = plan["aws_cognito_user_pool_client.page"]
    assert (client["allowed_oauth_flows"], client["generate_secret"]) == (["code"], False)
    assert sorted(client["allowed_oauth_scopes"]) == ["email", "openid"]
    assert client["explicit_auth_flows"] == ["ALLOW_REFRESH_TOKEN_AUTH"]
    assert (client["access_token_validity"], client["prevent_user_existence_errors"]) == (60, "ENABLED")
    assert client["enable_token_revocation"]


def test_implicit_flow_is_there_only_when_asked_for(terraform: Terraform) -> None:
    client = planned(terraform, implicit_flow="true")["aws_cognito_user_pool_client.page"]
    assert sorted(client["allowed_oauth_flows"]) == ["code", "implicit"]


def test_groups_are_those_that_the_api_knows(plan: dict[str, Any]) -> None:
    made = {each["name"] for address, each in plan.items() if "user_group" in address}
    assert made == {ApiSettings().admin_group, ApiSettings().editor_group}


def test_program_signs_in_as_itself_with_the_scopes_that_it_has(terraform: Terraform) -> None:
    assert not any("client.machine" in address for address in planned(terraform))
    plan = planned(terraform, machine_clients='{ nightly = ["ask", "group.editor"] }')
    client = plan['aws_cognito_user_pool_client.machine["nightly"]']
    assert client["allowed_oauth_flows"] == ["client_credentials"]
    assert sorted(client["allowed_oauth_scopes"]) == ["text2sql/ask", "text2sql/group.editor"]
    scopes = {scope["scope_name"] for scope in plan["aws_cognito_resource_server.this"]["scope"]}
    assert scopes == {"ask", "metrics", "group.admin", "group.editor"}
    assert ApiSettings().scope_prefix == f"{plan['aws_cognito_resource_server.this']['identifier']}/"


def test_organization_may_be_let_in(terraform: Terraform) -> None:
    details = '{ MetadataURL = "https://sso.example.com/metadata" }'
    plan = planned(
        terraform,
        identity_providers=f'{{ acme = {{ type = "SAML", details = {details} }} }}',
        callback_urls='["https://ask.example.com/auth/callback"]',
        logout_urls='["https://ask.example.com/"]',
    )
    assert plan['aws_cognito_identity_provider.this["acme"]']["provider_type"] == "SAML"
    assert "acme" in plan["aws_cognito_user_pool_client.page"]["supported_identity_providers"]


def test_api_and_gateway_take_the_tokens_of_the_user_pool(made: dict[str, Any]) -> None:
    told = {
        name: made[f'aws_ssm_parameter.contract["{name}"]']["value"]
        for name in ("token-issuer", "token-client-ids")
    }
    assert told == {
        "token-issuer": "https://cognito-idp.eu-central-1.amazonaws.com/aws_cognito_user_pool.id",
        "token-client-ids": "aws_cognito_user_pool_client.id",
    }
    (backend,) = json.loads(made['aws_ecs_task_definition.this["backend"]']["container_definitions"])[:1]
    environment = {each["name"]: each["value"] for each in backend["environment"]}
    assert environment["TEXT2SQL_API_ISSUER"] == told["token-issuer"]
    assert environment["TEXT2SQL_API_CLIENT_IDS"] == told["token-client-ids"]


def test_functions_may_call_the_profile_and_the_model_behind_it_alone(terraform: Terraform) -> None:
    def told(**variables: str) -> tuple[str, list[str]]:
        plan = planned(terraform, **variables)
        name, arns = (
            plan[f'aws_ssm_parameter.contract["{name}"]']["value"] for name in ("model-name", "model-arns")
        )
        return name, arns.split(",")

    name, arns = told()
    assert arns == [
        f"arn:aws:bedrock:eu-central-1:123456789012:inference-profile/{name}",
        f"arn:aws:bedrock:eu-central-1::foundation-model/{name.removeprefix('global.')}",
        f"arn:aws:bedrock:::foundation-model/{name.removeprefix('global.')}",
    ]
    model = "anthropic.claude-sonnet-4-6"
    assert told(model_name=model) == (model, [f"arn:aws:bedrock:eu-central-1::foundation-model/{model}"])


def test_without_a_word_nothing_of_pinecone_or_of_an_agent_is_made(plan: dict[str, Any]) -> None:
    assert not [address for address in plan if "bedrockagent" in address or "pinecone" in address]
    assert not [address for address in plan if "model_invocation_logging" in address]
    assert plan['aws_ssm_parameter.contract["documents-provider"]']["value"] == "local"


def test_knowledge_base_reads_the_sections_as_they_are_cut_and_may_do_no_more(terraform: Terraform) -> None:
    plan = planned(terraform, **BASE)
    base = plan["aws_bedrockagent_knowledge_base.this[0]"]
    (pinecone,) = base["storage_configuration"][0]["pinecone_configuration"]
    assert pinecone["connection_string"] == BASE["pinecone_connection_string"]
    (vector,) = base["knowledge_base_configuration"][0]["vector_knowledge_base_configuration"]
    assert vector["embedding_model_arn"].endswith("foundation-model/amazon.titan-embed-text-v2:0")
    source = plan["aws_bedrockagent_data_source.sections[0]"]
    (bucket,) = source["data_source_configuration"][0]["s3_configuration"]
    assert bucket["inclusion_prefixes"] == ["sections/"]
    (chunks,) = source["vector_ingestion_configuration"][0]["chunking_configuration"]
    assert chunks["chunking_strategy"] == "NONE"
    assert plan['aws_ssm_parameter.contract["documents-provider"]']["value"] == "bedrock"


def test_secret_of_pinecone_is_made_first_and_has_no_value(terraform: Terraform) -> None:
    plan = planned(terraform, knowledge_base="pinecone")
    assert plan["aws_secretsmanager_secret.pinecone[0]"]["name"] == "text2sql-dev/pinecone"
    assert not [address for address in plan if "secret_version.pinecone" in address]
    assert not [address for address in plan if "bedrockagent" in address]


def test_agent_ends_its_session_after_500_seconds_and_is_screened(terraform: Terraform) -> None:
    plan = planned(terraform, enable_bedrock_agent="true", agent_action_lambda_arn=ACTION, **BASE)
    assert plan["aws_bedrockagent_agent_action_group.ask[0]"]["action_group_name"] == "ask_database"
    agent = plan["aws_bedrockagent_agent.this[0]"]
    assert agent["idle_session_ttl_in_seconds"] == 500
    assert len(agent["guardrail_configuration"]) == 1


def test_model_calls_are_logged_only_when_asked_for_encrypted_and_for_a_while(terraform: Terraform) -> None:
    plan = planned(terraform, model_invocation_logging="true")
    (group,) = [
        each for address, each in plan.items() if address.startswith("aws_cloudwatch_log_group.model")
    ]
    assert group["retention_in_days"] == 90


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("password_min_length", "6"),
        ("mfa", "SOMETIMES"),
        ("threat_protection", "ON"),
        ("callback_urls", '["http://ask.example.com/auth/callback"]'),
        ("token_minutes", "1"),
        ("knowledge_base", "opensearch"),
        ("pinecone_connection_string", "index"),
        ("agent_idle_seconds", "10"),
    ],
)
def test_variable_that_cannot_be_meant_is_refused(terraform: Terraform, name: str, value: str) -> None:
    (problem, *_) = terraform.problems(**{name: value})
    assert name in problem
