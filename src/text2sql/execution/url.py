"""Database URLs: reading them and showing them without a password; connecting is the adapters' work."""

import re
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from pydantic import SecretStr, ValidationError

from text2sql.errors import InvalidSettings
from text2sql.messages import Message

FORMS = (
    "Use sqlite:///folder/file.db (sqlite:////folder/file.db for an absolute path) "
    "or mysql://user@host:3306/database."
)
_MYSQL_SCHEMES = ("mysql", "mysql+pymysql", "mariadb", "mariadb+pymysql")
_OPTIONS = ("ssl", "ssl_ca", "ssl_verify", "unix_socket")


class SqliteUrl(Message):
    """An SQLite file."""

    path: Path
    """As it was given, with `~` resolved; relative to the working folder."""


class MysqlUrl(Message):
    """A database on a MySQL or MariaDB server."""

    host: str = "localhost"
    port: int = 3306
    user: str
    password: SecretStr = SecretStr("")
    database: str
    unix_socket: str | None = None
    """The server's socket file; wins over host and port."""
    ssl: Literal["required", "preferred", "disabled"] = "preferred"
    """`preferred` goes on in clear text where the server has no TLS."""
    ssl_ca: str | None = None
    """A PEM file; with it the server's certificate is verified."""
    ssl_verify: bool = False
    """Whether the certificate and its host name are verified; without `ssl_ca`, by the system's list."""


def parse_database_url(url: str, password: str = "") -> SqliteUrl | MysqlUrl:
    """Read a database URL; `password` serves where the URL holds none.

    Raises:
        InvalidSettings: it is no such URL; the message does not repeat it, for it may hold a password.
    """
    scheme, separator, rest = url.strip().partition("://")
    scheme = scheme.lower()
    if separator and scheme == "sqlite":
        return _sqlite(rest)
    if separator and scheme in _MYSQL_SCHEMES:
        return _mysql(rest, password)
    raise _invalid("The database URL must start with sqlite:/// or mysql://.")


def redacted(url: str | SqliteUrl | MysqlUrl) -> str:
    """Return the URL for people: never with its password, nor with its options."""
    if isinstance(url, str):
        try:
            url = parse_database_url(url)
        except InvalidSettings:
            return "(a database URL that cannot be read)"
    if isinstance(url, SqliteUrl):
        return f"sqlite:///{url.path}"
    if url.unix_socket:
        return f"mysql://{url.user}@{url.unix_socket}/{url.database}"
    host = f"[{url.host}]" if ":" in url.host else url.host
    return f"mysql://{url.user}@{host}:{url.port}/{url.database}"


def _invalid(message: str, remedy: str = FORMS) -> InvalidSettings:
    return InvalidSettings(message, remedy=remedy)


def _sqlite(rest: str) -> SqliteUrl:
    if not rest.startswith("/"):
        raise _invalid("An SQLite URL has three slashes, or four before an absolute path.")
    if "?" in rest:
        raise _invalid("An SQLite URL takes no options.", f"Write a ? of the file's name as %3F. {FORMS}")
    name = unquote(rest[1:])
    if name in ("", ":memory:") or "\0" in name:
        raise _invalid("The SQLite URL names no file.")
    try:
        return SqliteUrl(path=Path(name).expanduser())
    except RuntimeError as error:
        raise _invalid("The SQLite URL names the home folder of somebody unknown.") from error


def _mysql(rest: str, password: str) -> MysqlUrl:
    encode = f"Write the characters @ : / ? # % of a user or password as %40 %3A %2F %3F %23 %25. {FORMS}"
    try:
        parts = urlsplit(f"mysql://{rest}")
        port = parts.port or 3306
    except ValueError as error:
        raise _invalid("The MySQL URL's host or port cannot be read.", encode) from error
    database = parts.path.removeprefix("/")
    if parts.fragment or "/" in database or "@" in database:
        raise _invalid("The MySQL URL cannot be read.", encode)
    if not parts.username:
        raise _invalid("The MySQL URL names no user.")
    if not database:
        raise _invalid("The MySQL URL names no database.")
    given = unquote(parts.password) if parts.password is not None else password
    options = _options(parts)
    # Whoever names a certificate wants it checked, and whoever wants it checked wants no clear text.
    verify = options.get("ssl_verify", "true" if "ssl_ca" in options else "false")
    ssl = options.get("ssl", "required" if verify == "true" or "ssl_ca" in options else "preferred")
    try:
        return MysqlUrl(
            host=unquote(parts.hostname or "localhost"),
            port=port,
            user=unquote(parts.username),
            password=SecretStr(given),
            database=unquote(database),
            unix_socket=options.get("unix_socket"),
            ssl=ssl,
            ssl_ca=options.get("ssl_ca"),
            ssl_verify=verify,
        )
    except ValidationError as error:
        names = sorted({str(each["loc"][0]) for each in error.errors() if each["loc"]})
        raise _invalid(
            f"The MySQL URL's option {' and '.join(names)} has no such value.",
            "ssl is required, preferred or disabled; ssl_verify is true or false.",
        ) from None


def _options(parts: SplitResult) -> dict[str, str]:
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = sorted(set(options) - set(_OPTIONS))
    if unknown:
        raise _invalid(
            f"The MySQL URL has an unknown option: {', '.join(unknown)}.", f"Known: {', '.join(_OPTIONS)}."
        )
    if options.get("ssl") == "disabled" and options.get("ssl_verify") == "true":
        raise _invalid("The MySQL URL asks to verify a connection without TLS.", "Leave out ssl=disabled.")
    return options


def datasource_name(url: str) -> str:
    """Return what a database is called as a datasource: by its own name, or its file's."""
    parsed = parse_database_url(url)
    name = parsed.path.stem if isinstance(parsed, SqliteUrl) else parsed.database
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name)[:64] or "database"
