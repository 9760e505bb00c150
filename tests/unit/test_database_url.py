from pathlib import Path

import pytest

from text2sql.errors import InvalidSettings
from text2sql.execution.url import MysqlUrl, SqliteUrl, parse_database_url, redacted


def mysql(url: str, password: str = "") -> MysqlUrl:
    parsed = parse_database_url(url, password)
    assert isinstance(parsed, MysqlUrl)
    return parsed


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///shop.db", "shop.db"),
        ("sqlite:////var/data/shop.db", "/var/data/shop.db"),
        ("SQLite:///data/my%20shop%23%3F.db", "data/my shop#?.db"),
        ("sqlite:///a b#c.db", "a b#c.db"),
        ("sqlite:///100%.db", "100%.db"),
        (" sqlite:///shop.db\n", "shop.db"),
    ],
)
def test_sqlite_url_names_a_file(url: str, path: str) -> None:
    assert parse_database_url(url) == SqliteUrl(path=Path(path))


def test_sqlite_url_knows_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert parse_database_url("sqlite:///~/shop.db") == SqliteUrl(path=Path("/home/ada/shop.db"))


def test_mysql_url_holds_everything() -> None:
    url = mysql("mysql://ada:p%40ss%2Fw@db.example.org:3307/shop?ssl_ca=/ca.pem")
    assert (url.host, url.port, url.user, url.database) == ("db.example.org", 3307, "ada", "shop")
    assert url.password.get_secret_value() == "p@ss/w"
    assert (url.ssl, url.ssl_ca, url.ssl_verify) == ("required", "/ca.pem", True)


@pytest.mark.parametrize("scheme", ["mysql", "mysql+pymysql", "mariadb", "MySQL"])
def test_mysql_url_may_have_any_of_the_usual_schemes(scheme: str) -> None:
    url = mysql(f"{scheme}://ada@localhost/shop")
    assert (url.host, url.port, url.ssl, url.ssl_verify) == ("localhost", 3306, "preferred", False)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("ssl=required", ("required", False)),
        ("ssl=disabled", ("disabled", False)),
        ("ssl_verify=true", ("required", True)),
        ("ssl_ca=/ca.pem&ssl_verify=false", ("required", False)),
    ],
)
def test_mysql_url_says_how_to_encrypt(options: str, expected: tuple[str, bool]) -> None:
    url = mysql(f"mysql://ada@h/shop?{options}")
    assert (url.ssl, url.ssl_verify) == expected


def test_mysql_url_takes_an_ipv6_host() -> None:
    url = mysql("mysql://ada@[::1]:3310/shop")
    assert (url.host, url.port) == ("::1", 3310)
    assert redacted(url) == "mysql://ada@[::1]:3310/shop"


def test_mysql_url_takes_a_socket() -> None:
    url = mysql("mysql://ada@/shop?unix_socket=/run/mysqld/mysqld.sock")
    assert url.unix_socket == "/run/mysqld/mysqld.sock"
    assert redacted(url) == "mysql://ada@/run/mysqld/mysqld.sock/shop"


def test_password_serves_where_the_url_has_none() -> None:
    assert mysql("mysql://ada@h/shop", "secret").password.get_secret_value() == "secret"
    assert mysql("mysql://ada:own@h/shop", "secret").password.get_secret_value() == "own"
    assert mysql("mysql://ada:@h/shop", "secret").password.get_secret_value() == ""


@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop.db",
        "/var/shop.db",
        "sqlite://shop.db",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///shop.db?mode=rw",
        "sqlite:///~nobody-of-this-name/shop.db",
        "postgresql://ada@h/shop",
        "mysql:ada@h/shop",
        "mysql://h/shop",
        "mysql://ada@h",
        "mysql://ada@h/",
        "mysql://ada@h:port/shop",
        "mysql://ada@h:99999/shop",
        "mysql://ada@[::1/shop",
        "mysql://ada@h/shop/more",
        "mysql://ada:hunter2/x@h/shop",
        "mysql://ada:12/hunter2@h/shop",
        "mysql://ada:hunter2#x@h/shop",
    ],
)
def test_url_that_is_none_is_refused_with_both_forms(url: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        parse_database_url(url)
    assert "sqlite:///" in caught.value.remedy
    assert "mysql://" in caught.value.remedy
    assert "hunter2" not in f"{caught.value} {caught.value.remedy} {redacted(url)}"


@pytest.mark.parametrize(
    "options", ["ssl=maybe", "ssl_verify=perhaps", "sslmode=require", "ssl=disabled&ssl_verify=true"]
)
def test_unknown_option_or_value_is_refused(options: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        parse_database_url(f"mysql://ada:hunter2@h/shop?{options}")
    assert "hunter2" not in f"{caught.value} {caught.value.remedy}"


def test_password_is_never_shown() -> None:
    text = "mysql://ada:hunter2@h/shop?ssl_ca=/ca.pem"
    url = mysql(text)
    assert redacted(text) == redacted(url) == "mysql://ada@h:3306/shop"
    assert "hunter2" not in repr(url) + str(url) + url.model_dump_json()
    assert redacted("sqlite:///shop.db") == "sqlite:///shop.db"
