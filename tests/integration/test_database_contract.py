"""What every adapter of the database port must do, asked of SQLite, MariaDB and MySQL alike."""

import itertools
import signal
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

import pymysql
import pytest
from pydantic import SecretStr
from pymysql.constants import CLIENT

from database_fixtures import WRITER, LentDatabase, create_writer, sqlite_database, writer_url
from servers import Server, server_folder, start_mariadb, start_mysql
from text2sql.datasource.catalog import Catalog, Table
from text2sql.datasource.values import ColumnTexts, TextColumn, TextLimits, choose_text_columns
from text2sql.errors import (
    DatabaseAccessDenied,
    DatabaseAccountCanWrite,
    DatabaseEmpty,
    DatabaseError,
    DatabaseNotFound,
    DatabaseUnavailable,
    QueryFailed,
    QueryTimedOut,
    RepairableError,
    SchemaChanged,
    Text2SqlError,
)
from text2sql.execution.mysql import MysqlDatabase
from text2sql.execution.port import Database, QueryLimits
from text2sql.execution.url import MysqlUrl

CANARY = "Canary-7f3a"
SHOP = (
    """CREATE TABLE regions (country CHAR(2) NOT NULL, code VARCHAR(8) NOT NULL, name VARCHAR(60),
       PRIMARY KEY (country, code))""",
    """CREATE TABLE customers (id INTEGER PRIMARY KEY, name VARCHAR(80) NOT NULL, country CHAR(2),
       region VARCHAR(8), email VARCHAR(120), bio TEXT,
       FOREIGN KEY (country, region) REFERENCES regions (country, code))""",
    """CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL, status VARCHAR(20),
       total DECIMAL(10,2), placed DATE, noted DATETIME, picture BLOB,
       FOREIGN KEY (customer_id) REFERENCES customers (id))""",
    "CREATE VIEW paid_orders AS SELECT id, total FROM orders WHERE status = 'paid'",
    """INSERT INTO regions VALUES
       ('DE', 'BE', 'Berlin'), ('DE', 'HH', 'Hamburg'), ('FR', 'IDF', 'Île-de-France')""",
    "INSERT INTO customers VALUES "
    + ", ".join(
        f"({n}, '{CANARY if n == 1 else f'Customer {n}'}', 'DE', '{'BE' if n % 3 else 'HH'}', "
        f"'c{n}@example.org', '{'long ' * 20}{n}')"
        for n in range(1, 21)
    ),
    "INSERT INTO orders VALUES "
    + ", ".join(
        f"({n}, {n % 20 + 1}, '{('paid', 'paid', 'paid', 'open', 'open', 'lost')[n % 6]}', {n}.50, "
        f"'2024-0{n % 9 + 1}-15', '2024-0{n % 9 + 1}-15 10:30:00', X'00FF')"
        for n in range(1, 351)
    ),
)
SLOW = (
    "SELECT COUNT(*) FROM orders AS a, orders AS b, orders AS c, orders AS d "
    "WHERE a.total + b.total + c.total + d.total < 0"
)
NOTED = datetime(2024, 8, 15, 10, 30)  # noqa: DTZ001  # a DATETIME has no zone
LIMITS = QueryLimits(rows=100, seconds=10, join_rows=10**15)
"""With room for SLOW, which the plan would give away."""
SHORT = LIMITS.model_copy(update={"seconds": 0.4})


@pytest.fixture
def shop(any_database: LentDatabase) -> LentDatabase:
    any_database.load(*SHOP)
    return any_database


@pytest.fixture
def server_shop(server_database: LentDatabase) -> LentDatabase:
    server_database.load(*SHOP)
    return server_database


def table(catalog: Catalog, name: str) -> Table:
    return next(each for each in catalog.tables if each.name == name)


def shown(error: Text2SqlError) -> str:
    feedback = error.feedback if isinstance(error, RepairableError) else ""
    return f"{error} {error.message} {error.remedy} {feedback}"


def wait_until_idle(server: Server) -> list[tuple[object, ...]]:
    """Return the connections of others that are left after at most two seconds."""
    for _ in range(40):
        rows = [row for row in server.execute("SHOW PROCESSLIST") if row[1] == WRITER]
        if not rows:
            break
        time.sleep(0.05)
    return rows


# ── the stored texts ─────────────────────────────────────────────────────────────────────────────


def read_texts(shop: LentDatabase, **limits: float) -> dict[str, ColumnTexts]:
    wanted = choose_text_columns(shop.database.read_catalog())
    found = shop.database.read_texts(wanted, TextLimits.model_validate(limits))
    return {f"{each.table}.{each.column}": each for each in found}


def test_texts_of_columns_are_read_once_each(shop: LentDatabase) -> None:
    found = read_texts(shop)
    assert sorted(found) == [
        *("customers.country", "customers.name", "customers.region"),
        *("orders.status", "regions.code", "regions.country", "regions.name"),
    ]
    assert found["orders.status"].texts == ("lost", "open", "paid")
    assert found["regions.name"].texts == ("Berlin", "Hamburg", "Île-de-France")
    assert len(found["customers.name"].texts) == 20
    assert all(each.is_complete for each in found.values())
    assert all(each.is_exact == (shop.product == "sqlite") for each in found.values())


