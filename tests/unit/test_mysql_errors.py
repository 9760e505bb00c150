import ssl

import pymysql
import pytest

from text2sql import errors
from text2sql.execution.mysql_errors import translated, translation
from text2sql.execution.url import MysqlUrl

URL = MysqlUrl(host="db", user="ada", database="shop")
SQL = "SELECT o.totl, FOO(id) FROM orders AS o JOIN custmers c ON c.id = o.customer_id WHERE o.state = 'paid'"


def error(number: int, message: str = "") -> pymysql.MySQLError:
    return pymysql.OperationalError(number, message)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        *(
            (number, errors.DatabaseAccessDenied)
            for number in (1044, 1045, 1130, 1251, 1698, 2026, 2059, 3159)
        ),
        (1049, errors.DatabaseNotFound),
        *(
            (number, errors.DatabaseUnavailable)
            for number in (1040, 1053, 1205, 1213, 1927, 2003, 2005, 2006)
        ),
        *((number, errors.DatabaseUnavailable) for number in (2013, 2055, 4031)),
        *((number, errors.QueryTimedOut) for number in (1317, 1969, 3024)),
        (1104, errors.QueryTooExpensive),
        *((number, errors.QueryFailed) for number in (1064, 1105, 1142, 1792, 3636, 9999)),
        *((number, errors.SchemaChanged) for number in (1054, 1109, 1146, 1356, 1412)),
    ],
)
def test_number_decides_the_error(number: int, expected: type[errors.Text2SqlError]) -> None:
    assert type(translation(error(number, "secret"), URL, SQL)) is expected
    assert "secret" not in str(translation(error(number, "secret"), URL, SQL))


def test_error_without_a_statement_is_the_servers_fault() -> None:
    assert type(translation(error(1142), URL, "")) is errors.DatabaseUnavailable


@pytest.mark.parametrize(
    ("number", "message", "feedback"),
    [
        (1054, "Unknown column 'o.totl' in 'field list'", "Unknown column 'o.totl' in the statement."),
        (1054, "Unknown column 'o.totl' in 'SELECT'", "Unknown column 'o.totl' in the statement."),
        (1054, "Unknown column 'hunter2' in 'field list'", "Unknown column in the statement."),
        (1054, "Unknown column 'paid' in 'field list'", "Unknown column in the statement."),
        (1146, "Table 'shop.custmers' doesn't exist", "Unknown table 'custmers' in the statement."),
        (1305, "FUNCTION shop.FOO does not exist", "Unknown function 'FOO' in the statement."),
        (1052, "Column 'id' in on clause is ambiguous", "The column name 'id' is ambiguous: write its table"),
        (
            1055,
            "Expression #1 of SELECT list is not in GROUP BY and contains nonaggregated column 'shop.o.totl'",
            "The column 'o.totl' is neither in GROUP BY nor inside an aggregate: add it to GROUP BY.",
        ),
        (1064, "You have an error near 'WHERE o.state = 'paid'' at line 1", "near 'WHERE o state'."),
        (1064, "You have an error near '' at line 1", "Syntax error in the statement."),
        (
            1142,
            "SELECT command denied to user 'orders'@'c' for table `shop`.`custmers`",
            "The database user may not read the table 'custmers'.",
        ),
        (1105, "XPATH syntax error: '~orders'", "The database refused the statement."),
        (1690, "BIGINT value is out of range in '(42 - `shop`.`o`.`secret`)'", "goes out of its range."),
    ],
)
def test_feedback_repeats_only_names_of_the_statement(number: int, message: str, feedback: str) -> None:
    translated_error = translation(error(number, message), URL, SQL)
    assert isinstance(translated_error, errors.QueryFailed)
    assert feedback in translated_error.feedback


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (ConnectionResetError("peer 10.0.0.1"), errors.DatabaseUnavailable),
        (EOFError(), errors.DatabaseUnavailable),
        (ssl.SSLCertVerificationError("self-signed"), errors.DatabaseAccessDenied),
        (pymysql.InternalError("Packet sequence number wrong"), errors.DatabaseUnavailable),
        (pymysql.OperationalError(), errors.DatabaseUnavailable),
    ],
)
def test_what_has_no_number_is_translated_too(
    raised: Exception, expected: type[errors.Text2SqlError]
) -> None:
    with pytest.raises(expected) as caught, translated(URL, SQL):
        raise raised
    assert caught.value.__cause__ is raised
    assert str(raised) not in caught.value.message or not str(raised)


def test_tls_failure_inside_a_failed_connect_is_told_as_such() -> None:
    wrapped = error(2003, "Can't connect")
    wrapped.original_exception = ssl.SSLError("bad")  # type: ignore[attr-defined]  # as PyMySQL does
    assert "TLS" in translation(wrapped, URL, "").message


def test_socket_is_named_where_there_is_one() -> None:
    url = MysqlUrl(user="ada", database="shop", unix_socket="/run/s.sock")
    assert "/run/s.sock" in translation(error(2003), url, "").message
