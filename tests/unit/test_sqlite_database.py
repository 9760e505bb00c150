import multiprocessing
import os
import sqlite3
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import date, datetime
from functools import partial
from pathlib import Path

import pytest

from text2sql.datasource.catalog import Table
from text2sql.errors import (
    DatabaseCorrupt,
    DatabaseEmpty,
    DatabaseError,
    DatabaseNotFound,
    DatabaseUnavailable,
    QueryFailed,
    QueryTimedOut,
    Text2SqlError,
)
from text2sql.execution.port import QueryLimits
from text2sql.execution.sqlite import SqliteDatabase, _authorize

LIMITS = QueryLimits(rows=100, seconds=5)
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
NOBODY = 65534
MANY = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) "


def make(path: Path, *statements: str) -> SqliteDatabase:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    return SqliteDatabase(path)


@pytest.fixture
def items(tmp_path: Path) -> SqliteDatabase:
    return make(
        tmp_path / "items.db",
        "CREATE TABLE items (id INTEGER, name TEXT)",
        "INSERT INTO items VALUES (1, 'a')",
    )


def tables(database: SqliteDatabase) -> dict[str, Table]:
    return {table.name: table for table in database.read_catalog().tables}


@contextmanager
def lock(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield


def as_nobody(work: Callable[[], object]) -> str:
    """Run work in a process without rights and return the name of what it raised."""
    if os.geteuid() != 0:
        return _outcome(work)
    receiver, sender = multiprocessing.Pipe(duplex=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of a fork beside threads; the child runs none
        child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        sender.send(_outcome(work))
        os._exit(0)
    os.waitpid(child, 0)
    with receiver, sender:
        return str(receiver.recv()) if receiver.poll() else "nothing came back"


def _outcome(work: Callable[[], object]) -> str:
    try:
        work()
    except Text2SqlError as error:
        return type(error).__name__
    return "done"


# ── the file ─────────────────────────────────────────────────────────────────────────────────────


def test_missing_file_is_not_found_and_not_made(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "none.db")
    for call in (database.schema_version, database.read_catalog, lambda: database.query("SELECT 1", LIMITS)):
        with pytest.raises(DatabaseNotFound, match=r"none\.db"):
            call()
    assert list(tmp_path.iterdir()) == []


def test_folder_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(DatabaseNotFound, match="folder"):
        SqliteDatabase(tmp_path).read_catalog()


def test_pipe_is_not_found(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DatabaseNotFound, match="no file"):
        SqliteDatabase(tmp_path / "pipe").read_catalog()


def test_name_too_long_for_a_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(DatabaseNotFound):
        SqliteDatabase(tmp_path / ("x" * 5000)).read_catalog()


@pytest.mark.parametrize(
    "content", [b"this is a text file, not a database\n" * 100, b"SQLite format 3\0" + b"\xff" * 4000]
)
def test_file_that_is_no_database_is_corrupt(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.db").write_bytes(content)
    with pytest.raises(DatabaseCorrupt):
        SqliteDatabase(tmp_path / "x.db").read_catalog()


def test_damaged_database_is_corrupt(tmp_path: Path) -> None:
    database = make(
        tmp_path / "x.db",
        "CREATE TABLE t (a TEXT)",
        f"INSERT INTO t {MANY} SELECT hex(randomblob(40)) FROM n",
    )
    content = bytearray(database.path.read_bytes())
    content[8192:40960] = b"\xa5" * (40960 - 8192)
    database.path.write_bytes(content)
    with pytest.raises(DatabaseCorrupt):
        database.query("SELECT max(a) FROM t", LIMITS)


def test_schema_that_cannot_be_read_is_corrupt(items: SqliteDatabase) -> None:
    make(
        items.path,
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET sql = 'CREATE TABLE items (broken' WHERE name = 'items'",
    )
    with pytest.raises(DatabaseCorrupt):
        items.read_catalog()


@pytest.mark.parametrize("statements", [(), ("CREATE TABLE t (a)", "DROP TABLE t")])
def test_database_without_tables_is_empty(tmp_path: Path, statements: tuple[str, ...]) -> None:
    with pytest.raises(DatabaseEmpty):
        make(tmp_path / "x.db", *statements).read_catalog()


@pytest.mark.parametrize(
    "name", ["my shop.db", "a#b.db", "what?.db", "100%.db", "%41.db", "ünï.db", "a&mode=rwc.db"]
)
def test_any_file_name_will_do(tmp_path: Path, name: str) -> None:
    database = make(tmp_path / name, "CREATE TABLE t (a)")
    assert database.read_catalog().name == Path(name).stem
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_relative_path_counts_from_the_working_folder(
    items: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(items.path.parent)
    assert SqliteDatabase(Path(items.path.name)).query("SELECT name FROM items", LIMITS).rows == (("a",),)


def test_locked_database_is_unavailable_soon(items: SqliteDatabase) -> None:
    started = time.monotonic()
    with lock(items.path), pytest.raises(DatabaseUnavailable, match="locked") as caught:
        items.query("SELECT name FROM items", LIMITS)
    assert time.monotonic() - started < 8
    assert caught.value.remedy
    assert items.query("SELECT name FROM items", LIMITS).rows == (("a",),)


def test_file_that_may_not_be_read_is_denied(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir()
    database = make(folder / "x.db", "CREATE TABLE t (a)")
    folder.chmod(0)
    try:
        assert as_nobody(database.read_catalog) == "DatabaseAccessDenied"
    finally:
        folder.chmod(0o755)


def readable(path: Path) -> None:
    """Open the folders that pytest keeps to itself."""
    for parent in path.parents:
        if (
            parent.stat().st_mode & 0o777 == 0o700
            and parent.owner() == path.owner()
            and "pytest" in str(parent)
        ):
            parent.chmod(0o755)


def test_wal_database_in_a_folder_without_write_rights_can_be_read(tmp_path: Path) -> None:
    database = make(tmp_path / "x.db", "PRAGMA journal_mode = WAL", "CREATE TABLE t (a)")
    readable(database.path)
    tmp_path.chmod(0o555)
    assert as_nobody(database.read_catalog) == "done"
    tmp_path.chmod(0o755)


def test_wal_database_with_unfinished_work_is_not_read_around_it(tmp_path: Path) -> None:
    source = tmp_path / "source.db"
    make(source, "PRAGMA journal_mode = WAL", "CREATE TABLE t (a)")
    folder = tmp_path / "copy"
    folder.mkdir()
    with closing(sqlite3.connect(source)) as writer:
        writer.execute("INSERT INTO t VALUES (1)")
        writer.commit()
        for suffix in ("", "-wal"):
            (folder / f"x.db{suffix}").write_bytes(Path(f"{source}{suffix}").read_bytes())
    readable(folder / "x.db")
    folder.chmod(0o555)
    assert as_nobody(SqliteDatabase(folder / "x.db").read_catalog) == "DatabaseUnavailable"
    folder.chmod(0o755)


def test_database_that_changes_between_calls_is_read_anew(items: SqliteDatabase) -> None:
    before = items.schema_version()
    make(items.path, "CREATE TABLE more (a)", "INSERT INTO items VALUES (2, 'b')")
    assert items.schema_version() != before
    assert items.query("SELECT COUNT(*) FROM items", LIMITS).rows == ((2,),)


# ── statements ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "sql",
    [
        "ATTACH DATABASE '{folder}/other.db' AS other",
        "VACUUM INTO '{folder}/other.db'",
        "PRAGMA query_only = OFF",
        "PRAGMA writable_schema = ON",
        "PRAGMA table_info(items)",
        "SELECT load_extension('x')",
        "SELECT LOAD_EXTENSION('x')",
        "SELECT fts3_tokenizer('simple')",
        "SELECT * FROM sqlite_master",
        "SELECT * FROM SQLITE_SCHEMA",
        "SELECT name FROM main.sqlite_master",
        "SELECT * FROM pragma_database_list",
        "SELECT * FROM pragma_table_info('items')",
        "SAVEPOINT x",
        "EXPLAIN DELETE FROM items",
        "CREATE TEMP VIEW v AS SELECT 1",
        "REINDEX",
        "ANALYZE",
    ],
)
def test_statement_that_does_more_than_read_is_refused(items: SqliteDatabase, sql: str) -> None:
    with pytest.raises(QueryFailed):
        items.query(sql.format(folder=items.path.parent), LIMITS)
    assert [path.name for path in items.path.parent.iterdir()] == ["items.db"]


@pytest.mark.parametrize("name", ["load_extension", "readfile", "writefile", "edit", "fts3_tokenizer"])
def test_function_that_reaches_outside_is_refused_in_any_build(name: str) -> None:
    # Which of them exist depends on how Python was built, so SQLite's question is asked here.
    assert _authorize(sqlite3.SQLITE_FUNCTION, None, name, None, None) == sqlite3.SQLITE_DENY
    assert _authorize(sqlite3.SQLITE_FUNCTION, None, "lower", None, None) == sqlite3.SQLITE_OK


def test_file_is_opened_so_that_nothing_can_write(items: SqliteDatabase) -> None:
    with items._opened() as connection:
        connection.execute("PRAGMA query_only = OFF")
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            connection.execute("DELETE FROM items")


def test_driver_that_runs_two_statements_is_refused(
    items: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Lenient(sqlite3.Connection):
        def execute(self, sql: str, *parameters: object) -> sqlite3.Cursor:  # type: ignore[override]
            return super().execute(sql.partition(";")[0], *parameters)  # type: ignore[arg-type]

    items.check_account()
    # Python's own refuses, so there is none to pass in.
    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Lenient))
    with pytest.raises(DatabaseError, match="several statements at once"):
        items.check_account()


def test_feedback_does_not_tell_what_a_view_hides(items: SqliteDatabase) -> None:
    make(items.path, "CREATE VIEW v AS SELECT hidden FROM items")
    with pytest.raises(QueryFailed) as caught:
        items.query("SELECT * FROM v", LIMITS)
    assert caught.value.feedback == "Unknown column in the statement."


def test_view_does_not_lend_the_schema(items: SqliteDatabase) -> None:
    make(items.path, "CREATE VIEW leak AS SELECT sql FROM sqlite_master")
    with pytest.raises(QueryFailed):
        items.query("SELECT * FROM leak", LIMITS)


@pytest.mark.parametrize(
    "sql",
    [
        ENDLESS,
        "SELECT count(*) FROM "
        + ", ".join(["json_each('[' || replace(hex(zeroblob(400)), '0', '1,') || '1]')"] * 4),
    ],
)
def test_endless_statement_is_stopped_in_time(items: SqliteDatabase, sql: str) -> None:
    started = time.monotonic()
    with pytest.raises(QueryTimedOut):
        items.query(sql, QueryLimits(seconds=0.2, in_background=True))
    assert time.monotonic() - started < 4


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT length(randomblob(500000000))",
        "SELECT length(zeroblob(500000000))",
        f"SELECT 'a' LIKE '{'%a' * 200}'",
    ],
)
def test_value_that_would_fill_the_memory_is_refused(items: SqliteDatabase, sql: str) -> None:
    started = time.monotonic()
    with pytest.raises(QueryFailed):
        items.query(sql, LIMITS)
    assert time.monotonic() - started < 4


@pytest.mark.parametrize(
    ("sql", "feedback"),
    [
        (
            "SELECT COUNT(*) FROM items WHERE COUNT(*) > 1",
            "The aggregate 'COUNT' stands where none may stand.",
        ),
        ("SELECT id FROM items WHERE max(id) > sum(id)", "The aggregate 'sum' stands where none may stand."),
        ("SELECT rank() OVER () FROM items WHERE rank() OVER () > 1", "window function 'rank' stands"),
        ("SELECT abs(1, 2)", "Wrong number of arguments to the function 'abs'."),
        (
            "SELECT id FROM items UNION SELECT 1, 2",
            "Both sides of the UNION need the same number of columns.",
        ),
        ("SELECT (SELECT 1, 2)", "A subquery returns the wrong number of columns."),
        ("SELECT id FROM items GROUP BY sum(id)", "GROUP BY may hold no aggregate."),
        ("SELECT id FROM items UNION SELECT 1 ORDER BY name", "ORDER BY names no column of the UNION."),
        ("SELECT id FROM", "The statement ends too early."),
        ("SELECT [no such] FROM items", "Unknown column 'no such' in the statement."),
        ('SELECT i."n""o" FROM items i', "Unknown column 'i.n\"o' in the statement."),
        ("SELECT 1 WHERE json('x')", "The database refused the statement."),
        ("SELECT 1; SELECT 2", "Only one statement may run."),
        ("-- nothing", "The statement returns no rows; write a SELECT."),
    ],
)
def test_feedback_says_what_to_change(items: SqliteDatabase, sql: str, feedback: str) -> None:
    with pytest.raises(QueryFailed) as caught:
        items.query(sql, LIMITS)
    assert feedback in caught.value.feedback


def test_text_that_is_not_utf8_is_read_with_marks(tmp_path: Path) -> None:
    database = make(
        tmp_path / "x.db", "CREATE TABLE t (a TEXT)", "INSERT INTO t VALUES (CAST(X'41FF42' AS TEXT))"
    )
    assert database.query("SELECT a FROM t", LIMITS).rows == (("A\ufffdB",),)
    assert tables(database)["t"].columns[0].samples == ("A\ufffdB",)


def test_huge_cell_is_cut(items: SqliteDatabase) -> None:
    limits = QueryLimits(cell_characters=100)
    text, data = items.query("SELECT hex(zeroblob(10000000)), zeroblob(10000000)", limits).rows[0]
    assert text == "0" * 99 + "…"
    assert data == bytes(97) + "…".encode()


@pytest.mark.parametrize(
    ("values", "kind", "cells"),
    [
        (["'2024-02-29'", "NULL"], "date", [date(2024, 2, 29), None]),
        (["'2024-02-29 10:00:00'"], "datetime", [datetime(2024, 2, 29, 10)]),  # noqa: DTZ001  # it has no zone
        (["'2024-02-29'", "'soon'"], "text", ["2024-02-29", "soon"]),
        (["'2024-02-30'"], "text", ["2024-02-30"]),
        (["1", "'x'"], "text", [1, "x"]),
        (["1", "2.5"], "number", [1, 2.5]),
        (["NULL"], "unknown", [None]),
    ],
)
def test_column_has_the_type_of_its_values(
    items: SqliteDatabase, values: list[str], kind: str, cells: list[object]
) -> None:
    result = items.query("VALUES " + ", ".join(f"({value})" for value in values), LIMITS)
    assert result.columns[0].type == kind
    assert [row[0] for row in result.rows] == cells


def test_full_text_search_works(tmp_path: Path) -> None:
    database = make(
        tmp_path / "x.db",
        "CREATE VIRTUAL TABLE docs USING fts5(title, body)",
        "INSERT INTO docs VALUES ('One', 'the quick fox')",
    )
    assert database.query("SELECT title FROM docs WHERE docs MATCH 'fox'", LIMITS).rows == (("One",),)
    found = tables(database)
    assert list(found) == ["docs"]
    assert database.query("SELECT value FROM json_each('[7]')", LIMITS).rows == ((7,),)
    assert [column.name for column in found["docs"].columns] == ["title", "body"]


# ── the catalog ──────────────────────────────────────────────────────────────────────────────────


def test_weird_names_are_kept(tmp_path: Path) -> None:
    database = make(
        tmp_path / "x.db",
        'CREATE TABLE "order ""details""" ("select" INTEGER PRIMARY KEY, "a b" TEXT, "日本" TEXT, [x.y])',
        "INSERT INTO \"order \"\"details\"\"\" VALUES (1, 'p', 'q', 'r')",
    )
    table = tables(database)['order "details"']
    assert [column.name for column in table.columns] == ["select", "a b", "日本", "x.y"]
    assert [column.samples for column in table.columns] == [(), ("p",), ("q",), ("r",)]
    assert (table.primary_key, table.row_count) == (("select",), 1)


def test_foreign_keys_are_resolved(tmp_path: Path) -> None:
    database = make(
        tmp_path / "x.db",
        "CREATE TABLE Parent (Id INTEGER PRIMARY KEY, code TEXT UNIQUE)",
        "CREATE TABLE pair (b INTEGER, a INTEGER, PRIMARY KEY (a, b)) WITHOUT ROWID",
        """CREATE TABLE child (
           p INTEGER REFERENCES parent, c TEXT REFERENCES PARENT (CODE), x INTEGER, y INTEGER,
           n INTEGER REFERENCES nowhere, z INTEGER REFERENCES parent (other),
           FOREIGN KEY (x, y) REFERENCES pair)""",
    )
    found = tables(database)
    assert [(key.columns, key.table, key.references) for key in found["child"].foreign_keys] == [
        (("p",), "Parent", ("Id",)),
        (("c",), "Parent", ("code",)),
        (("x", "y"), "pair", ("a", "b")),
    ]
    assert found["pair"].primary_key == ("a", "b")
    assert not any(column.nullable for column in found["pair"].columns)


def test_generated_columns_are_columns(tmp_path: Path) -> None:
    database = make(
        tmp_path / "x.db", "CREATE TABLE t (a INTEGER, b INTEGER AS (a * 2), c INTEGER AS (a * 3) STORED)"
    )
    assert [column.name for column in tables(database)["t"].columns] == ["a", "b", "c"]


def test_internal_tables_and_unknown_modules_are_left_out(tmp_path: Path) -> None:
    database = make(
        tmp_path / "x.db",
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, docs_content TEXT)",
        "CREATE TABLE u (a)",
        "ANALYZE",
        "PRAGMA writable_schema = ON",
        "INSERT INTO sqlite_master VALUES ('table', 'v', 'v', 0, 'CREATE VIRTUAL TABLE v USING none')",
    )
    assert list(tables(database)) == ["t", "u"]