def test_texts_beyond_the_limits_are_left_out(shop: LentDatabase) -> None:
    assert "customers.name" not in read_texts(shop, column_texts=19)
    assert "customers.name" in read_texts(shop, column_texts=20)
    few = read_texts(shop, texts=5)
    assert sum(len(each.texts) for each in few.values()) <= 5
    assert "regions.code" in few
    assert read_texts(shop, seconds=-1) == {}


def test_longer_texts_are_left_out_and_said_to_be(shop: LentDatabase) -> None:
    names = read_texts(shop, characters=8)["regions.name"]
    assert (names.texts, names.is_complete) == (("Berlin", "Hamburg"), False)


def test_text_of_several_lines_is_left_out(shop: LentDatabase) -> None:
    shop.load("UPDATE regions SET name = 'Ham\nburg' WHERE code = 'HH'")
    names = read_texts(shop)["regions.name"]
    assert (names.texts, names.is_complete) == (("Berlin", "Île-de-France"), False)


def test_of_a_large_table_some_rows_are_read_and_that_is_said(shop: LentDatabase) -> None:
    status = read_texts(shop, rows=40)["orders.status"]
    assert (set(status.texts) <= {"paid", "open", "lost"}, status.is_complete) == (True, False)
    assert read_texts(shop, rows=40)["regions.name"].is_complete


def test_private_values_keep_a_column_out(shop: LentDatabase) -> None:
    shop.load("UPDATE regions SET name = 'ada@example.org' WHERE code = 'HH'")
    assert "regions.name" not in read_texts(shop)


def test_column_that_is_gone_is_left_out(shop: LentDatabase) -> None:
    gone = TextColumn(table="orders", column="gone", rows=3)
    status = TextColumn(table="orders", column="status", rows=350)
    (found,) = shop.database.read_texts([gone, status], TextLimits())
    assert found.column == "status"


def test_collation_of_a_column_tells_how_it_is_compared(shop: LentDatabase) -> None:
    kinds = ("COLLATE NOCASE", "") if shop.product == "sqlite" else ("", "COLLATE utf8mb4_bin")
    for name, collation in zip(("blind", "exact"), kinds, strict=True):
        shop.load(
            f"CREATE TABLE {name} (label VARCHAR(9) {collation})", f"INSERT INTO {name} VALUES ('Ab'), ('cd')"
        )
    found = read_texts(shop)
    assert [found[f"{name}.label"].is_exact for name in ("blind", "exact")] == [False, True]


def test_texts_of_an_unreachable_database_are_an_error(server_shop: LentDatabase) -> None:
    assert server_shop.url is not None
    gone = MysqlDatabase(server_shop.url.model_copy(update={"port": 1}))
    with pytest.raises(DatabaseUnavailable):
        gone.read_texts([TextColumn(table="orders", column="status")], TextLimits())


# ── the catalog ──────────────────────────────────────────────────────────────────────────────────


def test_catalog_lists_tables_and_views_by_name(shop: LentDatabase) -> None:
    catalog = shop.database.read_catalog()
    assert [(each.name, each.kind) for each in catalog.tables] == [
        ("customers", "table"),
        ("orders", "table"),
        ("paid_orders", "view"),
        ("regions", "table"),
    ]
    assert catalog.dialect == shop.product
    assert catalog.server.lower().startswith(f"{shop.product} ")


def test_catalog_tells_columns_types_and_keys(shop: LentDatabase) -> None:
    catalog = shop.database.read_catalog()
    columns = {column.name: column for column in table(catalog, "orders").columns}
    assert list(columns) == ["id", "customer_id", "status", "total", "placed", "noted", "picture"]
    assert columns["total"].type.lower() == "decimal(10,2)"
    assert columns["status"].type.lower() == "varchar(20)"
    assert (columns["id"].nullable, columns["customer_id"].nullable, columns["total"].nullable) == (
        False,
        False,
        True,
    )
    assert table(catalog, "regions").primary_key == ("country", "code")
    key = table(catalog, "customers").foreign_keys
    assert [(each.columns, each.table, each.references) for each in key] == [
        (("country", "region"), "regions", ("country", "code"))
    ]
    assert table(catalog, "orders").foreign_keys[0].table == "customers"


def test_catalog_tells_row_counts(shop: LentDatabase) -> None:
    catalog = shop.database.read_catalog()
    assert table(catalog, "regions").row_count == 3
    assert table(catalog, "customers").row_count == 20
    assert table(catalog, "orders").row_count == pytest.approx(350, rel=0.3)
    assert table(catalog, "paid_orders").row_count is None


def test_catalog_samples_what_helps_and_nothing_private(shop: LentDatabase) -> None:
    catalog = shop.database.read_catalog()
    orders = {column.name: column for column in table(catalog, "orders").columns}
    customers = {column.name: column for column in table(catalog, "customers").columns}
    assert orders["status"].samples == ("paid", "open", "lost")
    assert orders["status"].distinct == 3
    assert orders["total"].samples == orders["picture"].samples == orders["id"].samples == ()
    assert len(customers["name"].samples) == 5
    assert customers["email"].samples == customers["bio"].samples == ()
    assert customers["region"].samples == ("BE", "HH")


