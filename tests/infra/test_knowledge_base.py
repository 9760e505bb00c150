"""The knowledge base, the model, its log and the classic agent, and what the template is told of them."""

import json
import re
import shutil
from pathlib import Path
from typing import Any, TypeAlias

import botocore.session
import pytest
import yaml

from infra.bedrock_model import unlike
from infra.terraform import CORE, Terraform, core, planned, resources
from text2sql.documents.bedrock import SECTIONS
from text2sql.documents.titan import TitanEmbeddings
from text2sql.generation.bedrock import DEFAULT_MODEL

Made: TypeAlias = dict[str, dict[str, Any]]
"""Resources by their addresses."""

BUCKET = "text2sql-prod-knowledge-1a2b3c"
HOST = "https://text2sql-1a2b3c.svc.aped-4627-b74a.pinecone.io"
FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:answer-agent"
KEY = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
BASE = {"knowledge_base": "pinecone", "pinecone_connection_string": HOST, "knowledge_bucket": BUCKET}
FULL = {
    **BASE,
    "stage": "prod",
    "model_invocation_logging": "true",
    "enable_bedrock_agent": "true",
    "agent_action_lambda_arn": FUNCTION,
    "agent_kms_key_arn": KEY,
}
"""All that can be switched on."""

MODEL_ARN = "arn:aws:bedrock:eu-central-1::foundation-model/"
PROFILE_ARN = "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/"


def prepared(folder: Path, providers: str) -> Terraform:
    """Return Terraform in a copy that may be applied from."""
    shutil.copy(CORE.parent / "guardrail.yaml", folder)
    return core(folder / "terraform-core", providers)


def applied(terraform: Terraform, **variables: str) -> Made:
    """Return what was made, and would not be made otherwise by a second run."""
    said = terraform.run("apply", "-auto-approve", "-input=false", **variables)
    assert said.returncode == 0, said
    again = terraform.run("plan", "-detailed-exitcode", "-input=false", **variables)
    assert again.returncode == 0, again.stdout
    return resources(terraform.state()["values"])


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory, providers: str) -> Made:
    """Return what is made with all that can be switched on."""
    return applied(prepared(tmp_path_factory.mktemp("full"), providers), **FULL)


@pytest.fixture(scope="module")
def trial(terraform: Terraform) -> Made:
    """Return what a first run plans."""
    return planned(terraform)


def told(made: Made) -> dict[str, str]:
    """Return what the parameters say that the template reads, by their names."""
    named = re.compile(r'aws_ssm_parameter\.contract\["((?:model|knowledge|documents)-[a-z-]+)"\]')
    return {found[1]: each["value"] for address, each in made.items() if (found := named.fullmatch(address))}


def of_ours(made: Made, *kinds: str) -> set[str]:
    return {address for address in made if address.split(".")[0].startswith(kinds)}


def statements(policy: str) -> dict[str, dict[str, Any]]:
    return {each["Sid"]: each for each in json.loads(policy)["Statement"]}


def written(value: Any) -> Any:
    """Return a planned value as the service would be sent it: a block is an object, and nothing is unset."""
    if isinstance(value, dict):
        return {name: written(each) for name, each in value.items() if each not in (None, [])}
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
        return written(value[0])
    return value


def mistakes(operation: str, member: str, value: Any) -> list[str]:
    """Return what botocore's model of Bedrock has against a planned value."""
    service = botocore.session.get_session().get_service_model("bedrock-agent")
    shape = service.operation_model(operation).input_shape.members[member]
    return unlike(shape, written(value), member)


# ── without a word ───────────────────────────────────────────────────────────────────────────────


def test_first_run_makes_nothing_of_pinecone_of_the_agent_or_of_the_models_log(trial: Made) -> None:
    assert of_ours(trial, "aws_bedrockagent_", "aws_bedrock_model_", "aws_lambda_") == set()
    assert not any("pinecone" in address or "knowledge_base" in address for address in trial)
    assert not any("agent" in address or "model_logging" in address for address in trial)


def test_without_a_knowledge_base_documents_are_searched_in_the_functions(trial: Made) -> None:
    said = told(trial)
    assert said["documents-provider"] == "local"
    assert said["knowledge-base-id"] == said["knowledge-source-id"] == "none"
    # A policy takes nothing but an ARN.
    assert said["knowledge-base-arn"] == "arn:aws:bedrock:eu-central-1:123456789012:knowledge-base/none"


def test_no_parameter_is_empty_which_ssm_would_refuse(trial: Made, full: Made) -> None:
    assert told(trial).keys() == told(full).keys()
    assert len(told(trial)) == 7
    assert all([*told(trial).values(), *told(full).values()])


