"""Databases that differ in nothing but what a caller may not see, and statements that try to tell them apart.

A statement leaks when anything that comes of it holds a marker that only hidden cells hold, or when its
result or error is not the same on both databases. No leak of a bit, such as an error that a hidden row
causes or a count that it changes, is too small to be seen that way.
"""

import io
import logging
import random
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from text2sql.datasource.catalog import Catalog, Column, Table
from text2sql.datasource.policy.access import Access, Caller
from text2sql.datasource.policy.decide import access_for
from text2sql.datasource.policy.load import load_policy
from text2sql.errors import QueryFailed, SqlRejected, Text2SqlError
from text2sql.execution.sqlite import sha2
from text2sql.execution.sqlite_errors import translation
from text2sql.messages import Dialect, SqlDraft
from text2sql.validation.step import validate_sql

MARKER = "Zq7x"
MARKER_NUMBER = 73917
ROW_LIMIT = 100_000
"""Beyond any result here, so that the limit that is put in cuts nothing."""
ODD_REGION = "O'Hara \\' OR 1=1 -- \U0001f511"
_TRACE = re.compile(rf"{MARKER}|{MARKER_NUMBER}|{MARKER.encode().hex()}|-07-31", re.IGNORECASE)
"""The last is the day of those birth dates of which only the year may be seen, also where they filter."""

_COLUMNS = {
    "customers": {
        "customer_id": "INTEGER",
        "name": "VARCHAR(80)",
        "region": "VARCHAR(80)",
        "email": "VARCHAR(80)",
        "phone": "VARCHAR(80)",
        "birth_date": "DATE",
        "tax_id": "VARCHAR(80)",
        "code": "VARCHAR(80)",
    },
    "orders": {
        "order_id": "INTEGER",
        "customer_id": "INTEGER",
        "day": "DATE",
        "amount": "INTEGER",
        "secret": "VARCHAR(80)",
    },
    "products": {"product_id": "INTEGER", "name": "VARCHAR(80)", "price": "INTEGER", "cost": "INTEGER"},
    "secrets": {"id": "INTEGER", "name": "VARCHAR(80)", "amount": "INTEGER"},
    "name": {"name": "VARCHAR(80)"},
}
_POLICY = """
attributes: {region: text, ids: list of integer}
groups:
  everyone:
    tables:
      products: {deny: [cost]}
  region:
    inherits: [everyone]
    tables:
      customers:
        deny: [email]
        mask: {phone: last_four, birth_date: year_only, tax_id: full, code: hash}
        rows: region = {caller.region}
      orders:
        deny: [secret]
        rows: customer_id IN (SELECT customer_id FROM customers WHERE region = {caller.region})
  own:
    inherits: [everyone]
    tables:
      customers:
        deny: [email, tax_id]
        mask: {phone: full, birth_date: year_only, code: hash}
        filter_by: [birth_date]
        rows: customer_id IN {caller.ids}
      orders:
        deny: [secret]
        mask: {day: year_only}
        rows: customer_id IN {caller.ids} AND amount < 500
"""
CALLERS: Mapping[str, Caller] = {
    "of a region": Caller(groups=("region",), attributes={"region": "north"}),
    "of an odd region": Caller(groups=("region",), attributes={"region": ODD_REGION}),
    "of two groups": Caller(groups=("region", "own"), attributes={"region": "south", "ids": (1, 5)}),
    "of own rows": Caller(groups=("own",), attributes={"ids": (1, 2, 4)}),
    "of no row": Caller(groups=("own",), attributes={"ids": ()}),
    "of the lowest group": Caller(groups=("everyone", "nonsense")),
}


def catalog(dialect: Dialect = "sqlite", name: str = "main") -> Catalog:
    """Return the whole catalog, of which no caller sees all."""
    tables = tuple(
        Table(name=table, columns=tuple(Column(name=column, type=kind) for column, kind in columns.items()))
        for table, columns in _COLUMNS.items()
    )
    return Catalog(name=name, dialect=dialect, server="test", tables=tables)


def accesses(whole: Catalog) -> dict[str, Access]:
    """Return what each of the callers may see."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "policy.yaml")
        path.write_text(_POLICY, "utf-8")
        policy = load_policy(path, whole)
    return {name: access_for(policy, caller, whole) for name, caller in CALLERS.items()}


# ── the two databases ────────────────────────────────────────────────────────────────────────────

Rows = Mapping[str, Sequence[tuple[object, ...]]]
_REGIONS = {1: "north", 2: "north", 3: "south", 4: ODD_REGION, 5: "north", 6: "east", 7: "south"}
_VISIBLE_CUSTOMERS = {
    "of a region": {1, 2, 5},
    "of an odd region": {4},
    "of two groups": {1, 3, 5, 7},
    "of own rows": {1, 2, 4},
    "of no row": set[int](),
    "of the lowest group": set[int](),
}


def rows_for(caller: str, *, second: bool) -> Rows:
    """Return a database's rows; what the caller may see is the same in both, all else differs."""
    visible = _VISIBLE_CUSTOMERS[caller]
    sees_phone = caller in {"of a region", "of an odd region"}
    twist = f"{MARKER}2" if second else f"{MARKER}1"
    customers: list[tuple[object, ...]] = []
    orders: list[tuple[object, ...]] = []
    for number, region in _REGIONS.items():
        shown = number in visible
        if not shown and second and number % 2:
            continue  # the second database lacks some hidden rows
        ending = f"{number}678" if sees_phone else twist
        month = 1 if second and caller != "of own rows" else 7  # those may filter by it
        customers.append(
            (
                number,
                f"Name {number % 3}" if shown else twist,
                region,
                f"{twist}@{number}",
                f"{twist}-{number}-{ending}" if shown else twist,
                f"{1980 + number}-{month:02}-31" if shown else f"19{20 + 30 * second}-01-0{number}",
                twist,
                f"code {number}" if shown else twist,
            )
        )
        for place in range(number % 3 + 1):
            amount = 50 * place + number if shown else MARKER_NUMBER + second
            orders.append((10 * number + place, number, f"2025-0{place + 1}-1{number}", amount, twist))
    if caller in {"of two groups", "of own rows"}:  # of the day they see the year
        orders = [(*order[:2], f"2025-1{int(second)}-11", *order[3:]) for order in orders]
    products = [
        (number, f"Product {number}", 10 * number, MARKER_NUMBER + number * (1 + second))
        for number in range(1, 5)
    ]
    secrets = [(number, twist, MARKER_NUMBER + second) for number in range(2 if second else 5)]
    hidden = [(twist,), ("Name 1",)] if second else [(twist,)]
    return {
        "customers": customers,
        "orders": orders,
        "products": products,
        "secrets": secrets,
        "name": hidden,
    }


def statements_that_build(rows: Rows) -> Iterator[tuple[str, Sequence[tuple[object, ...]]]]:
    """Yield what makes the tables, each with the rows to run it for; `?` stands for a value."""
    for table, columns in _COLUMNS.items():
        declared = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        yield f"CREATE TABLE {table} ({declared})", ((),)
        yield f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})", rows[table]


class SqliteTwin:
    """One of the two databases, in memory."""

    def __init__(self, rows: Rows) -> None:
        self._connection = sqlite3.connect(":memory:")
        self._connection.create_function("sha2", 2, sha2, deterministic=True)
        for sql, each in statements_that_build(rows):
            self._connection.executemany(sql, each) if "?" in sql else self._connection.execute(sql)

    def reduce(self, tables: Mapping[str, str]) -> None:
        """Keep these tables alone, each with the rows of its query."""
        for name, sql in tables.items():
            self._connection.execute(f"CREATE TABLE new_{name} AS {sql}")
        for name in _COLUMNS:
            self._connection.execute(f"DROP TABLE {name}")
        for name in tables:
            self._connection.execute(f"ALTER TABLE new_{name} RENAME TO {name}")

    def run(self, sql: str) -> Any:
        """Return the columns and rows, or the error as a caller would be told of it."""
        try:
            with closing(self._connection.execute(sql)) as cursor:
                return [column[0] for column in cursor.description], cursor.fetchall()
        except sqlite3.Error as error:
            return told(translation(error, Path("test.db"), sql))


