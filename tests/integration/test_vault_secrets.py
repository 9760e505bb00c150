"""Secrets of Vault's key/value engine, from a server that answers as its documentation says."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from programs import DeploymentFailed
from vault_secrets import read_vault

TOKEN = "hvs.of-the-tests"
HELD = {"gateway_secret": "a-word-of-the-gateway-1", "pinecone_key": "other"}


class Vault(ThreadingHTTPServer):
    """One secret at secret/text2sql/dev, for whoever has the token."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.held: dict[str, str] = dict(HELD)
        self.namespaces: list[str | None] = []


class _Answers(BaseHTTPRequestHandler):
    server: Vault

    def do_GET(self) -> None:
        self.server.namespaces.append(self.headers.get("X-Vault-Namespace"))
        status, body = 200, {"data": {"data": self.server.held, "metadata": {"version": 3}}}
        if self.headers.get("X-Vault-Token") != TOKEN:
            status, body = 403, {"errors": ["permission denied"]}  # type: ignore[dict-item]
        elif self.path != "/v1/secret/data/text2sql/dev":
            status, body = 404, {"errors": []}  # type: ignore[dict-item]
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def vault() -> Iterator[Vault]:
    with Vault() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def environment(vault: Vault, **changes: str) -> dict[str, str]:
    return {"VAULT_ADDR": f"http://127.0.0.1:{vault.server_port}/", "VAULT_TOKEN": TOKEN, **changes}


def test_secrets_that_terraform_knows_are_given_with_vaults_version(vault: Vault, tmp_path: Path) -> None:
    assert read_vault("secret/text2sql/dev", environment(vault), tmp_path) == {
        "TF_VAR_gateway_secret": HELD["gateway_secret"],
        "TF_VAR_gateway_secret_version": "3",
    }
    assert vault.namespaces == [None]


def test_token_that_was_kept_at_the_login_is_taken(vault: Vault, tmp_path: Path) -> None:
    (tmp_path / ".vault-token").write_text(f"{TOKEN}\n", "utf-8")
    given = environment(vault, VAULT_TOKEN="", VAULT_NAMESPACE="data")
    assert read_vault("secret/text2sql/dev", given, tmp_path)
    assert vault.namespaces == ["data"]


def test_secrets_are_not_printed(vault: Vault, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    read_vault("secret/text2sql/dev", environment(vault), tmp_path)
    printed = capsys.readouterr().out
    assert printed == "Vault gives gateway_secret, version 3.\n"


@pytest.mark.parametrize(
    ("path", "changes", "told"),
    [
        ("secret/text2sql/dev", {"VAULT_ADDR": ""}, "Set VAULT_ADDR"),
        ("secret", {}, "VAULT=secret/text2sql"),
        ("secret/text2sql/dev", {"VAULT_TOKEN": ""}, "vault login"),
        ("secret/text2sql/dev", {"VAULT_TOKEN": "wrong"}, "does not give secret/text2sql/dev: 403"),
        ("secret/elsewhere", {}, "does not give secret/elsewhere: 404"),
        ("secret/text2sql/dev", {"VAULT_ADDR": "http://127.0.0.1:9"}, "not reached at http://127.0.0.1:9"),
    ],
)
def test_vault_that_gives_nothing_is_told(
    vault: Vault, tmp_path: Path, path: str, changes: dict[str, str], told: str
) -> None:
    with pytest.raises(DeploymentFailed, match=told):
        read_vault(path, environment(vault, **changes), tmp_path)


def test_secret_without_what_terraform_takes_is_told(vault: Vault, tmp_path: Path) -> None:
    vault.held = {"pinecone_key": "other"}
    with pytest.raises(DeploymentFailed, match="none of admin_password, gateway_secret, reader_password"):
        read_vault("secret/text2sql/dev", environment(vault), tmp_path)


def test_variables_are_those_of_terraform_that_no_state_keeps(repository: Path) -> None:
    from vault_secrets import NAMES

    texts = "".join(path.read_text("utf-8") for path in (repository / "terraform-core").glob("variables*.tf"))
    ephemeral: list[Any] = [
        block.partition('"')[0] for block in texts.split('variable "')[1:] if "ephemeral   = true" in block
    ]
    assert sorted(ephemeral) == sorted(NAMES)
    assert all(f'variable "{name}_version"' in texts for name in NAMES)
