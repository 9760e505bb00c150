"""Finds out who sends a request: by a signed token, by the gateway's word, or by this machine's address."""

import hmac
import re
from collections.abc import Mapping
from typing import Any, Protocol

import jwt
from starlette.datastructures import Headers

from text2sql.errors import InvalidSettings
from text2sql_api.errors import Forbidden, Unauthenticated
from text2sql_api.identity import Person
from text2sql_api.keys import KeySet
from text2sql_api.settings import ApiSettings

ACCESS = "access"
TOKEN_CHARACTERS = 8192
SUBJECT_CHARACTERS = 128
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
"""Addresses that only this machine can reach."""
GATEWAY_HEADER = "x-text2sql-gateway"
ARN_HEADER = "x-text2sql-iam-arn"
"""The gateway sets both on the routes that IAM signs for, and takes them from every other request."""
SECRET_CHARACTERS = 16
_IDENTITY = re.compile(r"(arn:[\w-]+:)iam(::\d{12}:)(role|user)/(?:[\w+=,.@/-]*/)?([\w+=,.@-]+)", re.ASCII)
_SESSION = re.compile(r"(arn:[\w-]+:)sts(::\d{12}:)assumed-role/([\w+=,.@-]+)/[\w+=,.@-]+", re.ASCII)


class Authenticator(Protocol):
    """Finds out who sends a request."""

    def authenticate(self, headers: Headers) -> Person:
        """Return who it is; may ask the network, so it is called in a thread.

        Raises:
            Unauthenticated: nobody that is known.
            IdentityUnavailable: that cannot be found out now.
        """
        ...