def test_catalog_tells_the_ranges_of_numbers_and_dates(shop: LentDatabase) -> None:
    orders = {column.name: column for column in table(shop.database.read_catalog(), "orders").columns}
    ranges = {name: (column.lowest, column.highest) for name, column in orders.items() if column.lowest}
    assert [*ranges] == ["total", "placed", "noted"]
    assert [float(end or "") for end in ranges["total"]] == [1.5, 350.5]
    assert ranges["placed"] == ("2024-01-15", "2024-09-15")
    assert ranges["noted"] == ("2024-01-15 10:30:00", "2024-09-15 10:30:00")


def test_catalog_tells_of_a_large_table_what_an_index_holds(
    shop: LentDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The bound on rows: a table that is really large takes long to fill.
    monkeypatch.setattr("text2sql.datasource.introspection.ranges.ROWS", 5)
    shop.load("CREATE INDEX by_day ON orders (placed, total)")
    orders = table(shop.database.read_catalog(), "orders").columns
    assert [(each.name, each.lowest) for each in orders if each.lowest] == [("placed", "2024-01-15")]


def test_catalog_holds_comments_where_the_server_has_them(server_shop: LentDatabase) -> None:
    server_shop.load(
        "ALTER TABLE orders COMMENT = 'What was sold'",
        "ALTER TABLE orders MODIFY status VARCHAR(20) COMMENT 'paid, open or lost'",
    )
    catalog = server_shop.database.read_catalog()
    orders = table(catalog, "orders")
    assert orders.description == "What was sold"
    assert orders.columns[2].description == "paid, open or lost"
    assert table(catalog, "paid_orders").description == ""


def test_broken_view_is_left_out_of_the_catalog(shop: LentDatabase) -> None:
    shop.load(
        "CREATE TABLE gone (id INTEGER)", "CREATE VIEW broken AS SELECT id FROM gone", "DROP TABLE gone"
    )
    assert "broken" not in [each.name for each in shop.database.read_catalog().tables]


def test_slow_view_does_not_hold_the_catalog_up(shop: LentDatabase) -> None:
    shop.load(f"CREATE VIEW slow AS {SLOW.replace('COUNT(*)', 'COUNT(*) AS n')}")
    started = time.monotonic()
    catalog = shop.database.read_catalog()
    assert time.monotonic() - started < 8
    assert [column.name for column in table(catalog, "slow").columns] == ["n"]
    assert table(catalog, "orders").columns[2].samples == ("paid", "open", "lost")


def test_table_that_the_user_may_not_read_is_left_out(server_shop: LentDatabase) -> None:
    assert server_shop.server
    assert server_shop.url
    name = server_shop.url.database
    server_shop.load(
        "CREATE USER IF NOT EXISTS clerk@localhost IDENTIFIED BY 'pw'",
        f"GRANT SELECT ON {name}.regions TO clerk@localhost",
        f"GRANT INSERT ON {name}.orders TO clerk@localhost",
    )
    clerk = server_shop.url.model_copy(update={"user": "clerk", "password": SecretStr("pw")})
    assert [each.name for each in MysqlDatabase(clerk).read_catalog().tables] == ["regions"]
    with pytest.raises(QueryFailed, match="may not read the table 'customers'"):
        MysqlDatabase(clerk).query("SELECT name FROM customers", LIMITS)


def test_database_without_tables_is_empty(any_database: LentDatabase) -> None:
    with pytest.raises(DatabaseEmpty):
        any_database.database.read_catalog()


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE orders ADD COLUMN note VARCHAR(10)",
        "CREATE VIEW another AS SELECT id FROM orders",
        "CREATE TABLE another (id INTEGER)",
        "DROP VIEW paid_orders",
    ],
)
def test_schema_version_changes_with_the_schema(shop: LentDatabase, change: str) -> None:
    before = shop.database.schema_version()
    shop.load(change)
    assert shop.database.schema_version() != before


def test_schema_version_stays_when_rows_change(shop: LentDatabase) -> None:
    before = shop.database.schema_version()
    shop.load("INSERT INTO regions VALUES ('FR', 'BRE', 'Bretagne')", "DELETE FROM orders WHERE id > 10")
    assert shop.database.schema_version() == before


# ── reading ──────────────────────────────────────────────────────────────────────────────────────


def test_values_come_back_as_they_were_stored(shop: LentDatabase) -> None:
    shop.load("UPDATE regions SET name = '東京 🗼 O''Brien' WHERE code = 'HH'")
    result = shop.database.query(
        "SELECT o.id, o.total, o.placed, o.noted, o.picture, r.name, NULL AS blank "
        "FROM orders AS o, regions AS r WHERE o.id = 7 AND r.code = 'HH'",
        LIMITS,
    )
    total = 7.5 if shop.product == "sqlite" else Decimal("7.50")
    assert result.rows == ((7, total, date(2024, 8, 15), NOTED, b"\x00\xff", "東京 🗼 O'Brien", None),)
    assert [column.type for column in result.columns[:6]] == [
        "number",
        "number",
        "date",
        "datetime",
        "binary",
        "text",
    ]
    assert [column.name for column in result.columns][-2:] == ["name", "blank"]
    assert not result.truncated


def test_result_of_exactly_the_limit_is_whole(shop: LentDatabase) -> None:
    result = shop.database.query("SELECT id FROM customers", QueryLimits(rows=20))
    assert (len(result.rows), result.truncated) == (20, False)


def test_result_of_one_row_more_is_cut_and_says_so(shop: LentDatabase) -> None:
    result = shop.database.query("SELECT id FROM customers", QueryLimits(rows=19))
    assert (len(result.rows), result.truncated) == (19, True)


