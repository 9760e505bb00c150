"""The user pool of the local cloud: two users in different groups of the sample shop's policy."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local_cloud import LocalCloud

CLIENT = "text2sql"
ATTRIBUTE = "country"


@dataclass(frozen=True)
class LocalUser:
    """Somebody who can sign in."""

    name: str
    groups: tuple[str, ...]
    sees: str
    """What the policy shows, for people."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    password: str = field(default_factory=lambda: f"Aa1-{secrets.token_urlsafe(12)}", repr=False)


USERS = (
    LocalUser("ada", ("analyst", "editor"), "all tables, people's contact data masked; edits documents"),
    LocalUser("max", ("marketing",), "customers and orders of Germany", {ATTRIBUTE: "Germany"}),
)


class UserPool:
    """A Cognito user pool with one client."""

    def __init__(self, cloud: LocalCloud) -> None:
        """Make the pool, its groups, and the users."""
        self._cloud = cloud
        self._cognito = cloud.client("cognito-idp")
        pool = self._cognito.create_user_pool(
            PoolName=CLIENT,
            Schema=[{"Name": ATTRIBUTE, "AttributeDataType": "String", "Mutable": True}],
        )
        self._pool: str = pool["UserPool"]["Id"]
        client = self._cognito.create_user_pool_client(
            UserPoolId=self._pool, ClientName=CLIENT, ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"]
        )
        self._client: str = client["UserPoolClient"]["ClientId"]
        for user in USERS:
            self._add(user)

    def settings(self) -> dict[str, str]:
        """Return the API's settings for this pool; only its id tokens hold a person's attributes."""
        token = self.token(USERS[0])
        return {
            "TEXT2SQL_API_ISSUER": str(_claims(token)["iss"]),
            "TEXT2SQL_API_JWKS_URL": f"{self._cloud.url}/{self._pool}/.well-known/jwks.json",
            "TEXT2SQL_API_CLIENT_IDS": self._client,
            "TEXT2SQL_API_TOKEN_USE": "id",
            "TEXT2SQL_API_ATTRIBUTE_CLAIMS": f"{ATTRIBUTE}=custom:{ATTRIBUTE}",
        }

    def token(self, user: LocalUser) -> str:
        """Sign a user in and return the id token, which is good for an hour."""
        signed_in = self._cognito.initiate_auth(
            ClientId=self._client,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": user.name, "PASSWORD": user.password},
        )
        return str(signed_in["AuthenticationResult"]["IdToken"])

    def remove_headers(self, folder: Path) -> None:
        """Remove what `write_headers` wrote."""
        for user in USERS:
            header_file(folder, user).unlink(missing_ok=True)

    def write_headers(self, folder: Path) -> None:
        """Sign all users in and write `<name>.header` for `curl -H @file`, for this machine's user alone."""
        for user in USERS:
            path = header_file(folder, user)
            unfinished = path.with_suffix(".unfinished")
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(f"Authorization: Bearer {self.token(user)}\n")
            unfinished.replace(path)

    def _add(self, user: LocalUser) -> None:
        attributes = [{"Name": f"custom:{name}", "Value": text} for name, text in user.attributes.items()]
        self._cognito.admin_create_user(
            UserPoolId=self._pool, Username=user.name, UserAttributes=attributes, MessageAction="SUPPRESS"
        )
        self._cognito.admin_set_user_password(
            UserPoolId=self._pool, Username=user.name, Password=user.password, Permanent=True
        )
        for group in user.groups:
            self._cognito.create_group(UserPoolId=self._pool, GroupName=group)
            self._cognito.admin_add_user_to_group(UserPoolId=self._pool, Username=user.name, GroupName=group)


def header_file(folder: Path, user: LocalUser) -> Path:
    """Return where a user's token is kept."""
    return folder / f"{user.name}.header"


def _claims(token: str) -> dict[str, Any]:
    import jwt

    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims
