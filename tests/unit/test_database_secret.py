"""The database's password from AWS Secrets Manager."""

import sys
from collections.abc import Iterator

import boto3
import pytest
from aws_lambda_powertools.utilities.parameters import clear_caches
from moto import mock_aws

from text2sql.errors import DatabaseUnavailable, InvalidSettings
from text2sql.execution.mysql import MysqlDatabase
from text2sql.execution.secret import Account, read_account
from text2sql.services import open_database
from text2sql.settings import Settings


@pytest.fixture(autouse=True)
def _aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    clear_caches()
    with mock_aws():
        yield


def write(text: str) -> None:
    boto3.client("secretsmanager").create_secret(Name="reader", SecretString=text)


def test_account_is_that_of_the_object_that_rds_writes() -> None:
    write('{"username": "reader", "password": "pässw@rd"}')
    assert read_account("reader") == Account("reader", "pässw@rd")


@pytest.mark.parametrize("text", ["plain text", '{"username": "reader"}', "[]", "7"])
def test_secret_without_a_password_is_told_without_its_text(text: str) -> None:
    write(text)
    with pytest.raises(DatabaseUnavailable) as caught:
        read_account("reader")
    assert text not in caught.value.message + caught.value.remedy


def test_secret_that_is_not_there_is_told() -> None:
    with pytest.raises(DatabaseUnavailable):
        read_account("reader")


def test_setting_names_the_secret() -> None:
    write('{"password": "from-the-secret"}')
    settings = Settings(database_url="mysql://reader@db.example/shop", database_secret="reader")
    database = open_database(settings)
    assert isinstance(database, MysqlDatabase)
    assert (database.url.user, database.url.password.get_secret_value()) == ("reader", "from-the-secret")


def test_account_of_the_secret_takes_the_place_of_the_urls() -> None:
    write('{"username": "reader_clone", "password": "turned"}')
    url = "mysql://reader:before@db.example/shop?ssl=required"
    database = open_database(Settings(database_url=url, database_secret="reader"))
    assert isinstance(database, MysqlDatabase)
    assert (database.url.user, database.url.password.get_secret_value()) == ("reader_clone", "turned")
    assert (database.url.host, database.url.ssl) == ("db.example", "required")


def test_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    # As where text2sql is installed without its extra.
    monkeypatch.setitem(sys.modules, "aws_lambda_powertools.utilities.parameters", None)
    with pytest.raises(InvalidSettings, match="aws-lambda-powertools"):
        read_account("reader")