def test_cut_result_does_not_wait_for_the_rows_that_nobody_reads(shop: LentDatabase) -> None:
    started = time.monotonic()
    result = shop.database.query("SELECT a.id FROM orders a, orders b, orders c", LIMITS)
    assert result.truncated
    assert time.monotonic() - started < 6
    if shop.server:
        assert wait_until_idle(shop.server) == []


def test_cut_statement_is_stopped_even_where_it_sends_nothing(server_shop: LentDatabase) -> None:
    assert server_shop.server
    rows_then_silence = f"SELECT REPEAT('x', 1000) FROM orders UNION ALL {SLOW}"
    assert server_shop.database.query(rows_then_silence, LIMITS).truncated
    assert wait_until_idle(server_shop.server) == []


def test_long_cell_is_cut_and_says_so(shop: LentDatabase) -> None:
    limits = QueryLimits(cell_characters=10)
    assert shop.database.query("SELECT bio FROM customers WHERE id = 1", limits).rows == (("long long…",),)


def test_empty_result_has_its_columns(shop: LentDatabase) -> None:
    result = shop.database.query("SELECT id, status FROM orders WHERE id < 0", LIMITS)
    assert [column.name for column in result.columns] == ["id", "status"]
    assert result.rows == ()


def test_server_types_come_back_as_python_has_them(server_database: LentDatabase) -> None:
    server_database.load(
        "CREATE TABLE t (d DATE, dt DATETIME(6), tm TIME, b BIT(12), j JSON, big BIGINT UNSIGNED, y YEAR, "
        "g POINT, f DOUBLE, c DECIMAL(30,10))",
        "SET SESSION sql_mode = ''",
        "INSERT INTO t VALUES "
        "('2024-02-29', '2024-02-29 01:02:03.000456', '-12:30:00', b'101', '{\"a\": 1}', "
        "18446744073709551615, 2024, ST_GeomFromText('POINT(1 2)'), 0.5, 1.1234567891)",
    )
    row = server_database.database.query("SELECT * FROM t", LIMITS).rows[0]
    assert row[0] == date(2024, 2, 29)
    assert row[1] == datetime(2024, 2, 29, 1, 2, 3, 456)  # noqa: DTZ001  # a DATETIME has no zone
    assert row[2] == -timedelta(hours=12, minutes=30)
    assert row[3:5] == (5, '{"a": 1}')
    assert row[5:7] == (2**64 - 1, 2024)
    assert isinstance(row[7], bytes)
    assert row[8:] == (0.5, Decimal("1.1234567891"))


@pytest.mark.parametrize(
    ("declared", "value", "cell", "kind"),
    [
        ("DECIMAL(65,30)", "'-1.000000000000000000000000000001'", Decimal(f"-1.{'0' * 29}1"), "number"),
        ("BIGINT UNSIGNED", "18446744073709551615", 2**64 - 1, "number"),
        ("BIT(64)", "b'1'", 1, "number"),
        ("YEAR", "1901", 1901, "number"),
        ("TINYINT(1)", "TRUE", 1, "number"),
        ("JSON", """'{"a": [1, "é"]}'""", '{"a": [1, "é"]}', "text"),
        ("BINARY(4)", "X'00FF'", b"\x00\xff\x00\x00", "binary"),
        ("VARBINARY(9)", "X'C3'", b"\xc3", "binary"),
        ("BLOB", "X''", b"", "binary"),
        ("ENUM('on', 'öff')", "'öff'", "öff", "text"),
        ("SET('a', 'b', 'c')", "'a,c'", "a,c", "text"),
        ("TIME", "'838:59:59'", timedelta(hours=838, minutes=59, seconds=59), "text"),
        ("TIME", "'-100:00:01'", -timedelta(hours=100, seconds=1), "text"),
        ("TIME(6)", "'-00:00:00.000001'", -timedelta(microseconds=1), "text"),
        ("DATE", "'9999-12-31'", date(9999, 12, 31), "date"),
        ("TIMESTAMP(3) NULL", "'2024-02-29 01:02:03.004'", datetime(2024, 2, 29, 1, 2, 3, 4000), "datetime"),  # noqa: DTZ001
        ("LONGTEXT", "'東京 🗼'", "東京 🗼", "text"),
    ],
)
def test_server_type_keeps_its_value(
    server_database: LentDatabase, declared: str, value: str, cell: object, kind: str
) -> None:
    server_database.load(
        f"CREATE TABLE t (v {declared})",
        f"INSERT INTO t VALUES ({value}), (NULL)",
    )
    result = server_database.database.query("SELECT v FROM t ORDER BY v IS NULL", LIMITS)
    assert result.rows == ((cell,), (None,))
    assert type(result.rows[0][0]) is type(cell)
    assert result.columns[0].type == kind


def test_geometry_is_binary_with_its_reference_system_first(server_database: LentDatabase) -> None:
    server_database.load(
        "CREATE TABLE t (g GEOMETRY)", "INSERT INTO t VALUES (ST_GeomFromText('POINT(1 2)', 4326))"
    )
    result = server_database.database.query("SELECT g FROM t", LIMITS)
    (cell,) = result.rows[0]
    assert isinstance(cell, bytes)
    assert int.from_bytes(cell[:4], "little") == 4326
    assert len(cell) == 25
    assert result.columns[0].type == "binary"
    nothing = server_database.database.query("SELECT g FROM t WHERE FALSE", LIMITS)
    assert nothing.columns[0].type == "binary"


