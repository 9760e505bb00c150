"""The sample shop: its rows, its descriptions and its gold questions agree with each other."""

import hashlib
import importlib.util
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

SHOP = Path(__file__).resolve().parents[2] / "examples" / "shop"
CONTENT_SHA256 = "81dab03557ac3349a6f8d5e5169a31c35661a8e3a398f656d26a6fc4d9702f9d"
MYSQL_SMALLEST_PACKET = 1024 * 1024


def read_yaml(name: str) -> Any:
    return yaml.safe_load((SHOP / name).read_text(encoding="utf-8"))


CATALOG = read_yaml("catalog.yaml")
GLOSSARY = read_yaml("glossary.yaml")["terms"]
KNOWLEDGE = read_yaml("questions.yaml")
QUESTIONS = KNOWLEDGE["questions"]
DIALOGUES = yaml.safe_load((SHOP.parents[1] / "evals" / "dialogues.yaml").read_text("utf-8"))["dialogues"]
UNBOUGHT_REVIEWS = """
    reviews WHERE (customer_id, product_id) NOT IN (
      SELECT customer_id, product_id FROM orders NATURAL JOIN order_items)
"""
OVERPAID = """
    (SELECT order_id, SUM(amount) AS paid FROM payments GROUP BY order_id)
    NATURAL JOIN (SELECT order_id, SUM(line_total) AS due FROM order_items GROUP BY order_id)
    WHERE paid > due + 0.001
"""
HEADLINE = "Which five products earned the most last year, and how much?"


def load_build() -> ModuleType:
    """Load build.py under a name of its own: `build` is also a package on PyPI."""
    sys.path.insert(0, str(SHOP))
    try:
        spec = importlib.util.spec_from_file_location("shop_build", SHOP / "build.py")
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(SHOP))
    return module


def content_hash(database: sqlite3.Connection) -> str:
    digest = hashlib.sha256()
    for name in table_names(database):
        digest.update(name.encode())
        for row in database.execute(f"SELECT * FROM {name} ORDER BY 1"):
            digest.update(repr(row).encode())
    return digest.hexdigest()


def table_names(database: sqlite3.Connection) -> list[str]:
    rows = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    return [name for (name,) in rows]


def column_names(database: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in database.execute(f"PRAGMA table_info({table})")]


def count(database: sqlite3.Connection, source: str) -> int:
    return int(database.execute(f"SELECT COUNT(*) FROM {source}").fetchone()[0])


@pytest.fixture(scope="module")
def build() -> ModuleType:
    return load_build()


@pytest.fixture(scope="module")
def rows(build: ModuleType) -> Any:
    return build.generate_rows()


