"""The gateway, and the rule about stopped runs, as the template deploys them into a local cloud.

ministack checks no signature and knows no ARN of who signed; tests/unit/test_template.py holds the mapping.
"""

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from local_cloud import LocalCloud
from processes import free_port
from text2sql.jobs.cloud import CloudJobStore
from text2sql.jobs.port import Job, Submission
from text2sql.jobs.s3 import S3ResultStore

CLOUD = Path(__file__).resolve().parents[2] / ".venv-cloud"
FORGED = {"X-Text2sql-Gateway": "forged", "X-Text2sql-Iam-Arn": "arn:aws:iam::123456789012:role/admin"}
SIGNED = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261122/eu-central-1/execute-api/aws4_request"
}
END_SECONDS = 30.0


class Application(BaseHTTPRequestHandler):
    """Stands for the API, and says what it was asked."""

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"path": self.path, "headers": headers}).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@dataclass
class Deployment:
    """The deployed stack, whose gateway reaches an `Application`."""

    cloud: LocalCloud
    outputs: dict[str, str]

    def get(self, path: str, headers: dict[str, str]) -> tuple[int, Any]:
        """Return the status of a reply, and its JSON."""
        gateway, cloud = urlsplit(self.outputs["GatewayUrl"]), urlsplit(self.cloud.url)
        with closing(http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=10)) as connection:
            connection.request("GET", path, headers={"Host": gateway.netloc, **headers})
            reply = connection.getresponse()
            return reply.status, json.loads(reply.read())


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("gateway")
    with (
        ThreadingHTTPServer(("127.0.0.1", 0), Application) as application,
        LocalCloud(folder, free_port(), CLOUD / "bin" / "python", wait_scale=0.01) as cloud,
    ):
        threading.Thread(target=application.serve_forever, daemon=True).start()
        outputs = cloud.deploy("text2sql", {})
        gateways = cloud.client("apigatewayv2")
        (gateway,) = gateways.get_apis()["Items"]
        for integration in gateways.get_integrations(ApiId=gateway["ApiId"])["Items"]:
            gateways.update_integration(
                ApiId=gateway["ApiId"],
                IntegrationId=integration["IntegrationId"],
                IntegrationUri=f"http://127.0.0.1:{application.server_port}",
            )
        yield Deployment(cloud, outputs)
        application.shutdown()


def test_nobody_claims_to_be_the_gateway(deployment: Deployment) -> None:
    status, asked = deployment.get("/healthz", FORGED)
    assert (status, asked["path"]) == (200, "/healthz")
    assert not {name for name in asked["headers"] if name.startswith("x-text2sql")}


def test_machine_calls_the_api_under_its_own_path_with_the_shared_secret(deployment: Deployment) -> None:
    status, asked = deployment.get("/machine/v1/queries?limit=2", {**SIGNED, **FORGED})
    assert (status, asked["path"]) == (200, "/v1/queries?limit=2")
    secret = deployment.cloud.client("secretsmanager").get_secret_value(SecretId=deployment.cloud.secret)
    assert asked["headers"]["x-text2sql-gateway"] == secret["SecretString"]


@pytest.mark.parametrize(
    ("path", "status"),
    [("/v1/queries", 401), ("/machine/v1/queries", 403), ("/metrics", 404), ("/docs", 404), ("/", 404)],
)
def test_strangers_reach_nothing(deployment: Deployment, path: str, status: int) -> None:
    assert deployment.get(path, FORGED)[0] == status


def test_run_that_its_machine_could_not_begin_ends_its_job(deployment: Deployment) -> None:
    cloud, outputs = deployment.cloud, deployment.outputs
    results = S3ResultStore(outputs["ResultsBucket"], lambda: cloud.client("s3"))
    jobs = CloudJobStore(outputs["JobsTable"], lambda: cloud.client("dynamodb"), results)
    now = datetime.now(UTC)
    asked = Submission(owner="ada", datasource="shop", question="How many?")
    jobs.submit(Job(id="stopped", submission=asked, created_at=now, expires_at=now + timedelta(days=1)), 1)
    cloud.client("stepfunctions").start_execution(
        stateMachineArn=outputs["AnswerQuestionArn"], name="stopped", input="{}"
    )
    end = time.monotonic() + END_SECONDS
    while (job := jobs.find("stopped")) is not None and job.status != "ended":
        assert time.monotonic() < end, "nobody has told RecordOutcome"
        time.sleep(0.05)
    assert job is not None
    assert job.reply is not None
    assert job.reply.error is not None
    assert job.reply.error.code == "JOB_INTERRUPTED"