def test_vector_is_binary(mysql_server: Server) -> None:
    create_vectors = ("CREATE DATABASE vectors", "CREATE TABLE vectors.t (v VECTOR(2))")
    mysql_server.execute(*create_vectors, "INSERT INTO vectors.t VALUES (STRING_TO_VECTOR('[1,-2]'))")
    database = MysqlDatabase(writer_url(mysql_server, "vectors"))
    assert database.read_catalog().tables[0].columns[0].type == "vector(2)"
    result = database.query("SELECT v FROM t", LIMITS)
    assert (result.rows, result.columns[0].type) == (((struct.pack("<2f", 1, -2),),), "binary")


def test_dates_that_python_does_not_know_do_no_harm(server_database: LentDatabase) -> None:
    server_database.load(
        "SET SESSION sql_mode = ''",
        "CREATE TABLE t (d DATE, dt DATETIME)",
        "INSERT INTO t VALUES ('0000-00-00', '0000-00-00 00:00:00'), ('2024-00-00', '2024-01-00 10:00:00')",
    )
    result = server_database.database.query("SELECT * FROM t", LIMITS)
    assert result.rows == ((None, None), ("2024-00-00", "2024-01-00 10:00:00"))


@contextmanager
def sql_mode(server: Server, mode: str) -> Iterator[None]:
    """Let the server's new sessions start in another mode."""
    (before,) = server.execute("SELECT @@GLOBAL.sql_mode")[0]
    server.execute(f"SET GLOBAL sql_mode = '{mode}'")
    try:
        yield
    finally:
        server.execute(f"SET GLOBAL sql_mode = '{before}'")


def test_quotes_mean_what_the_validator_thinks_in_any_sql_mode(server_shop: LentDatabase) -> None:
    assert server_shop.server
    with sql_mode(server_shop.server, "ANSI,NO_BACKSLASH_ESCAPES"):
        result = server_shop.database.query("SELECT \"id\" AS a, 'it\\'s' AS b FROM regions LIMIT 1", LIMITS)
    assert result.rows == (("id", "it's"),)


# ── nothing is written ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO regions VALUES ('XX', 'XX', 'x')",
        "UPDATE regions SET name = 'x'",
        "DELETE FROM orders",
        "REPLACE INTO regions VALUES ('DE', 'BE', 'x')",
        "WITH x AS (SELECT 1) DELETE FROM orders",
        "DROP TABLE orders",
        "DROP VIEW paid_orders",
        "CREATE TABLE stolen (id INTEGER)",
        "CREATE TEMPORARY TABLE stolen AS SELECT * FROM orders",
        "ALTER TABLE orders ADD COLUMN x INTEGER",
        "SELECT 1; DROP TABLE orders",
        "COMMIT; DROP TABLE orders",
        "COMMIT",
        "BEGIN",
        "",
    ],
)
def test_statement_that_writes_is_refused(shop: LentDatabase, statement: str) -> None:
    before = shop.database.schema_version()
    with pytest.raises(QueryFailed):
        shop.database.query(statement, LIMITS)
    counts = "SELECT (SELECT COUNT(*) FROM orders), (SELECT COUNT(*) FROM regions WHERE name = 'x')"
    assert shop.database.query(counts, LIMITS).rows == ((350, 0),)
    assert shop.database.schema_version() == before


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM orders INTO OUTFILE '{file}'",
        "SELECT id INTO/**/DUMPFILE '{file}' FROM orders LIMIT 1",
        "SELECT id FROM orders /*!50000 INTO OUTFILE '{file}' */",
        "SELECT id FROM orders /*M! INTO OUTFILE '{file}' */",
        "SELECT id INTO @x FROM orders LIMIT 1",
        "SELECT @x := 1",
        "SELECT id FROM orders FOR UPDATE",
        "SELECT id FROM orders LOCK IN SHARE MODE",
        "SET SESSION max_statement_time = 0",
        "DO SLEEP(1)",
        "HANDLER orders OPEN",
        "CALL x()",
        "LOAD DATA LOCAL INFILE '/etc/hostname' INTO TABLE regions",
    ],
)
def test_server_statement_with_a_side_effect_is_refused(server_shop: LentDatabase, statement: str) -> None:
    assert server_shop.server
    file = server_shop.server.folder / "outfile"
    with pytest.raises(QueryFailed):
        server_shop.database.query(statement.format(file=file), LIMITS)
    assert not file.exists()


def test_words_inside_quotes_are_no_side_effect(server_shop: LentDatabase) -> None:
    sql = "SELECT 'go INTO; it' AS `INTO`, \"a -- b\" AS b /* FOR UPDATE */ FROM regions LIMIT 1"
    assert server_shop.database.query(sql, LIMITS).rows == (("go INTO; it", "a -- b"),)


# ── the account ──────────────────────────────────────────────────────────────────────────────────


def create_account(lent: LentDatabase, *statements: str) -> MysqlDatabase:
    """Make a new account, `{account}` in the statements, and return the database as it sees it."""
    assert lent.url
    user = f"u{next(_accounts)}"
    account = f"{user}@localhost"
    lent.load(f"CREATE USER {account} IDENTIFIED BY 'pw'")
    lent.load(*(statement.format(account=account, schema=lent.url.database) for statement in statements))
    return MysqlDatabase(lent.url.model_copy(update={"user": user, "password": SecretStr("pw")}))