@pytest.fixture(scope="module")
def database(
    build: ModuleType, rows: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[sqlite3.Connection]:
    path = tmp_path_factory.mktemp("shop") / "shop.sqlite"
    build.build_sqlite(path, rows)
    with closing(sqlite3.connect(path)) as connection:
        yield connection


@pytest.fixture(scope="module")
def script(build: ModuleType, rows: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("shop") / "shop.sql"
    build.write_mysql_script(path, rows)
    return path.read_text(encoding="utf-8")


# The rows


def test_content_is_the_pinned_content(database: sqlite3.Connection) -> None:
    assert content_hash(database) == CONTENT_SHA256, "the sample data changed: pin it anew if meant"


def test_command_in_another_process_builds_the_same_content(tmp_path: Path) -> None:
    path = tmp_path / "again.sqlite"
    done = subprocess.run(
        [sys.executable, SHOP / "build.py", "--sqlite", path],
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
    )
    with closing(sqlite3.connect(path)) as connection:
        total = sum(count(connection, name) for name in table_names(connection))
        assert content_hash(connection) == CONTENT_SHA256
    assert re.fullmatch(rf"{total:,} rows in \d+\.\d s\n", done.stdout)
    assert [entry.name for entry in tmp_path.iterdir()] == ["again.sqlite"]


def test_interrupted_build_leaves_the_old_file(build: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "shop.sqlite"
    path.write_text("old")
    broken = {table.name: [(1,)] for table in build.TABLES}
    with pytest.raises(ValueError, match="zip"):
        build.build_sqlite(path, broken)
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["shop.sqlite"]


def test_size_is_that_of_a_small_business(database: sqlite3.Connection) -> None:
    names = table_names(database)
    assert 12 <= len(names) <= 16
    assert 250_000 <= sum(count(database, name) for name in names) <= 350_000


def test_row_count_is_returned_and_told_in_the_readme(
    build: ModuleType, rows: Any, database: sqlite3.Connection, tmp_path: Path
) -> None:
    actual = {name: count(database, name) for name in table_names(database)}
    assert build.build_sqlite(tmp_path / "shop.sqlite", rows) == sum(actual.values())
    readme = (SHOP / "README.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| (\w+) \| ([\d,]+) \|", readme, flags=re.MULTILINE)
    assert {name: int(number.replace(",", "")) for name, number in told} == actual


def test_foreign_keys_are_declared_and_hold(database: sqlite3.Connection) -> None:
    declared = sum(
        len(database.execute(f"PRAGMA foreign_key_list({name})").fetchall()) for name in table_names(database)
    )
    assert declared == 17
    assert database.execute("PRAGMA foreign_key_check").fetchall() == []


def test_links_carry_the_name_of_the_key_they_point_to(build: ModuleType) -> None:
    keys = {table.name: table.key for table in build.TABLES}
    odd = [
        (table.name, column.name)
        for table in build.TABLES
        for column in table.columns
        if column.references and column.name != keys[column.references]
    ]
    assert odd == [("employees", "manager_id")]


def test_no_date_is_after_the_last_day_but_a_promise(build: ModuleType, database: sqlite3.Connection) -> None:
    latest = {
        (table.name, column.name): database.execute(
            f"SELECT MAX({column.name}) FROM {table.name}"
        ).fetchone()[0]
        for table in build.TABLES
        for column in table.columns
        if column.kind == "date"
    }
    assert latest.pop(("shipments", "promised_date")) <= "2026-07-05"
    assert len(latest) == 14
    assert max(latest.values()) == build.AS_OF.isoformat() == CATALOG["as_of"].isoformat()


def test_dates_are_whole_iso_dates(build: ModuleType, database: sqlite3.Connection) -> None:
    for table in build.TABLES:
        for column in table.columns:
            if column.kind == "date":
                odd = f"{table.name} WHERE {column.name} NOT GLOB '20[12][0-9]-[01][0-9]-[0-3][0-9]'"
                assert count(database, odd) == 0, (table.name, column.name)


def test_orders_cover_every_day(database: sqlite3.Connection) -> None:
    first, last, days = database.execute(
        "SELECT MIN(order_date), MAX(order_date), COUNT(DISTINCT order_date) FROM orders"
    ).fetchone()
    assert (first, last, days) == ("2023-01-01", "2026-06-30", 1277)


def test_line_total_is_quantity_times_price_less_discount(database: sqlite3.Connection) -> None:
    wrong = "order_items WHERE ABS(line_total - quantity * unit_price * (1 - discount)) > 0.00501"
    assert count(database, wrong) == 0
    assert count(database, "order_items WHERE discount > 0") > 1000
    assert count(database, "order_items WHERE line_total <= 0") == 0


@pytest.mark.parametrize(
    "rule",
    [
        "orders JOIN order_items USING (order_id) WHERE status = 'cancelled'",
        "orders WHERE status <> 'cancelled' AND order_id NOT IN (SELECT order_id FROM order_items)",
        "orders WHERE (channel = 'online') <> (store_id IS NULL)",
        "orders WHERE (store_id IS NULL) <> (employee_id IS NULL)",
        "orders WHERE status NOT IN ('completed', 'shipped', 'processing', 'cancelled')",
        "orders JOIN customers USING (customer_id) WHERE order_date < signup_date",
        "orders JOIN stores USING (store_id) WHERE order_date < opened_date",
        "orders JOIN employees USING (employee_id) WHERE order_date < hire_date",
        "orders o JOIN employees e USING (employee_id) WHERE o.store_id <> e.store_id",
        "orders JOIN promotions USING (promotion_id) WHERE order_date NOT BETWEEN start_date AND end_date",
        "order_items NATURAL JOIN orders NATURAL JOIN products WHERE order_date < launch_date",
        "order_items NATURAL JOIN orders NATURAL JOIN products WHERE order_date > discontinued_date",
        "shipments JOIN orders USING (order_id) WHERE channel <> 'online' OR shipped_date < order_date",
        "shipments WHERE delivered_date < shipped_date",
        "shipments JOIN orders USING (order_id) WHERE (delivered_date IS NULL) <> (status = 'shipped')",
        "product_returns r JOIN order_items i USING (order_item_id) WHERE r.quantity > i.quantity",
        "product_returns JOIN order_items USING (order_item_id) WHERE refund_amount > line_total",
        UNBOUGHT_REVIEWS,
        OVERPAID,
        "(SELECT 1 FROM customers GROUP BY first_name, last_name HAVING COUNT(*) > 1)",
        "products WHERE unit_cost >= list_price",
    ],
)
def test_no_row_breaks_the_rule(database: sqlite3.Connection, rule: str) -> None:
    assert count(database, rule) == 0


@pytest.mark.parametrize(
    "case",
    [
        "orders WHERE status = 'cancelled'",
        "customers WHERE customer_id NOT IN (SELECT customer_id FROM orders)",
        "products WHERE product_id NOT IN (SELECT product_id FROM order_items)",
        "suppliers WHERE supplier_id NOT IN (SELECT supplier_id FROM products)",
        "products WHERE discontinued_date IS NOT NULL",
        "shipments WHERE delivered_date IS NULL",
        "shipments WHERE delivered_date > promised_date",
        "employees WHERE manager_id IS NULL",
        "customers WHERE loyalty_tier IS NULL",
        "reviews WHERE review_text IS NULL",
        "inventory WHERE quantity_on_hand = 0",
    ],
)
def test_a_case_worth_asking_about_occurs(database: sqlite3.Connection, case: str) -> None:
    assert count(database, case) > 0


# The knowledge


def test_catalog_describes_every_table_and_column_and_nothing_else(database: sqlite3.Connection) -> None:
    actual = {name: column_names(database, name) for name in table_names(database)}
    described = {name: list(entry["columns"]) for name, entry in CATALOG["tables"].items()}
    assert described == actual


def test_descriptions_are_short_sentences() -> None:
    for name, entry in CATALOG["tables"].items():
        for text in (entry["description"], *entry["columns"].values()):
            assert 10 <= len(text) <= 90, (name, text)
            assert text.endswith("."), (name, text)


def test_glossary_terms_are_unique_and_name_real_tables(database: sqlite3.Connection) -> None:
    tables = set(table_names(database))
    terms = [entry["term"] for entry in GLOSSARY]
    assert 15 <= len(terms) == len(set(terms))
    for entry in GLOSSARY:
        assert entry["meaning"], entry["term"]
        assert set(entry["tables"]) <= tables, entry["term"]


@pytest.mark.parametrize("entry", [e for e in GLOSSARY if "sql" in e], ids=lambda e: e["term"])
def test_glossary_sql_reads_only_its_tables(database: sqlite3.Connection, entry: dict[str, Any]) -> None:
    assert set(re.findall(r"([a-z]\w+)\.\w+", entry["sql"])) <= set(entry["tables"])
    database.execute(f"EXPLAIN SELECT {entry['sql']} FROM {', '.join(entry['tables'])}")


# The questions


def test_ids_are_unique_and_there_are_enough_of_each_kind() -> None:
    entries = [*QUESTIONS, *KNOWLEDGE["unanswerable"], *KNOWLEDGE["ambiguous"]]
    assert len({entry["id"] for entry in entries}) == len(entries)
    assert len({entry["question"] for entry in entries}) == len(entries)
    by_difficulty = [q["difficulty"] for q in QUESTIONS]
    assert set(by_difficulty) == {"easy", "medium", "hard"}
    assert len(QUESTIONS) >= 70
    assert by_difficulty.count("hard") >= 15
    assert len(KNOWLEDGE["unanswerable"]) >= 10
    assert len(KNOWLEDGE["ambiguous"]) >= 6
    assert all(entry["missing"] for entry in KNOWLEDGE["unanswerable"])
    assert all(len(entry["readings"]) >= 2 for entry in KNOWLEDGE["ambiguous"])


@pytest.mark.parametrize("entry", QUESTIONS, ids=lambda e: e["id"])
def test_gold_sql_gives_the_same_rows_twice(database: sqlite3.Connection, entry: dict[str, Any]) -> None:
    found = database.execute(entry["sql"]).fetchall()
    assert found
    assert all(value is not None for row in found for value in row)
    assert database.execute(entry["sql"]).fetchall() == found


@pytest.mark.parametrize("entry", QUESTIONS, ids=lambda e: e["id"])
def test_gold_sql_reads_the_tables_it_names(entry: dict[str, Any]) -> None:
    used = re.findall(r"\b(?:FROM|JOIN)\s+([a-z]\w*)", entry["sql"])
    assert set(used) == set(entry["tables"])


@pytest.mark.parametrize("entry", QUESTIONS, ids=lambda e: e["id"])
def test_gold_sql_is_portable(entry: dict[str, Any]) -> None:
    assert not re.search(r"strftime|\bILIKE\b|\|\||\"|LIMIT \d+,|\bUSING\b|;", entry["sql"], re.IGNORECASE)


@pytest.mark.parametrize("entry", [q for q in QUESTIONS if q["ordered"]], ids=lambda e: e["id"])
def test_ordered_gold_sql_has_no_ties(database: sqlite3.Connection, entry: dict[str, Any]) -> None:
    body = re.sub(r"LIMIT \d+$", "", entry["sql"])
    order = re.search(r"ORDER BY (\w+)(?: DESC)?\s*$", body)
    assert order, "the last ORDER BY names one column"
    cursor = database.execute(body)
    place = [column[0] for column in cursor.description].index(order[1])
    values = [row[place] for row in cursor.fetchall()]
    limit = re.search(r"LIMIT (\d+)$", entry["sql"])
    shown = values[: int(limit[1]) + 1] if limit else values
    assert len(set(shown)) == len(shown)


@pytest.mark.parametrize("entry", [q for q in QUESTIONS if not q["ordered"]], ids=lambda e: e["id"])
def test_unordered_gold_sql_is_not_cut(entry: dict[str, Any]) -> None:
    assert not re.search(r"LIMIT \d+$", entry["sql"])


@pytest.mark.parametrize("dialogue", DIALOGUES, ids=lambda each: each["id"])
def test_statements_of_dialogues_find_something(
    database: sqlite3.Connection, dialogue: dict[str, Any]
) -> None:
    for sql in (dialogue["sql"], *(turn["sql"] for turn in dialogue["earlier"] if "sql" in turn)):
        found = database.execute(sql).fetchall()
        assert found
        assert all(value is not None for row in found for value in row)


def test_headline_question_has_five_clear_winners(database: sqlite3.Connection) -> None:
    assert QUESTIONS[0]["question"] == HEADLINE
    found = database.execute(QUESTIONS[0]["sql"].replace("LIMIT 5", "LIMIT 6")).fetchall()
    assert found[0][0] == "Trailhead 40L Backpack"
    revenue = [row[1] for row in found]
    assert len(database.execute(QUESTIONS[0]["sql"]).fetchall()) == 5
    assert all(higher > lower * 1.1 for higher, lower in pairwise(revenue))


# The MySQL script


def statements(script: str) -> list[str]:
    return [part.strip() for part in script.split(";\n") if part.strip()]


def test_script_statements_are_known_and_fit_the_smallest_packet(script: str) -> None:
    known = ("-- Sample shop", "SET ", "DROP TABLE IF EXISTS ", "CREATE TABLE ", "INSERT INTO ")
    for statement in statements(script):
        assert statement.startswith(known), statement[:60]
        assert len(statement.encode()) < MYSQL_SMALLEST_PACKET
    assert "SET NAMES utf8mb4;" in script


def test_script_holds_every_row_once(script: str, database: sqlite3.Connection) -> None:
    inserted: dict[str, int] = {}
    for statement in statements(script):
        if match := re.match(r"INSERT INTO (\w+) \(([\w, ]+)\) VALUES\n", statement):
            name = match[1]
            assert match[2].split(", ") == column_names(database, name)
            inserted[name] = inserted.get(name, 0) + statement.count("\n(")
    assert inserted == {name: count(database, name) for name in table_names(database)}


def test_script_amounts_add_up_to_those_of_sqlite(script: str, database: sqlite3.Connection) -> None:
    lines = [s for s in statements(script) if s.startswith("INSERT INTO order_items ")]
    totals = re.findall(r",(\d+\.\d\d)\),?$", "\n".join(lines), flags=re.MULTILINE)
    revenue = database.execute("SELECT SUM(line_total) FROM order_items").fetchone()[0]
    assert sum(int(total.replace(".", "")) for total in totals) == round(revenue * 100)


def test_script_comments_are_the_catalog(script: str) -> None:
    for name, entry in CATALOG["tables"].items():
        (create,) = [s for s in statements(script) if s.startswith(f"CREATE TABLE {name} ")]
        for text in (entry["description"], *entry["columns"].values()):
            assert "'" + text.replace("'", "''") + "'" in create


def test_script_definitions_parse_as_mysql(script: str, database: sqlite3.Connection) -> None:
    sqlglot = pytest.importorskip("sqlglot")
    creates = [s for s in statements(script) if s.startswith("CREATE TABLE ")]
    assert len(creates) == len(table_names(database))
    for statement in creates:
        tree = sqlglot.parse_one(statement, dialect="mysql")
        name = tree.this.this.name
        columns = [column.name for column in tree.find_all(sqlglot.exp.ColumnDef)]
        assert columns == column_names(database, name)
        kinds = {str(column.kind) for column in tree.find_all(sqlglot.exp.ColumnDef)}
        assert all(re.fullmatch(r"INT|DATE|DECIMAL\(\d+, 2\)|VARCHAR\(\d+\)", kind) for kind in kinds)
        keys = len(database.execute(f"PRAGMA foreign_key_list({name})").fetchall())
        assert len(list(tree.find_all(sqlglot.exp.ForeignKey))) == keys