# ── the knowledge base ───────────────────────────────────────────────────────────────────────────


def test_before_its_host_is_told_the_secret_alone_is_made(terraform: Terraform) -> None:
    made = planned(terraform, knowledge_base="pinecone")
    assert "aws_secretsmanager_secret.pinecone[0]" in made
    assert of_ours(made, "aws_bedrockagent_") == set()
    assert "aws_iam_role.knowledge_base[0]" not in made
    assert told(made)["documents-provider"] == "local"


def test_pinecones_key_is_in_no_state(full: Made) -> None:
    secret = full["aws_secretsmanager_secret.pinecone[0]"]
    assert secret["kms_key_id"]
    assert not any("secret_version.pinecone" in address for address in full)
    assert secret["name"] == "text2sql-prod/pinecone"


def test_sections_are_embedded_as_text2sql_does_it_itself(full: Made) -> None:
    (configuration,) = full["aws_bedrockagent_knowledge_base.this[0]"]["knowledge_base_configuration"]
    (vectors,) = configuration["vector_knowledge_base_configuration"]
    (model,) = vectors["embedding_model_configuration"][0]["bedrock_embedding_model_configuration"]
    assert vectors["embedding_model_arn"] == f"{MODEL_ARN}{TitanEmbeddings.model}"
    assert TitanEmbeddings.model == "amazon.titan-embed-text-v2:0"
    assert model["dimensions"] == TitanEmbeddings.dimension == 1024


def test_vectors_are_kept_at_pinecone(full: Made) -> None:
    (storage,) = full["aws_bedrockagent_knowledge_base.this[0]"]["storage_configuration"]
    (pinecone,) = storage["pinecone_configuration"]
    assert (storage["type"], pinecone["connection_string"]) == ("PINECONE", HOST)
    assert pinecone["credentials_secret_arn"] == full["aws_secretsmanager_secret.pinecone[0]"]["arn"]
    assert pinecone["namespace"] == "text2sql"
    assert pinecone["field_mapping"] == [{"text_field": "text", "metadata_field": "metadata"}]


def test_namespace_and_fields_of_the_index_can_be_others(terraform: Terraform) -> None:
    fields = '{text = "body", metadata = "about"}'
    made = planned(terraform, **BASE, pinecone_namespace="shop", pinecone_fields=fields)
    (storage,) = made["aws_bedrockagent_knowledge_base.this[0]"]["storage_configuration"]
    (pinecone,) = storage["pinecone_configuration"]
    assert pinecone["namespace"] == "shop"
    assert pinecone["field_mapping"] == [{"text_field": "body", "metadata_field": "about"}]


def test_data_source_reads_whole_sections_where_text2sql_writes_them(full: Made) -> None:
    source = full["aws_bedrockagent_data_source.sections[0]"]
    (ingestion,) = source["vector_ingestion_configuration"]
    (bucket,) = source["data_source_configuration"][0]["s3_configuration"]
    assert ingestion["chunking_configuration"][0]["chunking_strategy"] == "NONE"
    assert bucket["inclusion_prefixes"] == [SECTIONS]
    assert bucket["bucket_arn"] == f"arn:aws:s3:::{BUCKET}"
    assert bucket["bucket_owner_account_id"] == "123456789012"
    assert source["data_deletion_policy"] == "DELETE"
    assert source["knowledge_base_id"] == full["aws_bedrockagent_knowledge_base.this[0]"]["id"]


def test_bedrock_takes_what_is_planned_of_the_knowledge_base(terraform: Terraform) -> None:
    made = planned(terraform, **BASE)
    base = made["aws_bedrockagent_knowledge_base.this[0]"]
    source = made["aws_bedrockagent_data_source.sections[0]"]["vector_ingestion_configuration"]
    vectors = base["knowledge_base_configuration"]
    assert mistakes("CreateKnowledgeBase", "name", base["name"]) == []
    assert mistakes("CreateKnowledgeBase", "knowledgeBaseConfiguration", vectors) == []
    assert mistakes("CreateDataSource", "vectorIngestionConfiguration", source) == []
    assert mistakes("CreateDataSource", "vectorIngestionConfiguration", {"chunking_configuration": {}}) != []


