import pytest

from text2sql.errors import DatabaseAccountCanWrite
from text2sql.execution.mysql_account import reader_statements, refuse_writing_account
from text2sql.execution.url import MysqlUrl

URL = MysqlUrl(host="db", user="ada", database="shop")
USAGE = "GRANT USAGE ON *.* TO `ada`@`%`"


def found(*lines: str) -> str:
    """Return the privileges that the refusal names; empty where the account is fit."""
    try:
        refuse_writing_account(lines, URL)
    except DatabaseAccountCanWrite as error:
        return error.message.removeprefix("The user ada may do more than read: ").removesuffix(".")
    return ""


@pytest.mark.parametrize(
    "line",
    [
        "GRANT USAGE ON *.* TO `ada`@`%` IDENTIFIED BY PASSWORD '*AB ON C' WITH MAX_USER_CONNECTIONS 5",
        "GRANT USAGE ON *.* TO `ada`@`%` IDENTIFIED VIA ed25519 USING 'x' OR unix_socket",
        "GRANT SELECT ON `shop`.* TO `ada`@`%`",
        "GRANT SELECT, SHOW VIEW ON `shop`.* TO 'ada'@'%'",
        'GRANT SELECT ON "shop".* TO "ada"@"%"',
        "GRANT SELECT (`id`, `insert`) ON `shop`.`orders` TO `ada`@`%`",
        "GRANT SELECT ON `DROP ON x`.`WITH GRANT OPTION` TO `ada`@`%`",
        "GRANT SELECT ON `a``b, INSERT ON `.* TO `ada`@`%`",
        "GRANT `reader`@`%`,`other`@`%` TO `ada`@`%`",
        "GRANT `reader` TO `ada`@`%`",
        "REVOKE SELECT ON `mysql`.* FROM `ada`@`%`",
        "SET DEFAULT ROLE `reader` FOR `ada`@`%`",
        "GRANT SELECT ON `shop`.* TO PUBLIC",
    ],
)
def test_grant_that_only_reads_is_fit(line: str) -> None:
    assert found(USAGE, line) == ""


@pytest.mark.parametrize(
    ("line", "named"),
    [
        (
            "GRANT SELECT, INSERT, UPDATE (`a`, `b`), REFERENCES (`c`) ON `s`.`t` TO `a`@`%`",
            "INSERT, REFERENCES, UPDATE",
        ),
        (
            "GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION",
            "ALL PRIVILEGES, GRANT OPTION",
        ),
        ("GRANT SELECT ON `shop`.* TO `ada`@`%` WITH MAX_QUERIES_PER_HOUR 3 GRANT OPTION", "GRANT OPTION"),
        (
            "GRANT BACKUP_ADMIN,SYSTEM_VARIABLES_ADMIN ON *.* TO `ada`@`%`",
            "BACKUP_ADMIN, SYSTEM_VARIABLES_ADMIN",
        ),
        ("GRANT FILE, PROCESS, SUPER ON *.* TO `ada`@`%`", "FILE, PROCESS, SUPER"),
        ("GRANT BINLOG MONITOR, DELETE HISTORY ON *.* TO `ada`@`%`", "BINLOG MONITOR, DELETE HISTORY"),
        ("GRANT EXECUTE ON FUNCTION `shop`.`f` TO `ada`@`%`", "EXECUTE"),
        ("GRANT INSERT ON `shop`.* TO PUBLIC", "INSERT"),
        ("GRANT PROXY ON ``@`%` TO `root`@`localhost`", "PROXY"),
        ("GRANT `editor`@`%` TO `ada`@`%` WITH ADMIN OPTION", "ADMIN OPTION"),
        ("GRANT SOMETHING NEW ON *.* TO `ada`@`%`", "SOMETHING NEW"),
        ("PERMIT EVERYTHING TO `ada`@`%`", "PERMIT EVERYTHING TO Q@Q"),
    ],
)
def test_any_other_grant_is_named(line: str, named: str) -> None:
    assert found(USAGE, line) == named


def test_privileges_of_several_lines_are_named_once() -> None:
    lines = ("GRANT INSERT ON `a`.* TO `ada`@`%`", "GRANT DELETE, INSERT ON `b`.* TO `ada`@`%`")
    assert found(USAGE, *lines) == "DELETE, INSERT"


def test_remedy_shows_what_to_run_and_no_password() -> None:
    with pytest.raises(DatabaseAccountCanWrite) as caught:
        refuse_writing_account(["GRANT DROP ON *.* TO `ada`@`%`"], URL)
    assert "CREATE USER 'text2sql_reader'@'%' IDENTIFIED BY '…';" in caught.value.remedy
    assert "GRANT SELECT, SHOW VIEW ON `shop`.* TO 'text2sql_reader'@'%';" in caught.value.remedy
    assert "--i-know" in caught.value.remedy


def test_name_of_the_database_is_no_pattern() -> None:
    assert "ON `my\\_sh\\%p``s`.*" in reader_statements("my_sh%p`s")
