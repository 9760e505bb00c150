import pytest

from text2sql.execution.flavour import Flavour, detect_flavour

MYSQL = detect_flavour("8.0.36")
MARIADB = detect_flavour("10.11.6-MariaDB-0+deb12u1")


@pytest.mark.parametrize(
    ("version", "server"),
    [
        ("8.0.36", "MySQL 8.0.36"),
        ("9.7.4-2", "MySQL 9.7.4"),
        ("8.0.36-28", "MySQL 8.0.36"),  # Percona
        ("8.0.mysql_aurora.3.05.2", "MySQL 8.0"),
        ("8.4.0-commercial", "MySQL 8.4.0"),
        ("10.11.6-MariaDB-0+deb12u1", "MariaDB 10.11.6"),
        ("5.5.5-10.6.16-MariaDB-log", "MariaDB 10.6.16"),
        ("11.4.2-MariaDB-ubu2404", "MariaDB 11.4.2"),
        ("something else", "MySQL "),
    ],
)
def test_server_is_known_by_its_version(version: str, server: str) -> None:
    assert detect_flavour(version).server == server


@pytest.mark.parametrize(
    ("flavour", "seconds", "statement"),
    [
        (MYSQL, 30, "max_execution_time = 30000"),
        (MYSQL, 0.4, "max_execution_time = 400"),
        (MYSQL, 0.0001, "max_execution_time = 1"),  # 0 would mean no limit
        (MARIADB, 30, "max_statement_time = 30.000"),
        (MARIADB, 0.0001, "max_statement_time = 0.001"),
    ],
)
def test_time_limit_is_said_in_the_servers_words(flavour: Flavour, seconds: float, statement: str) -> None:
    assert flavour.statement_limit(seconds) == statement


def test_recursion_limit_is_said_in_the_servers_words() -> None:
    assert MYSQL.recursion_limit == "cte_max_recursion_depth = 1000"
    assert MARIADB.recursion_limit == "max_recursive_iterations = 1000"
    assert (MYSQL.recursion_warning, MARIADB.recursion_warning) == (None, 1931)


def test_only_mysql_is_asked_for_fresh_row_counts() -> None:
    assert MYSQL.catalog_settings == ("information_schema_stats_expiry = 0",)
    assert MARIADB.catalog_settings == ()


def test_flavour_names_its_dialect() -> None:
    assert (MYSQL.dialect, MARIADB.dialect) == ("mysql", "mariadb")


@pytest.mark.parametrize(
    ("version", "settings"),
    [
        ("8.0.36", ()),
        ("8.2.0", ()),
        ("8.3.0", ("explain_json_format_version = 1",)),
        ("9.7.4-2", ("explain_json_format_version = 1",)),
        ("11.4.2-MariaDB", ()),
    ],
)
def test_plans_are_asked_for_in_the_format_that_is_read(version: str, settings: tuple[str, ...]) -> None:
    assert detect_flavour(version).plan_settings == settings
