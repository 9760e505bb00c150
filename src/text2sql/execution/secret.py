"""The database's account in AWS Secrets Manager, read anew every five minutes: it may be rotated."""

import json
from dataclasses import dataclass, field

from pydantic import SecretStr

from text2sql.errors import DatabaseUnavailable, InvalidSettings
from text2sql.execution.url import MysqlUrl

FRESH_SECONDS = 300


@dataclass(frozen=True)
class Account:
    """Who signs in at a database."""

    user: str
    """Nothing where the secret names nobody; a rotation may take turns between two."""
    password: str = field(repr=False)

    def at(self, url: MysqlUrl) -> MysqlUrl:
        """Return the URL with this account in place of its own."""
        named = {"user": self.user} if self.user else {}
        return url.model_copy(update={**named, "password": SecretStr(self.password)})


def read_account(secret: str) -> Account:
    """Return `username` and `password` of the JSON object that the secret holds, as RDS writes it.

    Raises:
        DatabaseUnavailable: the secret cannot be read, or holds no password.
        InvalidSettings: aws-lambda-powertools is not installed.
    """
    try:
        from aws_lambda_powertools.utilities.parameters import get_secret
        from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError
    except ImportError as error:
        raise InvalidSettings(
            "aws-lambda-powertools is not installed, which TEXT2SQL_DATABASE_SECRET needs.",
            remedy="Run `pip install 'text2sql[functions]'`.",
        ) from error

    try:
        held = json.loads(get_secret(secret, max_age=FRESH_SECONDS))
        return Account(str(held.get("username") or ""), str(held["password"]))
    except (AttributeError, GetParameterError, ValueError, KeyError, TypeError) as error:
        raise DatabaseUnavailable(
            "The database's password cannot be read from its secret.",
            remedy="Check TEXT2SQL_DATABASE_SECRET, and the right to secretsmanager:GetSecretValue.",
        ) from error