class TokenAuthenticator:
    """Takes the tokens of one Cognito user pool, signed with RS256 and nothing else."""

    def __init__(self, settings: ApiSettings, keys: KeySet) -> None:
        """Read the settings.

        Raises:
            InvalidSettings: it would take tokens of any client, or an attribute has no claim.
        """
        self._settings = settings
        self._keys = keys
        self._client_ids = tuple(filter(None, map(str.strip, settings.client_ids.split(","))))
        if not self._client_ids:
            raise InvalidSettings(
                "No client is named whose tokens are taken.", remedy="Set TEXT2SQL_API_CLIENT_IDS."
            )
        self._attribute_claims = _read_pairs(
            settings.attribute_claims, "Write TEXT2SQL_API_ATTRIBUTE_CLAIMS=region=custom:region."
        )

    def authenticate(self, headers: Headers) -> Person:
        """Return whom the bearer token names."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise _unauthenticated("There is no bearer token.")
        if len(token) > TOKEN_CHARACTERS:
            raise _unauthenticated("The token is too long.")
        try:
            return self._person(self._claims(token))
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            # Which of the checks failed is nobody's business but the issuer's.
            raise _unauthenticated("The token is not valid here.") from error

    def _claims(self, token: str) -> dict[str, Any]:
        header = jwt.get_unverified_header(token)
        if not isinstance(header.get("kid"), str):
            raise jwt.InvalidKeyError
        claims: dict[str, Any] = jwt.decode(
            token,
            self._keys.key(header["kid"]),
            algorithms=["RS256"],
            issuer=self._settings.issuer,
            leeway=self._settings.clock_skew,
            options={"require": ["exp", "iat", "sub", "token_use"], "verify_aud": False},
        )
        use = claims["token_use"]
        if use != self._settings.token_use:
            raise jwt.InvalidTokenError
        client = claims.get("client_id" if use == ACCESS else "aud")
        if client not in self._client_ids:  # a list is no client id either
            raise jwt.InvalidAudienceError
        return claims

    def _person(self, claims: Mapping[str, Any]) -> Person:
        subject = claims["sub"]
        if not isinstance(subject, str) or not 0 < len(subject) <= SUBJECT_CHARACTERS:
            raise jwt.InvalidTokenError
        # Only a token of the client credentials grant names no user.
        if claims["token_use"] == ACCESS and "username" not in claims:
            return self._machine(subject, str(claims.get("scope", "")).split())
        groups = _texts(claims.get("cognito:groups", []))
        attributes = {
            name: text
            for name, claim in self._attribute_claims.items()
            if (text := _attribute(claims.get(claim))) is not None
        }
        is_admin = self._settings.admin_group in groups
        return Person(
            subject=subject,
            groups=groups,
            attributes=attributes,
            is_admin=is_admin,
            is_editor=_is_editor(self._settings, groups),
            may_measure=is_admin,
        )

    def _machine(self, subject: str, scopes: list[str]) -> Person:
        prefix = self._settings.scope_prefix
        granted = {scope.removeprefix(prefix) for scope in scopes if scope.startswith(prefix)}
        groups = tuple(sorted(name.removeprefix("group.") for name in granted if name.startswith("group.")))
        return Person(
            subject=subject,
            groups=groups,
            is_admin=self._settings.admin_group in groups,
            is_editor=_is_editor(self._settings, groups),
            may_ask="ask" in granted,
            may_measure="metrics" in granted,
        )


class GatewayAuthenticator:
    """Takes the gateway's word for which IAM identity has signed a request, and asks another of the rest.

    Whoever does not know the gateway's secret may send what they like in its headers: nobody reads them.
    """

    def __init__(self, settings: ApiSettings, others: Authenticator) -> None:
        """Read the settings.

        Raises:
            InvalidSettings: the secret is missing or short, or an identity or its groups cannot be read.
        """
        self._others = others
        self._settings = settings
        self._secret = settings.gateway_secret.get_secret_value().encode()
        if len(self._secret) < SECRET_CHARACTERS:
            raise InvalidSettings(
                "The gateway's secret is missing, or short enough to be guessed.",
                remedy=f"Set TEXT2SQL_API_GATEWAY_SECRET to {SECRET_CHARACTERS} characters or more.",
            )
        remedy = "Write TEXT2SQL_API_IAM_GROUPS=arn:aws:iam::123456789012:role/etl=sales+finance."
        self._groups: dict[str, tuple[str, ...]] = {}
        for arn, groups in _read_pairs(settings.iam_groups, remedy).items():
            if (identity := _identity(arn)) is None:
                raise InvalidSettings(f"{arn} is no IAM role or user.", remedy=remedy)
            self._groups[identity] = tuple(groups.split("+"))

    def authenticate(self, headers: Headers) -> Person:
        """Return whom the gateway names, or whom the others find.

        Raises:
            Forbidden: the identity is none of those that have groups.
        """
        arn = headers.get(ARN_HEADER, "")
        given = headers.get(GATEWAY_HEADER, "").encode("latin-1")
        if not (hmac.compare_digest(given, self._secret) and arn):
            return self._others.authenticate(headers)
        identity = _identity(arn)
        if identity is None or identity not in self._groups:
            raise Forbidden(
                "This IAM identity has no groups here.", remedy="Have it added to TEXT2SQL_API_IAM_GROUPS."
            )
        groups = self._groups[identity]
        is_admin = self._settings.admin_group in groups
        is_editor = _is_editor(self._settings, groups)
        return Person(
            subject=identity, groups=groups, is_admin=is_admin, is_editor=is_editor, may_measure=is_admin
        )


class LocalAuthenticator:
    """Takes every request of this machine's user for the same person; only for a loopback address.

    A web page from elsewhere that runs in this machine's browser is refused: it cannot keep its own name
    out of the headers Host and Origin.
    """

    def __init__(self, person: Person) -> None:
        self._person = person

    def authenticate(self, headers: Headers) -> Person:
        """Return the one person."""
        names = [headers.get("host", "")]
        if origin := headers.get("origin"):
            names.append(origin.partition("://")[2])
        if any(_host(name) not in LOOPBACK for name in names):
            raise Unauthenticated("Only this machine is served.", remedy="Ask at http://127.0.0.1.")
        return self._person


def _is_editor(settings: ApiSettings, groups: tuple[str, ...]) -> bool:
    return settings.editor_group in groups or settings.admin_group in groups


def _unauthenticated(message: str) -> Unauthenticated:
    return Unauthenticated(
        message,
        remedy="Send a valid token in the header Authorization.",
        headers={"WWW-Authenticate": "Bearer"},
    )


def _host(name: str) -> str:
    """Return the host of `host:port`; an IPv6 address stands in brackets."""
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.partition(":")[0].lower()


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise TypeError
    return tuple(value)


def _attribute(value: object) -> str | None:
    """Return a claim as the policy reads it; None where that could be read as something else."""
    if isinstance(value, list):
        texts = [each for each in value if isinstance(each, str) and "," not in each]
        return ",".join(texts) if len(texts) == len(value) else None
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int) else None


def _identity(arn: str) -> str | None:
    """Return the role or user without its path, and of a role's session the role; None for others."""
    if session := _SESSION.fullmatch(arn):
        partition, account, name = session.groups()
        return f"{partition}iam{account}role/{name}"
    if found := _IDENTITY.fullmatch(arn):
        partition, account, kind, name = found.groups()
        return f"{partition}iam{account}{kind}/{name}"
    return None


def _read_pairs(text: str, remedy: str) -> dict[str, str]:
    """Read `name=value,name=value`."""
    pairs = [part.strip().partition("=") for part in text.split(",") if part.strip()]
    if not all(name and value for name, _, value in pairs):
        raise InvalidSettings("A name in the settings has no value.", remedy=remedy)
    return {name: value for name, _, value in pairs}