def told(error: Text2SqlError) -> tuple[str, str, str]:
    """Return all that anybody is told of an error."""
    return error.code, error.message, error.feedback if isinstance(error, QueryFailed) else error.remedy


# ── the judgement ────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Verdict:
    """What became of one statement."""

    sql: str
    ran: bool
    leak: str = ""
    """How it leaks, if it does."""


class Judge:
    """Validates statements for one caller and runs them on both databases."""

    def __init__(self, access: Access, first: Any, second: Any) -> None:
        self._access = access
        self._twins = (first, second)
        self._log = io.StringIO()
        self._handler = logging.StreamHandler(self._log)

    def judge(self, sql: str) -> Verdict:
        """Return whether the statement ran, and whether it leaks."""
        root = logging.getLogger()
        root.addHandler(self._handler)
        try:
            return self._judge(sql)
        finally:
            root.removeHandler(self._handler)

    def _judge(self, sql: str) -> Verdict:
        try:
            valid = validate_sql(SqlDraft(sql=sql), self._access, ROW_LIMIT)
        except SqlRejected as refused:
            return Verdict(sql, ran=False, leak=self._find_trace(refused.message, refused.feedback))
        first, second = (twin.run(valid.sql) for twin in self._twins)
        leak = self._find_trace(repr(first), repr(second), *valid.changes, valid.sql)
        if not leak and first != second:
            leak = f"{first!r} and {second!r} for {' '.join(valid.sql.split())}"
        return Verdict(sql, ran=isinstance(first[0], list), leak=leak)

    def _find_trace(self, *texts: str) -> str:
        text = "\n".join((*texts, self._log.getvalue()))
        found = _TRACE.search(text)
        return f"a marker in {text[max(found.start() - 200, 0) : found.end() + 50]}" if found else ""


def sqlite_judges() -> dict[str, Judge]:
    """Return a judge with its two databases for each caller."""
    return {
        caller: Judge(
            access, SqliteTwin(rows_for(caller, second=False)), SqliteTwin(rows_for(caller, second=True))
        )
        for caller, access in accesses(catalog()).items()
    }


# ── the statements ───────────────────────────────────────────────────────────────────────────────