def test_knowledge_base_may_read_its_sections_its_model_and_its_key_alone(full: Made) -> None:
    policy = statements(full["aws_iam_role_policy.knowledge_base[0]"]["policy"])
    secret = full["aws_secretsmanager_secret.pinecone[0]"]["arn"]
    allowed = {sid: (each["Action"], each["Resource"]) for sid, each in policy.items()}
    assert allowed == {
        "EmbedSections": ("bedrock:InvokeModel", f"{MODEL_ARN}{TitanEmbeddings.model}"),
        "ListSections": ("s3:ListBucket", f"arn:aws:s3:::{BUCKET}"),
        "ReadSections": ("s3:GetObject", f"arn:aws:s3:::{BUCKET}/{SECTIONS}*"),
        "ReadPineconeKey": ("secretsmanager:GetSecretValue", secret),
        "DecryptPineconeKey": ("kms:Decrypt", full['aws_kms_key.this["database"]']["arn"]),
    }
    assert policy["ListSections"]["Condition"]["StringLike"] == {"s3:prefix": f"{SECTIONS}*"}
    for sid in ("ListSections", "ReadSections"):
        assert policy[sid]["Condition"]["StringEquals"] == {"aws:ResourceAccount": "123456789012"}
    assert policy["DecryptPineconeKey"]["Condition"]["StringEquals"] == {
        "kms:EncryptionContext:SecretARN": secret,
        "kms:ViaService": "secretsmanager.eu-central-1.amazonaws.com",
    }


@pytest.mark.parametrize(
    ("role", "source"),
    [
        ("knowledge_base", "knowledge-base/*"),
        ("model_logging", "*"),
        ("agent", "agent/*"),
    ],
)
def test_role_is_bedrocks_for_this_account_alone(full: Made, role: str, source: str) -> None:
    (assume,) = statements(full[f"aws_iam_role.{role}[0]"]["assume_role_policy"]).values()
    assert assume["Principal"] == {"Service": "bedrock.amazonaws.com"}
    assert assume["Condition"] == {
        "ArnLike": {"aws:SourceArn": f"arn:aws:bedrock:eu-central-1:123456789012:{source}"},
        "StringEquals": {"aws:SourceAccount": "123456789012"},
    }


def test_template_is_told_of_the_knowledge_base(full: Made) -> None:
    said = told(full)
    base = full["aws_bedrockagent_knowledge_base.this[0]"]
    assert said["documents-provider"] == "bedrock"
    assert said["knowledge-base-id"] == base["id"]
    assert said["knowledge-base-arn"] == base["arn"]
    source = full["aws_bedrockagent_data_source.sections[0]"]["data_source_id"]
    assert said["knowledge-source-id"] == source


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        ({"knowledge_base": "opensearch"}, "knowledge_base must be none or pinecone"),
        ({**BASE, "knowledge_base": "none"}, 'needs knowledge_base = "pinecone" and knowledge_bucket'),
        (
            {"knowledge_base": "pinecone", "pinecone_connection_string": HOST},
            'needs knowledge_base = "pinecone" and knowledge_bucket',
        ),
        ({**BASE, "pinecone_connection_string": "http://x.pinecone.io"}, "must be like https://"),
        ({**BASE, "pinecone_connection_string": "https://pinecone.io.example.com"}, "must be like https://"),
        ({**BASE, "knowledge_bucket": "s3://bucket"}, "knowledge_bucket must be the name of a bucket"),
    ],
)
def test_knowledge_base_that_is_told_wrongly_is_refused(
    terraform: Terraform, variables: dict[str, str], problem: str
) -> None:
    assert [problem in each for each in terraform.problems(**variables)] == [True]


# ── the model ────────────────────────────────────────────────────────────────────────────────────


def test_model_is_the_one_that_text2sql_takes_itself(trial: Made) -> None:
    said = told(trial)
    assert (said["model-provider"], said["model-name"]) == ("bedrock", DEFAULT_MODEL)
    assert said["model-arns"].split(",") == [
        f"{PROFILE_ARN}{DEFAULT_MODEL}",
        f"{MODEL_ARN}{DEFAULT_MODEL.removeprefix('global.')}",
        f"arn:aws:bedrock:::foundation-model/{DEFAULT_MODEL.removeprefix('global.')}",
    ]