def test_large_table_is_sampled_at_both_ends_and_counted(tmp_path: Path) -> None:
    database = make(
        tmp_path / "x.db",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, state TEXT)",
        "CREATE TABLE w (k TEXT PRIMARY KEY, state TEXT) WITHOUT ROWID",
        f"INSERT INTO t {MANY} SELECT i, CASE WHEN i > 990 THEN 'new' WHEN i > 250 THEN 'mid' ELSE 'old' END "
        "FROM n",
        "INSERT INTO w SELECT printf('%05d', id), state FROM t",
    )
    for table in tables(database).values():
        assert table.columns[1].samples == ("old", "mid", "new")
        assert table.row_count == 1000


def test_row_count_of_the_last_analyze_is_taken(tmp_path: Path) -> None:
    database = make(
        tmp_path / "x.db",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER)",
        "CREATE INDEX i ON t (a)",
        f"INSERT INTO t {MANY} SELECT i, i FROM n",
        "ANALYZE",
        "INSERT INTO t (a) VALUES (1)",
    )
    assert tables(database)["t"].row_count == 1000


def test_slow_view_does_not_hold_the_catalog_up(tmp_path: Path) -> None:
    database = make(tmp_path / "x.db", "CREATE TABLE t (a TEXT)", f"CREATE VIEW slow AS {ENDLESS}")
    started = time.monotonic()
    found = tables(database)
    assert time.monotonic() - started < 6
    assert found["slow"].kind == "view"
    assert found["slow"].columns[0].samples == ()


