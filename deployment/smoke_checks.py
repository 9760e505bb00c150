"""Whether a deployed stage answers, and refuses whom it must; no question is asked, for that takes a user."""

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from deployed_stage import Stage
from programs import DeploymentFailed, say

START_SECONDS = 600.0
"""How long the first tasks may take: to be placed, to fetch their image, and to be found healthy."""
PAUSE_SECONDS = 10.0
PERSONAL = "What did the customer with 123-45-6789 order?"
OURS = "application/problem+json"
"""How our API refuses; the gateway itself does so as application/json."""


def check_gateway(
    stage: Stage, url: str, *, pause: float = PAUSE_SECONDS, most: float = START_SECONDS
) -> None:
    """Make sure that the API is well, that strangers are refused, and that the API believes the gateway.

    Raises:
        DeploymentFailed: one of that does not hold.
    """
    with httpx.Client(base_url=url, timeout=35.0) as client:
        say("The API is asked after its health")
        _wait_until_well(client, pause, most)
        refused = client.get("/v1/queries").status_code
        if refused != httpx.codes.UNAUTHORIZED:
            raise DeploymentFailed(f"Without a token, GET {url}/v1/queries is {refused} and not 401.")
        signed = _signed(stage, f"{url}/machine/v1/queries")
        known = client.get("/machine/v1/queries", headers=signed)
    if known.status_code not in {httpx.codes.OK, httpx.codes.FORBIDDEN} or not _is_ours(known):
        raise DeploymentFailed(
            f"Signed as you, GET {url}/machine/v1/queries is {known.status_code}: {known.text[:200]}. "
            "It should reach the API, which knows you (200) or not (403). Where it is 401, the API and the "
            "gateway have not the same secret; see docs/cloud.md#the-gateway."
        )


def check_guardrail(*, id: str, version: str, client: Any) -> None:  # noqa: A002 — Terraform's output
    """Make sure that the guardrail of Bedrock stops or masks a social security number.

    Raises:
        DeploymentFailed: it does not.
    """
    say("The guardrail is shown a social security number")
    said = client.apply_guardrail(
        guardrailIdentifier=id,
        guardrailVersion=version,
        source="INPUT",
        content=[{"text": {"text": PERSONAL}}],
    )
    if said["action"] != "GUARDRAIL_INTERVENED":
        raise DeploymentFailed(f"The guardrail {id} lets a social security number through: {said['action']}.")


def _wait_until_well(client: httpx.Client, pause: float, most: float) -> None:
    end = time.monotonic() + most
    while (trouble := _trouble(lambda: client.get("/healthz"))) and time.monotonic() < end:
        print(f"  not yet: {trouble}", flush=True)
        time.sleep(pause)
    if trouble:
        raise DeploymentFailed(
            f"GET {client.base_url}/healthz was not well in {most:.0f} s: {trouble}. "
            "See docs/operations/troubleshooting.md."
        )


def _trouble(get: Callable[[], httpx.Response]) -> str:
    try:
        status = get().status_code
    except httpx.TransportError as error:
        return f"no reply ({type(error).__name__})"
    return "" if status == httpx.codes.OK else str(status)


def _signed(stage: Stage, url: str) -> dict[str, str]:
    request = AWSRequest("GET", url, headers={"Host": urlsplit(url).netloc})
    SigV4Auth(stage.session.get_credentials(), "execute-api", stage.region).add_auth(request)
    return dict(request.headers)


def _is_ours(reply: httpx.Response) -> bool:
    """Tell whether the API itself has answered."""
    if reply.status_code == httpx.codes.OK:
        return True
    try:
        return reply.headers.get("content-type") == OURS and "code" in reply.json()
    except json.JSONDecodeError:
        return False