@pytest.mark.parametrize(
    ("variables", "arns"),
    [
        (
            {"model_name": "anthropic.claude-3-haiku-20240307-v1:0"},
            [f"{MODEL_ARN}anthropic.claude-3-haiku-20240307-v1:0"],
        ),
        (
            {"model_name": "eu.anthropic.claude-x", "model_regions": '["eu-central-1", "eu-west-1"]'},
            [
                f"{PROFILE_ARN}eu.anthropic.claude-x",
                f"{MODEL_ARN}anthropic.claude-x",
                "arn:aws:bedrock:eu-west-1::foundation-model/anthropic.claude-x",
            ],
        ),
        (
            {"model_name": "us-gov.anthropic.claude-x"},
            [
                f"{PROFILE_ARN}us-gov.anthropic.claude-x",
                "arn:aws:bedrock:*::foundation-model/anthropic.claude-x",
            ],
        ),
        (
            {
                "model_name": "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/a1",
                "model_arns": f'["{MODEL_ARN}anthropic.claude-x"]',
            },
            [f"{MODEL_ARN}anthropic.claude-x"],
        ),
    ],
    ids=["model", "profile of two Regions", "profile", "ARN"],
)
def test_model_may_be_called_by_its_profile_and_where_that_sends_it(
    terraform: Terraform, variables: dict[str, str], arns: list[str]
) -> None:
    assert told(planned(terraform, **variables))["model-arns"].split(",") == arns


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        ({"model_name": "gpt-4"}, "model_name must be like"),
        ({"model_name": "claude-sonnet-4-6"}, "model_name must be like"),
        ({"model_name": f"{PROFILE_ARN}eu.anthropic.claude-x"}, "model_arns must tell"),
        ({"model_arns": f'["{MODEL_ARN}*"]'}, "without a star in their names"),
        ({"model_arns": '["*"]'}, "must be ARNs of models"),
        ({"model_regions": '["Frankfurt"]'}, "model_regions must be names of Regions"),
    ],
)
def test_model_that_is_told_wrongly_is_refused(
    terraform: Terraform, variables: dict[str, str], problem: str
) -> None:
    assert [problem in each for each in terraform.problems(**variables)] == [True]


# ── the log of the model's calls ─────────────────────────────────────────────────────────────────


def test_calls_of_the_model_are_logged_encrypted_and_forgotten(full: Made) -> None:
    group = full["aws_cloudwatch_log_group.model[0]"]
    (logging,) = full["aws_bedrock_model_invocation_logging_configuration.this[0]"]["logging_config"]
    (target,) = logging["cloudwatch_config"]
    assert group["kms_key_id"]
    assert group["retention_in_days"] == 90
    assert target["log_group_name"] == group["name"] == "/text2sql-prod/model-invocations"
    assert logging["text_data_delivery_enabled"] is True
    assert [logging[f"{kind}_data_delivery_enabled"] for kind in ("embedding", "image", "video")] == [
        False
    ] * 3