GRAMMAR: Mapping[str, Sequence[str]] = {
    "query": (
        "{select}",
        "{select}",
        "{select} {set} {select}",
        "WITH {cte} AS ({select}) {select}",
        "WITH {cte} AS ({select}), {cte} AS ({select}) {select}",
        "WITH {cte#1} AS ({select}) SELECT * FROM {cte#1}",
        "WITH {cte#1} AS (SELECT * FROM {table}) SELECT {expression} FROM {cte#1} AS a",
        "WITH RECURSIVE {cte#1} AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM {cte#1} WHERE n < 5) {count}",
        "WITH RECURSIVE c AS ({named} UNION SELECT n + 1, m FROM c JOIN {table} ON n < 4) SELECT * FROM c",
        "WITH customers AS (SELECT {other} AS customer_id, {region} AS region, 'x' AS name) {select}",
        "WITH {cte} AS (SELECT 1 AS id) ({select}) {set} (SELECT * FROM {cte})",
        "SELECT * FROM ({query}) AS {alias}",
        "SELECT a.*, (SELECT {aggregate} FROM {table} AS b WHERE {condition}) FROM {table} AS a",
        "({select}) {set} ({select})",
        "SELECT * FROM (WITH {cte#1} AS ({select}) SELECT * FROM {cte#1}) AS {alias}",
    ),
    "select": (
        "SELECT {expression} AS x FROM {table} AS a",
        "SELECT * FROM {table} AS a",
        "SELECT {item} FROM {table} AS a {where}",
        "SELECT {item}, {item} FROM {table} AS a {where} {order}",
        "SELECT DISTINCT {item} FROM {table} AS a {where}",
        "SELECT a.* FROM {table} AS a {where} {order}",
        "SELECT {bare}, COUNT(*) AS n FROM {table} {group}",
        "SELECT {expression#1}, {aggregate} FROM {table} AS a {where} GROUP BY {expression#1} {having}",
        "SELECT {aggregate}, {aggregate} FROM {table} AS a {where}",
        "SELECT {item} FROM {table} AS a {join} {table} AS b {on} {where}",
        "SELECT * FROM {table} AS a {join} {table} AS b {on}",
        "SELECT b.*, a.{column} FROM {table} AS a, {table} AS b WHERE {condition}",
        "SELECT * FROM {table} NATURAL JOIN {table}",
        "SELECT * FROM {table} AS a NATURAL LEFT JOIN {table} AS b",
        "SELECT * FROM {table} JOIN {table} USING ({column})",
        "SELECT * FROM ({table} AS a CROSS JOIN {table} AS b)",
        "SELECT * FROM ({table}) AS a",
        "SELECT {item}, j.x FROM {table} AS a {join} JSON_TABLE(JSON_ARRAY({expression}), {json}) AS j {on}",
        "SELECT a.{column}, j.x FROM {table} AS a, JSON_TABLE(JSON_ARRAY(a.{column}), {json}) AS j",
        "SELECT {item}, l.x FROM {table} AS a {join} LATERAL (SELECT {expression} AS x) AS l {on}",
        "SELECT {item} FROM ({select}) AS a",
        "SELECT {item} FROM (SELECT * FROM {table}) AS a {where}",
        "SELECT {window} FROM {table} AS a {where}",
        "SELECT {item} FROM {table} AS a WHERE EXISTS (SELECT 1 FROM {table} AS b WHERE {condition})",
        "SELECT {item} FROM {table} AS a WHERE a.{column} {in} (SELECT {column} FROM {table})",
        "SELECT {item} FROM {table} AS a WHERE {in_name}",
        "SELECT {item} FROM {table} AS a WHERE {risky} > 0",
        "SELECT COUNT(*) FROM {table} AS a WHERE {risky} > 0 AND {condition}",
        "SELECT a.{column} FROM {table} AS a JOIN {table} AS b ON {risky} > 0",
        "SELECT {risky} AS r FROM {table} AS a {where}",
        "SELECT {bare} FROM {table} {order}",
        "SELECT {table}.{column} FROM {table}",
        "SELECT {alias}.* FROM {table} AS {alias}",
        "SELECT 1 AS secrets, {item} FROM {table} AS a, (SELECT * FROM {table}) AS secrets",
    ),
    "item": ("{expression}", "{expression} AS x", "a.{column}", "{bare}", "a.*", "{risky}", "{window} AS w"),
    "expression": (
        "a.{column}",
        "a.{column}",
        "a.{column} || a.{column}",
        "LENGTH(a.{column})",
        "SUBSTR(a.{column}, {number}, 1)",
        "HEX(a.{column})",
        "COALESCE(a.{column}, a.{column}, {value})",
        "CASE WHEN {condition} THEN a.{column} ELSE {value} END",
        "(SELECT {aggregate} FROM {table} AS a)",
        "(SELECT {column} FROM {table} ORDER BY 1 LIMIT 1)",
        "UPPER(a.{column})",
        "QUOTE(a.{column})",
        "CAST(a.{column} AS {type})",
        "a.{column} IS NULL",
        "{value}",
    ),
    "bare": (*("{column}",) * 20, '"{column}"', "`{column}`", "{hidden}"),
    "aggregate": (
        "COUNT(*)",
        "COUNT({expression})",
        "COUNT(DISTINCT {expression})",
        "MAX({expression})",
        "MIN({expression})",
        "SUM({expression})",
        "GROUP_CONCAT({expression})",
        "GROUP_CONCAT(DISTINCT {expression})",
        "JSON_GROUP_ARRAY({expression})",
        "JSON_ARRAYAGG({expression})",
        "TOTAL({expression})",
    ),
    "window": (
        "ROW_NUMBER() OVER (ORDER BY {expression})",
        "LAG({expression}) OVER (PARTITION BY {expression} ORDER BY {expression})",
        "FIRST_VALUE({expression}) OVER (ORDER BY {expression})",
        "COUNT(*) OVER (PARTITION BY {expression})",
        "{aggregate} OVER ()",
    ),
    "risky": (
        "ABS(-9223372036854775807 - a.{column})",
        "JSON_EXTRACT(a.{column}, '$.a')",
        "CASE WHEN a.{column} LIKE {value} THEN ABS(-9223372036854775807 - {number}) ELSE 1 END",
        "CASE WHEN a.{column} > {value} THEN JSON('{') ELSE 1 END",
        "CASE WHEN a.{column} LIKE 'z%' THEN JSON('{') ELSE 1 END",
        "CASE WHEN a.{column} > 1000 THEN JSON('{') ELSE 1 END",
        "ABS(-9223372036854775807 - (a.{column} LIKE 'z%'))",
        "JSON(a.{column})",
        "EXP(a.{column})",
        "EXP(1000 * (a.{column} > 1000))",
        "9223372036854775807 + (a.{column} > 1000)",
        "LIKE(a.{column}, 'x', a.{column})",
        "PRINTF('%s', a.{column})",
    ),
    "condition": (
        "1 = 1",
        "a.{column} = {value}",
        "a.{column} > {value}",
        "a.{column} LIKE {value}",
        "a.{column} IS NOT NULL",
        "a.{column} BETWEEN {value} AND {value}",
        "{condition} OR {condition}",
        "NOT ({condition})",
        "{condition} AND {condition}",
        "a.{column} = (SELECT {aggregate} FROM {table} AS a)",
        "a.{column} IN (SELECT {column} FROM {table})",
        "{bare} = {value}",
        "{risky} = 1",
        "(a.{column}, a.{column}) = ({value}, {value})",
    ),
    "in_name": (
        "'x' IN {cte}",
        "a.{column} IN {table}",
        "{value} IN (name)",
        "'Name 1' IN name",
        "1 IN secrets",
    ),
    "in": ("IN", "NOT IN"),
    "where": ("", "WHERE {condition}", "WHERE {condition}", "WHERE 1 = 1 OR {condition}"),
    "group": ("GROUP BY {bare}", "GROUP BY 1", "GROUP BY name", "GROUP BY {column}, {column}"),
    "having": ("", "HAVING {aggregate} > {number}", "HAVING MAX({expression}) > {value}"),
    "order": ("", "ORDER BY 1", "ORDER BY {expression}", "ORDER BY {column} DESC, 1", "ORDER BY {column}"),
    "join": ("JOIN", "LEFT JOIN", "INNER JOIN", "CROSS JOIN", "RIGHT JOIN", "FULL JOIN"),
    "on": (
        "ON 1 = 1",
        "ON a.{column} = b.{column}",
        "ON {condition}",
        "ON a.customer_id = b.customer_id",
        "",
    ),
    "set": ("UNION", "UNION ALL", "EXCEPT", "INTERSECT"),
    "table": (
        *("{main}",) * 90,
        *("customers", "orders", "products") * 5,
        *(
            "main.customers",
            "main.orders",
            '"customers"',
            "`orders`",
            "CUSTOMERS",
            "Main.Orders",
            "[customers]",
        ),
        *("secrets", "main.secrets", "SECRETS", '"secrets"', "name", "sqlite_master", "with_customers"),
    ),
    "cte": (
        *("customers", "orders", "products", "secrets", "Secrets", "name", '"customers"', "CUSTOMERS"),
        *("a", "with_customers", "main", "sqlite_master"),
    ),
    "alias": ("a", "customers", "secrets", "name", "main", "orders"),
    "column": (
        *("{own}",) * 150,
        *("name", "customer_id", "region", "email", "secret", "cost", "rowid", "x", "n"),
    ),
    "hidden": ("email", "secret", "cost", "rowid", "_rowid_", "oid", "birth_date_stored_0", "secrets", "id"),
    "value": (
        *("'Name 1'", "'north'", "1", "5", "0", "NULL", "'%1%'", "'%x%'", "'***'", "'****'", "1985", "''"),
        *("'1985-01-01'", "100", "2025", "'2025-02-01'", "-1"),
    ),
    "count": (
        "SELECT (SELECT COUNT(*) FROM {table}) AS n",
        "SELECT n, (SELECT COUNT(*) FROM {table}) FROM {cte}",
    ),
    "named": ("SELECT customer_id AS n, name AS m FROM customers",),
    "other": ("3", "6", "7"),
    "region": ("'north'", "'south'"),
    "number": ("1", "2", "3", "0", "-1"),
    "json": ("'$[*]' COLUMNS (x VARCHAR(80) PATH '$')",),
    "type": ("TEXT", "INTEGER", "BLOB", "REAL"),
}
_THEMES: Sequence[Mapping[str, Sequence[str]]] = (
    {"main": ("customers",), "own": ("customer_id", "name", "region", "phone", "birth_date", "code")},
    {"main": ("customers", '"customers"'), "own": ("customer_id", "name", "birth_date", "tax_id")},
    {"main": ("orders",), "own": ("order_id", "customer_id", "day", "amount")},
    {"main": ("orders", "main.orders", "`Orders`"), "own": ("customer_id", "amount", "day")},
    {"main": ("products",), "own": ("product_id", "name", "price")},
    {"main": ("customers", "orders"), "own": ("customer_id",)},
)
"""A statement keeps mostly to one table, so that most of its names fit together."""
_SLOT = re.compile(r"\{(\w+)(#\d)?\}")
_LEXEME = re.compile(r"'[^']*'|\w+|\s+|.")


