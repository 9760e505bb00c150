"""What PrepareDatabase does, once a deployment: the account that questions are asked with."""

import json
import os
import secrets
from typing import Any

from aws_lambda_powertools import Logger, Metrics

from text2sql.errors import DatabaseUnavailable, InvalidSettings
from text2sql.execution.mysql import MysqlDatabase
from text2sql.execution.mysql_account import make_reader
from text2sql.execution.secret import Account, read_account
from text2sql.execution.url import MysqlUrl, parse_database_url
from text2sql.messages import Message
from text2sql.settings import Settings
from text2sql.workflow.events import JobId

PASSWORD_BYTES = 30
"""Random ones, which are 40 letters; MySQL's TLS logins take more, AWS's rotation functions 41."""


class PrepareDatabase(Message):
    """Which deployment it is, for the log."""

    job_id: JobId


def prepare_database(event: dict[str, Any], logger: Logger, _metrics: Metrics) -> dict[str, Any]:
    """Make the reader of TEXT2SQL_DATABASE_URL with its secret's password, or a new one where that has none.

    Doing it again changes nothing. The secret is written last: an account that nobody knows the password of
    gets another the next time.
    """
    PrepareDatabase.model_validate(event)
    settings = Settings()
    master = os.environ["TEXT2SQL_DATABASE_ADMIN_SECRET"]
    administrator = read_account(master).at(_mysql(os.environ["TEXT2SQL_DATABASE_ADMIN_URL"]))
    held = _held(settings.database_secret)
    account = Account(
        held.get("username") or _mysql(settings.database_url).user,
        held.get("password") or secrets.token_urlsafe(PASSWORD_BYTES),
    )
    # Where questions go to a replica, its accounts are those of the database itself.
    reader = account.at(administrator)
    make_reader(administrator, reader)
    MysqlDatabase(reader).check_account()
    if not held:
        _write(settings.database_secret, reader, master)
    logger.info("the reader is there", user=reader.user, password="kept" if held else "made")
    return {"user": reader.user, "password": "kept" if held else "made"}


def _mysql(url: str) -> MysqlUrl:
    parsed = parse_database_url(url)
    if not isinstance(parsed, MysqlUrl):
        raise InvalidSettings("Only a MySQL database has accounts.", remedy="Check /text2sql/database-url.")
    return parsed


def _held(secret: str) -> dict[str, str]:
    """Return what the reader's secret holds; nothing where it has no value yet."""
    client = _client()
    try:
        held: Any = json.loads(client.get_secret_value(SecretId=secret)["SecretString"])
    except client.exceptions.ResourceNotFoundException:
        return {}
    except (client.exceptions.ClientError, ValueError) as error:
        raise _unusable() from error
    if not isinstance(held, dict) or not held.get("password"):
        raise _unusable()
    return held


def _write(secret: str, reader: MysqlUrl, master: str) -> None:
    """Write what AWS's rotation functions expect to find; the one that takes turns asks for `masterarn`."""
    client = _client()
    text = json.dumps(
        {
            "engine": "mysql",
            "host": reader.host,
            "port": reader.port,
            "dbname": reader.database,
            "username": reader.user,
            "password": reader.password.get_secret_value(),
            "masterarn": master,
        }
    )
    try:
        client.put_secret_value(SecretId=secret, SecretString=text)
    except client.exceptions.ClientError as error:
        raise _unusable() from error


def _unusable() -> DatabaseUnavailable:
    return DatabaseUnavailable(
        "The secret of the reader's password cannot be read or written, or holds no password.",
        remedy="Check /text2sql/database-secret, and the function's right to use the secret and its key.",
    )


def _client() -> Any:
    import boto3

    return boto3.client("secretsmanager")
