"""What is looked at once a stage is deployed, and what is said of a stage that is not well."""

import threading
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from deployed_stage import Stage
from infra.deployment_world import Gateway
from programs import DeploymentFailed
from smoke_checks import check_gateway, check_guardrail

PROBLEM = "application/problem+json"


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def stage() -> Stage:
    session = boto3.Session("AKIDEXAMPLE", "a-secret-key", region_name="eu-central-1")
    return Stage("dev", "123456789012", "eu-central-1", session)


def check(stage: Stage, gateway: Gateway, most: float = 5.0) -> None:
    check_gateway(stage, gateway.url, pause=0.01, most=most)


def test_api_that_starts_is_waited_for(
    stage: Stage, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway.health = [503, 404, 200]
    check(stage, gateway)
    assert capsys.readouterr().out.count("not yet") == 2


def test_api_that_does_not_get_well_is_told_with_where_to_look(stage: Stage, gateway: Gateway) -> None:
    gateway.health = [503]
    with pytest.raises(DeploymentFailed, match=r"not well in 0 s: 503\. See docs/operations/troubleshooting"):
        check(stage, gateway, most=0.05)


def test_gateway_that_is_not_there_is_told(stage: Stage) -> None:
    with pytest.raises(DeploymentFailed, match=r"no reply \(ConnectError\)"):
        check_gateway(stage, "http://127.0.0.1:9", pause=0.01, most=0.05)


@pytest.mark.parametrize("status", [200, 403, 500])
def test_stranger_who_is_not_refused_for_want_of_a_token_is_told(
    stage: Stage, gateway: Gateway, status: int
) -> None:
    gateway.stranger = status
    with pytest.raises(DeploymentFailed, match=f"Without a token, .* is {status} and not 401"):
        check(stage, gateway)


@pytest.mark.parametrize(
    "reply", [(200, "application/json", {"queries": []}), (403, PROBLEM, {"code": "FORBIDDEN"})]
)
def test_api_that_knows_the_identity_or_does_not_is_well(
    stage: Stage, gateway: Gateway, reply: tuple[int, str, dict[str, Any]]
) -> None:
    gateway.signed = reply
    check(stage, gateway)
    path, headers = gateway.asked[-1]
    assert path == "/machine/v1/queries"
    assert headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert "/eu-central-1/execute-api/aws4_request" in headers["Authorization"]


@pytest.mark.parametrize(
    "reply",
    [
        (401, PROBLEM, {"code": "UNAUTHORIZED"}),  # gateway and API have not the same secret
        (403, "application/json", {"message": "Forbidden"}),  # the gateway itself
        (503, "application/json", {"message": "Service Unavailable"}),
    ],
)
def test_api_that_does_not_believe_the_gateway_is_told(
    stage: Stage, gateway: Gateway, reply: tuple[int, str, dict[str, Any]]
) -> None:
    gateway.signed = reply
    with pytest.raises(DeploymentFailed, match=f"Signed as you, .* is {reply[0]}"):
        check(stage, gateway)


def test_guardrail_that_lets_personal_data_through_is_told(stage: Stage, gateway: Gateway) -> None:
    client = stage.session.client("bedrock-runtime", endpoint_url=gateway.url)
    check_guardrail(id="abc123", version="1", client=client)
    assert gateway.asked[-1][0] == "/guardrail/abc123/version/1/apply"
    gateway.guardrail = "NONE"
    with pytest.raises(DeploymentFailed, match="lets a social security number through"):
        check_guardrail(id="abc123", version="1", client=client)
