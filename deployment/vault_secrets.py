"""HashiCorp Vault as the source of the secrets that Terraform is given, which stand in no state."""

import ssl
from collections.abc import Mapping
from pathlib import Path

import httpx

from programs import DeploymentFailed

NAMES = ("admin_password", "gateway_secret", "reader_password")
"""Variables of terraform-core that are never in its state; each has a version, which here is Vault's own."""
SECONDS = 10.0


def read_vault(path: str, given: Mapping[str, str], home: Path) -> dict[str, str]:
    """Return the variables for Terraform that a secret of Vault's key/value engine, version 2, holds.

    Args:
        path: where the engine is mounted and the secret in it, such as secret/text2sql.
        given: the environment, with VAULT_ADDR, and VAULT_TOKEN unless `vault login` has kept one.
        home: the folder where `vault login` keeps it.

    Raises:
        DeploymentFailed: Vault cannot be reached, refuses, or holds none of them there.
    """
    mount, _, name = path.strip("/").partition("/")
    if not given.get("VAULT_ADDR") or not name:
        raise DeploymentFailed(
            "Set VAULT_ADDR, and say VAULT=secret/text2sql: the engine, and the secret in it."
        )
    url = f"{given['VAULT_ADDR'].rstrip('/')}/v1/{mount}/data/{name}"
    headers = {"X-Vault-Token": _token(given, home), "X-Vault-Namespace": given.get("VAULT_NAMESPACE", "")}
    trusted = ssl.create_default_context(cafile=given.get("VAULT_CACERT") or None)
    try:
        reply = httpx.get(
            url,
            headers={key: value for key, value in headers.items() if value},
            timeout=SECONDS,
            verify=trusted,
        )
    except httpx.TransportError as error:
        raise DeploymentFailed(f"Vault is not reached at {given['VAULT_ADDR']}: {error}.") from error
    if reply.status_code != httpx.codes.OK:
        raise DeploymentFailed(
            f"Vault does not give {path}: {reply.status_code}. "
            "Sign in with `vault login`, and see that your policy reads it."
        )
    secret = reply.json()["data"]
    found = {key: str(value) for key, value in secret["data"].items() if key in NAMES}
    if not found:
        raise DeploymentFailed(f"Vault's {path} holds none of {', '.join(NAMES)}.")
    version = str(secret["metadata"]["version"])
    print(f"Vault gives {', '.join(sorted(found))}, version {version}.")
    return {f"TF_VAR_{key}": value for key, value in found.items()} | {
        f"TF_VAR_{key}_version": version for key in found
    }


def _token(given: Mapping[str, str], home: Path) -> str:
    kept = home / ".vault-token"
    token = given.get("VAULT_TOKEN") or (kept.read_text("utf-8").strip() if kept.is_file() else "")
    if not token:
        raise DeploymentFailed("Vault wants a token. Run `vault login`, or set VAULT_TOKEN.")
    return token
