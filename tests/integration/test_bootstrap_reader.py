"""The account that docs/infrastructure_database.md has an operator make, on a real MySQL."""

from collections.abc import Iterator
from pathlib import Path

import pymysql
import pytest
from pydantic import SecretStr

from servers import Server
from text2sql.errors import DatabaseAccessDenied
from text2sql.execution.mysql import MysqlDatabase
from text2sql.execution.url import MysqlUrl

MANUAL = Path(__file__).resolve().parents[2] / "docs" / "infrastructure_database.md"
PASSWORD = "a-password-of-the-tests-1"


@pytest.fixture
def reader(mysql_server: Server) -> Iterator[MysqlUrl]:
    statements = MANUAL.read_text("utf-8").partition("```sql\n")[2].partition("\n```")[0]
    mysql_server.execute("CREATE DATABASE text2sql", "CREATE TABLE text2sql.orders (id INTEGER PRIMARY KEY)")
    mysql_server.execute(*statements.replace("…", PASSWORD).rstrip(";").split(";\n"))
    yield MysqlUrl(
        host=mysql_server.host,
        port=mysql_server.port,
        user="text2sql_reader",
        password=SecretStr(PASSWORD),
        database="text2sql",
        ssl="required",
    )
    mysql_server.execute("DROP USER text2sql_reader", "DROP DATABASE text2sql")


def test_documented_reader_is_one_that_the_product_takes_and_that_cannot_write(reader: MysqlUrl) -> None:
    database = MysqlDatabase(reader)
    database.check_account()
    assert [table.name for table in database.read_catalog().tables] == ["orders"]
    with (
        pymysql.connect(
            host=reader.host, port=reader.port, user=reader.user, password=PASSWORD, ssl={"ca": None}
        ) as connection,
        connection.cursor() as cursor,
        pytest.raises(pymysql.err.OperationalError, match="INSERT command denied"),
    ):
        cursor.execute("INSERT INTO text2sql.orders VALUES (1)")


def test_documented_reader_does_not_sign_in_in_clear_text(reader: MysqlUrl) -> None:
    with pytest.raises(DatabaseAccessDenied):
        MysqlDatabase(reader.model_copy(update={"ssl": "disabled"})).check_account()