def test_spent_budget_leaves_counts_and_samples_out(
    items: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A budget that a test could really spend would take seconds.
    monkeypatch.setattr("text2sql.datasource.introspection.sqlite.SAMPLING_SECONDS", 0)
    monkeypatch.setattr("text2sql.datasource.introspection.sqlite.COUNTING_SECONDS", 0)
    table = tables(items)["items"]
    assert (table.row_count, table.columns[1].samples) == (None, ())


def test_catalog_of_three_thousand_columns_is_read_in_seconds(tmp_path: Path) -> None:
    columns = ", ".join(f"c{n} {'TEXT' if n % 2 else 'REAL'}" for n in range(13))
    values = ", ".join(f"'value ' || (i % {n + 2})" if n % 2 else "i * 0.5" for n in range(13))
    database = make(
        tmp_path / "x.db",
        *(
            f"CREATE TABLE t{n} (id INTEGER PRIMARY KEY, up INTEGER REFERENCES t{max(n - 1, 0)}, {columns})"
            for n in range(200)
        ),
        *(f"INSERT INTO t{n} {MANY} SELECT i, i, {values} FROM n LIMIT 400" for n in range(200)),
    )
    started = time.monotonic()
    catalog = database.read_catalog()
    assert time.monotonic() - started < 10
    assert sum(len(table.columns) for table in catalog.tables) == 3000
    started = time.monotonic()
    database.schema_version()
    assert time.monotonic() - started < 1
