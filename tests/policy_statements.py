"""Statements that try to get around an access policy over the tables of `policy_leaks`; none is run here."""

import random
import re
from collections.abc import Sequence

from sentence_grammar import Rules, expand

GRAMMAR: Rules = {
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
_THEMES: Sequence[Rules] = (
    {"main": ("customers",), "own": ("customer_id", "name", "region", "phone", "birth_date", "code")},
    {"main": ("customers", '"customers"'), "own": ("customer_id", "name", "birth_date", "tax_id")},
    {"main": ("orders",), "own": ("order_id", "customer_id", "day", "amount")},
    {"main": ("orders", "main.orders", "`Orders`"), "own": ("customer_id", "amount", "day")},
    {"main": ("products",), "own": ("product_id", "name", "price")},
    {"main": ("customers", "orders"), "own": ("customer_id",)},
)
"""A statement keeps mostly to one table, so that most of its names fit together."""
_LEXEME = re.compile(r"'[^']*'|\w+|\s+|.")


def random_statement(chance: random.Random, expansions: int = 40) -> str:
    """Return a statement; one in ten has a slip in its text."""
    grammar = {**GRAMMAR, **chance.choice(_THEMES)}
    sql = expand(grammar, "query", chance.choice, expansions)
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