def test_bedrock_may_write_to_that_log_alone(full: Made) -> None:
    policy = statements(full["aws_iam_role_policy.model_logging[0]"]["policy"])
    group = full["aws_cloudwatch_log_group.model[0]"]["arn"]
    assert policy.keys() == {"WriteModelInvocations"}
    write = policy["WriteModelInvocations"]
    assert write["Resource"] == f"{group}:log-stream:aws/bedrock/modelinvocations"
    assert write["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]


# ── the classic agent ────────────────────────────────────────────────────────────────────────────


def test_agent_forgets_after_500_seconds_and_is_held_by_the_guardrail(full: Made) -> None:
    agent = full["aws_bedrockagent_agent.this[0]"]
    assert agent["idle_session_ttl_in_seconds"] == 500
    assert agent["foundation_model"] == DEFAULT_MODEL
    assert agent["customer_encryption_key_arn"] == KEY
    assert agent["guardrail_configuration"] == [
        {
            "guardrail_identifier": full["aws_bedrock_guardrail.this"]["guardrail_id"],
            "guardrail_version": full["aws_bedrock_guardrail_version.this"]["version"],
        }
    ]


def test_bedrock_takes_what_is_planned_of_the_agent(full: Made) -> None:
    agent = full["aws_bedrockagent_agent.this[0]"]
    for member, name in {
        "agentName": "agent_name",
        "description": "description",
        "foundationModel": "foundation_model",
        "instruction": "instruction",
    }.items():
        assert mistakes("CreateAgent", member, agent[name]) == []
    assert mistakes("CreateAgent", "instruction", "too short") != []


def test_agent_may_call_its_model_guardrail_and_knowledge_base_alone(full: Made) -> None:
    policy = statements(full["aws_iam_role_policy.agent[0]"]["policy"])
    assert policy.keys() == {"AskModel", "ApplyGuardrail", "SeeProfile", "SearchDocuments", "UseKey"}
    assert f"{PROFILE_ARN}{DEFAULT_MODEL}" in policy["AskModel"]["Resource"]
    assert policy["SeeProfile"]["Resource"] == [f"{PROFILE_ARN}{DEFAULT_MODEL}"]
    assert policy["SearchDocuments"]["Resource"] == full["aws_bedrockagent_knowledge_base.this[0]"]["arn"]
    assert policy["ApplyGuardrail"]["Resource"] == full["aws_bedrock_guardrail.this"]["guardrail_arn"]


def test_agent_asks_the_function_that_is_named_and_that_lets_no_other_in(full: Made) -> None:
    action = full["aws_bedrockagent_agent_action_group.ask[0]"]
    permission = full["aws_lambda_permission.agent[0]"]
    assert action["action_group_executor"] == [{"custom_control": None, "lambda": FUNCTION}]
    assert (permission["function_name"], permission["principal"]) == (FUNCTION, "bedrock.amazonaws.com")
    assert permission["source_arn"] == full["aws_bedrockagent_agent.this[0]"]["agent_arn"]
    assert permission["source_account"] == "123456789012"


def test_agent_asks_as_the_api_is_asked(full: Made) -> None:
    action = yaml.safe_load(full["aws_bedrockagent_agent_action_group.ask[0]"]["api_schema"][0]["payload"])
    api = json.loads((CORE.parent / "docs" / "openapi.json").read_text("utf-8"))
    (path,) = action["paths"]
    (method,) = action["paths"][path]
    ours, theirs = action["paths"][path][method], api["paths"][path][method]
    schemas = api["components"]["schemas"]
    sent = ours["requestBody"]["content"]["application/json"]["schema"]
    assert ours["operationId"] == theirs["operationId"]
    assert ours["description"]
    assert sent["required"] == schemas["AskShort"]["required"]
    assert sent["properties"].keys() <= schemas["AskShort"]["properties"].keys()
    got = ours["responses"]["200"]["content"]["application/json"]["schema"]["properties"]
    assert got.keys() <= schemas["QueryView"]["properties"].keys()
    answer = schemas["AnswerView"]["properties"]
    assert got["answer"]["properties"].keys() <= answer.keys()
    outcomes = re.findall(r"\w+", got["answer"]["properties"]["outcome"]["description"].replace(" or ", " "))
    assert outcomes == answer["outcome"]["enum"]


def test_agent_searches_the_knowledge_base_and_is_called_by_an_alias(full: Made) -> None:
    agent = full["aws_bedrockagent_agent.this[0]"]["agent_id"]
    association = full["aws_bedrockagent_agent_knowledge_base_association.this[0]"]
    base = full["aws_bedrockagent_knowledge_base.this[0]"]["id"]
    assert association["knowledge_base_id"] == base
    assert association["knowledge_base_state"] == "ENABLED"
    assert full["aws_bedrockagent_agent_alias.live[0]"]["agent_id"] == agent == association["agent_id"]


def test_agent_without_function_and_knowledge_base_has_neither(terraform: Terraform) -> None:
    made = planned(terraform, enable_bedrock_agent="true", agent_idle_seconds="60")
    assert of_ours(made, "aws_bedrockagent_", "aws_lambda_") == {
        "aws_bedrockagent_agent.this[0]",
        "aws_bedrockagent_agent_alias.live[0]",
    }
    assert made["aws_bedrockagent_agent.this[0]"]["idle_session_ttl_in_seconds"] == 60


def test_alias_takes_up_what_the_agent_has_become(tmp_path: Path, providers: str) -> None:
    terraform = prepared(tmp_path, providers)
    applied(terraform, enable_bedrock_agent="true")
    changes = terraform.plan(enable_bedrock_agent="true", agent_idle_seconds="60")["resource_changes"]
    done = {each["address"]: each["change"]["actions"] for each in changes}
    assert done["aws_bedrockagent_agent.this[0]"] == ["update"]
    assert done["aws_bedrockagent_agent_alias.live[0]"] == ["delete", "create"]
    changes = terraform.plan(enable_bedrock_agent="true", agent_action_lambda_arn=FUNCTION)[
        "resource_changes"
    ]
    done = {each["address"]: each["change"]["actions"] for each in changes}
    assert done["aws_bedrockagent_agent.this[0]"] == ["no-op"]
    assert done["aws_bedrockagent_agent_alias.live[0]"] == ["delete", "create"]


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        ({"agent_idle_seconds": "59"}, "agent_idle_seconds must be a whole number from 60 to 5400"),
        ({"agent_idle_seconds": "5401"}, "agent_idle_seconds must be a whole number from 60 to 5400"),
        (
            {"agent_action_lambda_arn": "answer-agent"},
            "agent_action_lambda_arn must be the ARN of a function",
        ),
        ({"agent_kms_key_arn": "alias/x"}, "agent_kms_key_arn must be the ARN of a KMS key"),
    ],
)
def test_agent_that_is_told_wrongly_is_refused(
    terraform: Terraform, variables: dict[str, str], problem: str
) -> None:
    assert [problem in each for each in terraform.problems(**variables)] == [True]