def random_statement(chance: random.Random, expansions: int = 40) -> str:
    """Return a statement; one in ten has a slip in its text."""
    grammar = {**GRAMMAR, **chance.choice(_THEMES)}
    left = expansions

    def expand(name: str) -> str:
        nonlocal left
        left -= 1
        options = grammar[name]
        chosen = options[0] if left < 0 else chance.choice(options)
        shared: dict[str, str] = {}

        def fill(slot: re.Match[str]) -> str:
            if not slot[2]:
                return expand(slot[1])
            if slot[0] not in shared:
                shared[slot[0]] = expand(slot[1])
            return shared[slot[0]]

        return _SLOT.sub(fill, chosen)

    sql = expand("query")
    return _mutate(sql, chance) if chance.random() < 0.1 else sql


def _mutate(sql: str, chance: random.Random) -> str:
    """Return the text with one of its words left out, doubled, exchanged or written otherwise."""
    parts = _LEXEME.findall(sql)
    place, other = chance.randrange(len(parts)), chance.randrange(len(parts))
    match chance.randrange(5):
        case 0:
            del parts[place]
        case 1:
            parts.insert(place, parts[other])
        case 2:
            parts[place], parts[other] = parts[other], parts[place]
        case 3:
            parts[place] = parts[place].swapcase()
        case _:
            parts[place] = chance.choice(
                (*GRAMMAR["hidden"], *GRAMMAR["table"], "*", "(", ")", ".", ",", "--")
            )
    return "".join(parts)