_accounts = itertools.count(1)


def test_file_or_account_that_only_reads_is_fit(any_database: LentDatabase) -> None:
    any_database.load("CREATE TABLE t (id INTEGER)")
    database = any_database.database
    if any_database.server:
        database = create_account(any_database, "GRANT SELECT, SHOW VIEW ON {schema}.* TO {account}")
    database.check_account()


@pytest.mark.parametrize(
    ("grant", "named"),
    [
        ("GRANT INSERT ON {schema}.* TO {account}", "INSERT"),
        ("GRANT SELECT, UPDATE (id) ON {schema}.t TO {account}", "UPDATE"),
        ("GRANT DELETE ON {schema}.t TO {account}", "DELETE"),
        ("GRANT CREATE TEMPORARY TABLES, LOCK TABLES ON {schema}.* TO {account}", "LOCK TABLES"),
        ("GRANT EXECUTE ON {schema}.* TO {account}", "EXECUTE"),
        ("GRANT FILE ON *.* TO {account}", "FILE"),
        ("GRANT PROCESS ON *.* TO {account}", "PROCESS"),
        ("GRANT SUPER ON *.* TO {account}", "SUPER"),
        ("GRANT REPLICATION SLAVE ON *.* TO {account}", "REPLICATION SLAVE"),
        ("GRANT SELECT ON {schema}.* TO {account} WITH GRANT OPTION", "GRANT OPTION"),
        ("GRANT ALL ON {schema}.* TO {account}", "ALL PRIVILEGES"),
    ],
)
def test_account_that_may_do_more_is_refused(server_database: LentDatabase, grant: str, named: str) -> None:
    server_database.load("CREATE TABLE t (id INTEGER)")
    database = create_account(server_database, "GRANT SELECT ON {schema}.* TO {account}", grant)
    with pytest.raises(DatabaseAccountCanWrite, match=rf"may do more than read: .*{named}"):
        database.check_account()


def test_account_that_writes_through_a_role_is_refused(server_database: LentDatabase) -> None:
    role = f"editor{next(_accounts)}"
    of = "FOR" if server_database.product == "mariadb" else "TO"
    database = create_account(
        server_database,
        "GRANT SELECT ON {schema}.* TO {account}",
        f"CREATE ROLE {role}",
        f"GRANT DELETE ON {{schema}}.* TO {role}",
        f"GRANT {role} TO {{account}}",
    )
    database.check_account()  # the role is not active
    server_database.load(f"SET DEFAULT ROLE {role} {of} {database.url.user}@localhost")
    with pytest.raises(DatabaseAccountCanWrite, match="DELETE"):
        database.check_account()


def test_remedy_makes_an_account_that_is_fit(server_database: LentDatabase) -> None:
    assert server_database.url
    server_database.load("CREATE TABLE t (id INTEGER)", "CREATE VIEW v AS SELECT id FROM t")
    with pytest.raises(DatabaseAccountCanWrite) as caught:
        server_database.database.check_account()
    create, grant = (line for line in caught.value.remedy.splitlines() if line.endswith(";"))
    assert f"`{server_database.url.database.replace('_', chr(92) + '_')}`.*" in grant
    server_database.load(create.replace("…", "pw"), grant)
    try:
        url = server_database.url.model_copy(update={"user": "text2sql_reader", "password": SecretStr("pw")})
        MysqlDatabase(url).check_account()
        assert len(MysqlDatabase(url).read_catalog().tables) == 2
        assert MysqlDatabase(url).query("SELECT id FROM v", LIMITS).rows == ()
    finally:
        server_database.load("DROP USER 'text2sql_reader'@'%'")


