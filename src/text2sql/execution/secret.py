"""The database user's password in AWS Secrets Manager, read anew every five minutes: it may be rotated."""

import json

from text2sql.errors import DatabaseUnavailable, InvalidSettings

FRESH_SECONDS = 300


def read_password(secret: str) -> str:
    """Return the `password` of the JSON object that the secret holds, as RDS writes it.

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
        return str(json.loads(get_secret(secret, max_age=FRESH_SECONDS))["password"])
    except (GetParameterError, ValueError, KeyError, TypeError) as error:
        raise DatabaseUnavailable(
            "The database's password cannot be read from its secret.",
            remedy="Check TEXT2SQL_DATABASE_SECRET, and the right to secretsmanager:GetSecretValue.",
        ) from error
