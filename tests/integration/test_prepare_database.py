"""PrepareDatabase on a real MySQL: whom it makes, a second time, and what it says when it cannot."""

import importlib.util
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import boto3
import pytest
from aws_lambda_powertools.utilities.parameters import clear_caches
from moto import mock_aws
from pydantic import SecretStr

from servers import Server
from text2sql.errors import DatabaseAccessDenied, DatabaseAccountCanWrite, DatabaseUnavailable
from text2sql.execution.mysql import MysqlDatabase
from text2sql.execution.url import MysqlUrl

REPOSITORY = Path(__file__).resolve().parents[2]
DATABASE = "an_odd%name"
"""Its letters mean others in GRANT, unless somebody sees to it."""
NEIGHBOUR = "anxoddyyname"
EVENT = json.loads((REPOSITORY / "events" / "prepare_database" / "deployed.json").read_text("utf-8"))
CONTEXT = SimpleNamespace(
    function_name="f", memory_limit_in_mb=512, invoked_function_arn="arn", aws_request_id="request"
)
Prepare = Callable[[], dict[str, Any]]


@pytest.fixture
def prepare(mysql_server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Prepare]:
    """Return the function with a database, the administrator's secret, and a reader's that is empty."""
    path = quote(DATABASE)
    variables = {
        "TEXT2SQL_DATABASE_URL": f"mysql://text2sql_reader@replica.example/{path}",
        "TEXT2SQL_DATABASE_SECRET": "reader",
        "TEXT2SQL_DATABASE_ADMIN_URL": f"mysql://boss@{mysql_server.host}:{mysql_server.port}/{path}?ssl=required",
        "TEXT2SQL_DATABASE_ADMIN_SECRET": "admin",
        "POWERTOOLS_TRACE_DISABLED": "true",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    mysql_server.execute(
        "CREATE USER boss IDENTIFIED BY 'the-boss'",
        "GRANT SELECT, SHOW VIEW, CREATE USER ON *.* TO boss WITH GRANT OPTION",
    )
    for database in (DATABASE, NEIGHBOUR):
        mysql_server.execute(
            f"CREATE DATABASE `{database}`", f"CREATE TABLE `{database}`.orders (id INTEGER PRIMARY KEY)"
        )
    file = REPOSITORY / "functions" / "prepare_database" / "handler.py"
    spec = importlib.util.spec_from_file_location("prepare_database_handler", file)
    assert spec is not None
    assert spec.loader is not None
    handler = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(handler)
    clear_caches()
    with mock_aws():
        boto3.client("secretsmanager").create_secret(
            Name="admin", SecretString='{"username": "boss", "password": "the-boss"}'
        )
        boto3.client("secretsmanager").create_secret(Name="reader")
        yield lambda: handler.handle(EVENT, CONTEXT)
    mysql_server.execute(
        *(f"DROP USER IF EXISTS {user}" for user in ("boss", "text2sql_reader", "text2sql_reader_clone")),
        *(f"DROP DATABASE `{database}`" for database in (DATABASE, NEIGHBOUR)),
    )


def written() -> dict[str, Any]:
    text = boto3.client("secretsmanager").get_secret_value(SecretId="reader")["SecretString"]
    return json.loads(text)  # type: ignore[no-any-return]


def reader(server: Server, database: str = DATABASE, **changes: str) -> MysqlUrl:
    """Return the account as the functions use it."""
    return MysqlUrl.model_validate(
        {
            "host": server.host,
            "port": server.port,
            "user": "text2sql_reader",
            "password": SecretStr(written()["password"]),
            "database": database,
            "ssl": "required",
            **changes,
        }
    )


def test_reader_can_read_its_database_by_tls_and_nothing_else(prepare: Prepare, mysql_server: Server) -> None:
    assert prepare() == {"user": "text2sql_reader", "password": "made"}
    database = MysqlDatabase(reader(mysql_server))
    database.check_account()
    assert [table.name for table in database.read_catalog().tables] == ["orders"]
    with pytest.raises(DatabaseAccessDenied):
        MysqlDatabase(reader(mysql_server, NEIGHBOUR)).read_catalog()
    with pytest.raises(DatabaseAccessDenied):
        MysqlDatabase(reader(mysql_server, ssl="disabled")).check_account()


def test_secret_holds_what_functions_that_rotate_it_look_for(prepare: Prepare, mysql_server: Server) -> None:
    prepare()
    held = written()
    assert len(held.pop("password")) == 40
    assert held == {
        "engine": "mysql",
        "host": mysql_server.host,
        "port": mysql_server.port,
        "dbname": DATABASE,
        "username": "text2sql_reader",
        "masterarn": "admin",
    }


def test_second_time_nothing_changes(prepare: Prepare, mysql_server: Server) -> None:
    prepare()
    password = written()["password"]
    assert prepare() == {"user": "text2sql_reader", "password": "kept"}
    assert written()["password"] == password
    MysqlDatabase(reader(mysql_server)).check_account()


def test_account_that_is_there_gets_the_password_of_its_secret(
    prepare: Prepare, mysql_server: Server
) -> None:
    mysql_server.execute("CREATE USER text2sql_reader IDENTIFIED BY 'of nobody'")
    boto3.client("secretsmanager").put_secret_value(
        SecretId="reader", SecretString='{"password": "a-password-of-the-tests-1"}'
    )
    assert prepare()["password"] == "kept"
    MysqlDatabase(reader(mysql_server)).check_account()


def test_account_that_a_rotation_has_turned_to_is_the_reader(prepare: Prepare, mysql_server: Server) -> None:
    text = '{"username": "text2sql_reader_clone", "password": "a-password-of-the-tests-1"}'
    boto3.client("secretsmanager").put_secret_value(SecretId="reader", SecretString=text)
    assert prepare() == {"user": "text2sql_reader_clone", "password": "kept"}
    MysqlDatabase(reader(mysql_server, user="text2sql_reader_clone")).check_account()


def test_account_that_can_write_is_refused_and_gets_no_secret(prepare: Prepare, mysql_server: Server) -> None:
    mysql_server.execute(
        "CREATE USER text2sql_reader IDENTIFIED BY 'of nobody'",
        f"GRANT INSERT ON `{NEIGHBOUR}`.* TO text2sql_reader",
    )
    with pytest.raises(DatabaseAccountCanWrite):
        prepare()
    with pytest.raises(boto3.client("secretsmanager").exceptions.ResourceNotFoundException):
        written()


@pytest.mark.parametrize("text", ["plain text", "[]", '{"username": "text2sql_reader"}'])
def test_secret_that_holds_something_else_is_left_alone(prepare: Prepare, text: str) -> None:
    boto3.client("secretsmanager").put_secret_value(SecretId="reader", SecretString=text)
    with pytest.raises(DatabaseUnavailable, match="secret of the reader"):
        prepare()
    assert boto3.client("secretsmanager").get_secret_value(SecretId="reader")["SecretString"] == text


def test_secret_that_is_not_there_is_told(prepare: Prepare) -> None:
    boto3.client("secretsmanager").delete_secret(SecretId="reader", ForceDeleteWithoutRecovery=True)
    with pytest.raises(DatabaseUnavailable, match="secret of the reader"):
        prepare()


@pytest.mark.parametrize("missing", ["CREATE USER", "GRANT OPTION"])
def test_administrator_who_may_not_make_readers_is_told(
    prepare: Prepare, mysql_server: Server, missing: str
) -> None:
    mysql_server.execute(f"REVOKE {missing} ON *.* FROM boss")
    with pytest.raises(DatabaseAccessDenied, match="boss may not make accounts"):
        prepare()