def test_driver_that_runs_two_statements_is_refused(
    server_database: LentDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    # PyMySQL does so only when it is asked to, which nothing here does.
    monkeypatch.setattr(pymysql, "connect", partial(pymysql.connect, client_flag=CLIENT.MULTI_STATEMENTS))
    with pytest.raises(DatabaseError, match="several statements at once"):
        server_database.database.check_account()


# ── limits ───────────────────────────────────────────────────────────────────────────────────────


def test_slow_statement_is_stopped_in_time(shop: LentDatabase) -> None:
    started = time.monotonic()
    with pytest.raises(QueryTimedOut):
        shop.database.query(SLOW, SHORT)
    assert time.monotonic() - started < SHORT.seconds + 4
    if shop.server:
        assert wait_until_idle(shop.server) == []


def test_sleep_that_is_cut_short_counts_as_timed_out(server_shop: LentDatabase) -> None:
    with pytest.raises(QueryTimedOut):
        server_shop.database.query("SELECT SLEEP(5)", SHORT)


def test_servers_own_limit_holds_without_us(
    server_shop: LentDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if this program had died in the middle.
    monkeypatch.setattr("text2sql.execution.mysql_session.stop", lambda *_: None)
    started = time.monotonic()
    with pytest.raises(QueryTimedOut):
        server_shop.database.query(SLOW, SHORT)
    assert time.monotonic() - started < SHORT.seconds + 4


def test_second_connection_stops_what_the_server_does_not(
    server_shop: LentDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The server's own limit is what the test must take away; no setting of ours does.
    monkeypatch.setattr(
        "text2sql.execution.flavour.Flavour.statement_limit", lambda *_: "lock_wait_timeout = 2"
    )
    started = time.monotonic()
    with pytest.raises(QueryTimedOut):
        server_shop.database.query(SLOW, SHORT)
    assert time.monotonic() - started < SHORT.seconds + 4
    assert server_shop.server
    assert wait_until_idle(server_shop.server) == []


def test_interrupt_stops_the_statement(shop: LentDatabase) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(KeyboardInterrupt):
            shop.database.query(SLOW, LIMITS)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    if shop.server:
        assert wait_until_idle(shop.server) == []


def test_endless_recursion_ends_in_an_error(shop: LentDatabase) -> None:
    sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n"
    with pytest.raises((QueryFailed, QueryTimedOut)):
        shop.database.query(sql, SHORT)


def test_nothing_is_left_behind(server_shop: LentDatabase) -> None:
    assert server_shop.server
    for sql in ("SELECT id FROM orders", "SELECT nothing FROM orders", "SELECT id FROM customers LIMIT 1"):
        try:
            server_shop.database.query(sql, LIMITS)
        except QueryFailed:
            continue
    server_shop.database.read_catalog()
    server_shop.database.schema_version()
    assert wait_until_idle(server_shop.server) == []


# ── errors ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("sql", "feedback"),
    [
        ("SELECT o.sum FROM orders AS o", "Unknown column 'o.sum' in the statement."),
        ("SELECT sum FROM orders", "Unknown column 'sum' in the statement."),
        ("SELECT id FROM order_items", "Unknown table 'order_items' in the statement."),
        (
            "SELECT id FROM orders, customers",
            "The column name 'id' is ambiguous: write its table before it.",
        ),
        ("SELECT FOO_BAR(id) FROM orders", "Unknown function 'FOO_BAR' in the statement."),
    ],
)
def test_feedback_names_what_the_statement_names(shop: LentDatabase, sql: str, feedback: str) -> None:
    with pytest.raises(QueryFailed) as caught:
        shop.database.query(sql, LIMITS)
    assert caught.value.feedback == feedback
    assert caught.value.__cause__ is not None


def test_table_or_column_that_is_gone_is_a_changed_schema(shop: LentDatabase) -> None:
    shop.load("DROP VIEW paid_orders")
    for sql in (
        "SELECT id FROM paid_orders",
        "SELECT c.nick FROM customers AS c",
        "SELECT x.id FROM (SELECT id FROM order_items) AS x",
    ):
        with pytest.raises(SchemaChanged) as caught:
            shop.database.query(sql, LIMITS)
        assert caught.value.code == "SCHEMA_CHANGED"


def test_view_over_a_table_that_is_gone_is_a_changed_schema(shop: LentDatabase) -> None:
    shop.load("CREATE TABLE gone (id INTEGER)", "CREATE VIEW left_over AS SELECT id FROM gone")
    shop.load("DROP TABLE gone")
    with pytest.raises(SchemaChanged):
        shop.database.query("SELECT id FROM left_over", LIMITS)


def test_statement_that_is_wrong_in_itself_is_no_changed_schema(shop: LentDatabase) -> None:
    for sql in ("SELECT id FROM orders, customers", "SELECT FOO_BAR(id) FROM orders", "SELECT id FROM"):
        with pytest.raises(QueryFailed) as caught:
            shop.database.query(sql, LIMITS)
        assert caught.value.code == "QUERY_FAILED"


def test_syntax_error_says_near_which_word(shop: LentDatabase) -> None:
    with pytest.raises(QueryFailed, match=r"Syntax error in the statement near '(BETWIXT|id BETWIXT)"):
        shop.database.query("SELECT id FROM orders WHERE id BETWIXT 1 OR 2", LIMITS)


def test_column_outside_group_by_is_named(server_shop: LentDatabase) -> None:
    assert server_shop.server
    with (
        sql_mode(server_shop.server, "ONLY_FULL_GROUP_BY"),
        pytest.raises(QueryFailed, match=r"The column '.*total' is neither in GROUP BY"),
    ):
        server_shop.database.query("SELECT status, total FROM orders GROUP BY status", LIMITS)


def shown_error(database: Database, sql: str) -> str:
    try:
        database.query(sql, LIMITS)
    except Text2SqlError as error:
        return shown(error)
    return ""  # MariaDB only warns of some


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT EXTRACTVALUE(1, CONCAT(0x7e, (SELECT name FROM customers WHERE id = 1)))",
        "SELECT UPDATEXML(1, CONCAT(0x7e, (SELECT name FROM customers WHERE id = 1)), 1)",
        "SELECT ST_GeomFromText(name) FROM customers",
        "SELECT JSON_KEYS((SELECT name FROM customers WHERE id = 1), name) FROM customers",
        "SELECT name FROM customers WHERE JSON_LENGTH('{}', name) > 0",
    ],
)
def test_server_error_shows_no_stored_value(server_shop: LentDatabase, sql: str) -> None:
    assert "Canary" not in shown_error(server_shop.database, sql)


@pytest.mark.parametrize(
    "sql",
    ["SELECT json_extract('{}', name) FROM customers", "SELECT json('[' || name) FROM customers"],
)
def test_sqlite_error_shows_no_stored_value(tmp_path: Path, sql: str) -> None:
    lent = sqlite_database(tmp_path / "shop.db")
    lent.load(*SHOP)
    text = shown_error(lent.database, sql)
    assert text
    assert "Canary" not in text


def test_canary_is_in_the_servers_own_message(server_shop: LentDatabase) -> None:
    """Otherwise the test above could not fail."""
    with pytest.raises(QueryFailed) as caught:
        server_shop.database.query(
            "SELECT EXTRACTVALUE(1, CONCAT(0x7e, (SELECT name FROM customers WHERE id = 1)))", LIMITS
        )
    assert "Canary" in str(caught.value.__cause__)


def test_table_that_somebody_locks_is_unavailable(server_shop: LentDatabase) -> None:
    assert server_shop.server
    assert server_shop.url
    holder = server_shop.server.connect(server_shop.url.database)
    try:
        with holder.cursor() as cursor:
            cursor.execute("LOCK TABLES orders WRITE")
        with pytest.raises(DatabaseUnavailable, match="lock"):
            server_shop.database.query("SELECT COUNT(*) FROM orders", LIMITS)
    finally:
        holder.close()


@pytest.mark.parametrize("sql", ["SELECT 'a\0b'", "SELECT '\ud800'"])
def test_text_that_no_server_reads_is_refused(shop: LentDatabase, sql: str) -> None:
    with pytest.raises(QueryFailed):
        shop.database.query(sql, LIMITS)


def test_wrong_password_is_denied(server_database: LentDatabase) -> None:
    assert server_database.url
    url = server_database.url.model_copy(update={"password": SecretStr("wrong-secret")})
    with pytest.raises(DatabaseAccessDenied) as caught:
        MysqlDatabase(url).schema_version()
    assert "wrong-secret" not in shown(caught.value)


def test_unknown_schema_is_not_found(server_database: LentDatabase) -> None:
    assert server_database.url
    url = server_database.url.model_copy(update={"database": "nowhere"})
    with pytest.raises(DatabaseNotFound):
        MysqlDatabase(url).query("SELECT 1", LIMITS)


def test_refused_connection_is_unavailable() -> None:
    url = MysqlUrl(host="127.0.0.1", port=1, user="u", database="d")
    with pytest.raises(DatabaseUnavailable) as caught:
        MysqlDatabase(url, connect_timeout=1).query("SELECT 1", LIMITS)
    assert caught.value.remedy


def test_login_without_cryptography_takes_tls(mysql_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pymysql._auth._have_cryptography", False)
    mysql_server.execute("CREATE USER fresh IDENTIFIED BY 'pass word'", "GRANT SELECT ON mysql.db TO fresh")
    at = {"host": mysql_server.host, "port": mysql_server.port, "user": "fresh", "database": "mysql"}
    plain, encrypted = (
        MysqlDatabase(MysqlUrl.model_validate({**at, "password": "pass word", "ssl": ssl}))
        for ssl in ("disabled", "required")
    )
    with pytest.raises(DatabaseUnavailable, match="TLS"):
        plain.query("SELECT 1", LIMITS)
    assert encrypted.query("SELECT 1", LIMITS).rows == ((1,),)


def test_tls_is_used_where_the_server_has_it(server_database: LentDatabase) -> None:
    assert server_database.url
    sql = "SELECT VARIABLE_VALUE FROM {}.session_status WHERE VARIABLE_NAME = 'Ssl_cipher'"
    if server_database.product == "mariadb":
        with pytest.raises(DatabaseAccessDenied):  # this one has no certificate
            MysqlDatabase(server_database.url.model_copy(update={"ssl": "required"})).schema_version()
    else:
        required = server_database.url.model_copy(update={"ssl": "required"})
        assert MysqlDatabase(required).query(sql.format("performance_schema"), LIMITS)
        checked = required.model_copy(update={"ssl_verify": True})
        with pytest.raises(DatabaseAccessDenied):  # nobody has signed it
            MysqlDatabase(checked).schema_version()
    plain = server_database.url.model_copy(update={"ssl": "disabled"})
    assert MysqlDatabase(plain).query("SELECT 1", LIMITS).rows == ((1,),)


@pytest.fixture(params=[start_mariadb, start_mysql], ids=["mariadb", "mysql"])
def doomed_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with request.param(server_folder("doomed")) as server:
        create_writer(server)
        server.execute("CREATE DATABASE shop CHARACTER SET utf8mb4")
        server.execute(*SHOP, database="shop")
        yield server


def test_server_that_dies_in_the_middle_is_unavailable(doomed_server: Server) -> None:
    database = MysqlDatabase(writer_url(doomed_server, "shop"))
    killer = threading.Timer(0.4, doomed_server.kill)
    killer.start()
    try:
        with pytest.raises(DatabaseUnavailable):
            database.query(SLOW, LIMITS)
    finally:
        killer.join()
    with pytest.raises(DatabaseUnavailable):
        database.read_catalog()


def test_server_that_falls_silent_is_unavailable_in_the_end() -> None:
    with start_mariadb(server_folder("silent")) as server:
        create_writer(server)
        server.execute("CREATE DATABASE shop CHARACTER SET utf8mb4")
        pause = threading.Timer(0.2, server.process.send_signal, (signal.SIGSTOP,))
        pause.start()
        started = time.monotonic()
        with pytest.raises(DatabaseUnavailable):
            MysqlDatabase(writer_url(server, "shop")).query("SELECT SLEEP(5)", SHORT)
        assert time.monotonic() - started < 8
