"""The grammar of attacks: productions that do more than read, mixed into honest ones, and mutations of the text.

What an attack would touch has the names of this module, so that who watches the database knows where to look.
"""

import re

from grammar import Rules, joined, sentences
from honest_sql import HONEST
from hypothesis import strategies as st

from text2sql.messages import Dialect
from text2sql.validation.function_names import FUNCTIONS

LOCKS = ("lock_a", "lock_b")
VARIABLES = ("a", "b")
FILE = "taken.txt"
CANARY = "canary"
"""Stands where only who reads beyond the catalog can see it."""
WAIT = 3
"""Seconds that a statement waits where waiting is let through."""

_EVERYWHERE: Rules = {
    "statement": [
        "{attack}",
        "{query} {tail}",
        "{pairs} {tail}",
        "{query}; {attack}",
        "{query}; {query}",
        "{query};",
        "{attack}; {query}",
        "WITH t AS ({pairs}) {attack}",
        "WITH t AS ({attack}) SELECT * FROM t",
        "SELECT * FROM ({attack}) AS t",
        "EXPLAIN {query}",
        "WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT n FROM r",
        "WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE {condition}) "
        "SELECT COUNT(*) FROM r, customers c, orders o, order_items i",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION SELECT n + 1 FROM r WHERE n < 9000000) SELECT MAX(n) FROM r",
        #1"WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n FROM r WHERE n < 5) SELECT MAX(n) FROM r",
        #1"WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n - 1 FROM r WHERE n < 5) SELECT MAX(n) FROM r",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE {integer} < 5) SELECT n FROM r",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 9 OR {condition}) "
        "SELECT MAX(n) FROM r",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT r.n + 1 FROM r JOIN orders USING (n)) SELECT n FROM r",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT s.n FROM r AS s, r AS t WHERE s.n < 9) SELECT n FROM r",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM (SELECT n FROM r WHERE n < 9) AS q) "
        "SELECT n FROM r",
        "\ufeff{query}",
        "{query}\x00",
        "{query}\x1a{attack}",
        "'{query}",
        '"{query}',
        "`{query}",
        "({query}",
        "{query})",
        "/* {query} */ {attack}",
        "-- {query}\n{attack}",
    ],
    "attack": [
        "DELETE FROM orders",
        "UPDATE orders SET status = 'x'",
        "INSERT INTO orders (order_id) VALUES (9)",
        "INSERT INTO orders (order_id) VALUES (9) RETURNING order_id",
        "DELETE FROM orders RETURNING *",
        "REPLACE INTO orders (order_id) VALUES (1)",
        "DROP TABLE order_items",
        "CREATE TABLE stolen AS SELECT * FROM orders",
        "CREATE TEMPORARY TABLE stolen AS SELECT * FROM orders",
        "CREATE VIEW stolen AS SELECT * FROM orders",
        "CREATE INDEX stolen ON orders (status)",
        "ALTER TABLE orders ADD COLUMN stolen INT",
        "BEGIN",
        "COMMIT",
        "ROLLBACK",
        "SAVEPOINT stolen",
    ],
    "where": ["WHERE {condition} {tail}"],
    "item": ["*", "secrets.value", "(SELECT value FROM secrets)", "{wild}"],
    "world": [
        "customers c, orders o, order_items i, secrets",
        "customers c NATURAL JOIN orders o NATURAL JOIN order_items i CROSS JOIN ({attack}) AS t",
        "(SELECT value AS name, 1 AS customer_id FROM secrets) c, orders o, order_items i",
    ],
    "number": ["{wild}", "(SELECT COUNT(*) FROM secrets)", "({attack})"],
    "text": ["{wild}", "(SELECT MIN(value) FROM secrets)", "'", '"', "`", "'\\'", "'\\\\'", "'\\' OR 1=1 -- '"],
    "condition": ["{wild}", "1 = 1 -- '", "EXISTS (SELECT * FROM secrets)", "EXISTS ({attack})"],
    "tail": [
        ";",
        "; {attack}",
        "-- x",
        "/* x */",
        "/*",
        "*/",
        "UNION SELECT value, 1 FROM secrets",
        "UNION ALL SELECT 1, value FROM secrets -- ",
        "LIMIT 1 OFFSET 1",
        "LIMIT (SELECT COUNT(*) FROM secrets)",
        "LIMIT ALL",
        "FETCH FIRST 1 ROWS ONLY",
        "OFFSET 1 ROWS FETCH NEXT 1 ROWS WITH TIES",
        "ORDER BY {wild}",
        "ORDER BY (SELECT value FROM secrets)",
        "GROUP BY {wild}",
        "HAVING {wild}",
        "WINDOW w AS (ORDER BY {wild})",
    ],
}

_MARIADB: Rules = {
    "statement": [
        "SELECT {modifier} {item} FROM {world} {where}",
        "SELECT {item} INTO {target} FROM {world}",
        "SELECT {item}, {item} FROM {world} {where} INTO {target}",
        "SET STATEMENT max_statement_time = 0 FOR {query}",
        "EXECUTE IMMEDIATE '{query}'",
        "PREPARE stolen FROM '{query}'",
        "BEGIN NOT ATOMIC {attack}; END",
        "ANALYZE {query}",
        "ANALYZE FORMAT=JSON {query}",
        "VALUES ({wild}, {number})",
        "TABLE orders {tail}",
        "/*! {attack} */",
        "/*!50000 {query} */",
        "/*M! {attack} */",
        "SELECT /*!50000 SQL_CALC_FOUND_ROWS */ {item} FROM {world}",
        "SELECT /*+ SET_VAR(max_execution_time=0) */ {item} FROM {world}",
        "SELECT/**/{item}/**/FROM/**/{world}",
        "DELIMITER //\n{attack} //",
        "HANDLER orders OPEN",
        "DO {wild}",
        "CALL change_it()",
    ],
    "attack": [
        "SET @a = 1",
        "SET @@SESSION.sql_mode = ''",
        "SET sql_safe_updates = 1",
        "SET GLOBAL max_connections = 99",
        "SET PASSWORD = ''",
        "SET TRANSACTION READ WRITE",
        "SET ROLE NONE",
        "SET NAMES latin1",
        "SHOW TABLES",
        "SHOW VARIABLES",
        "SHOW GRANTS",
        "SHOW CREATE TABLE secrets",
        "DESCRIBE secrets",
        "USE mysql",
        "LOCK TABLES orders WRITE",
        "FLUSH TABLES",
        "FLUSH STATUS",
        "TRUNCATE TABLE orders",
        "RENAME TABLE orders TO stolen",
        "CREATE USER stolen",
        "GRANT ALL ON *.* TO PUBLIC",
        "CREATE FUNCTION stolen() RETURNS INT RETURN 1",
        "CREATE SEQUENCE stolen",
        "ANALYZE TABLE orders",
        "OPTIMIZE TABLE orders",
        "CHECK TABLE orders",
        "LOAD DATA INFILE 'x' INTO TABLE orders",
        "XA START 'stolen'",
        "INSTALL SONAME 'stolen'",
        "SIGNAL SQLSTATE '45000'",
        f"SELECT * FROM orders INTO OUTFILE '{FILE}'",
    ],
    "target": [
        "@a",
        "@a, @b",
        f"OUTFILE '{FILE}'",
        f"DUMPFILE '{FILE}'",
        f"OUTFILE '{FILE}' FIELDS TERMINATED BY ','",
        "a",
    ],
    "tail": [
        "INTO {target}",
        "INTO/**/{target}",
        "/*!INTO {target} */",
        "/*M!100000 INTO {target} */",
        "FOR UPDATE",
        "FOR UPDATE NOWAIT",
        "FOR UPDATE SKIP LOCKED",
        "FOR UPDATE OF o",
        "FOR SHARE",
        "LOCK IN SHARE MODE",
        "LOCK IN SHARE MODE NOWAIT",
        "/*!FOR UPDATE */",
        "PROCEDURE ANALYSE()",
        "LIMIT 5 ROWS EXAMINED 9",
        "LIMIT 1, 1",
        "LIMIT 1 INTO {target} FOR UPDATE",
        "ORDER BY 1 INTO {target}",
        "UNION SELECT 1, 2 INTO {target}",
        "UNION (SELECT 1, 2 FROM orders FOR UPDATE)",
        "UNION SELECT user, 1 FROM mysql.user",
        "# x",
        "\\G",
    ],
    "modifier": [
        "SQL_CALC_FOUND_ROWS",
        "HIGH_PRIORITY",
        "SQL_CACHE",
        "SQL_BUFFER_RESULT",
        "STRAIGHT_JOIN",
        "ALL DISTINCT",
        "/*+ NO_INDEX(c) */",
    ],
    "world": [
        "customers c, orders o, order_items i, information_schema.processlist",
        "customers c, orders o, order_items i, mysql.user",
        "customers c, orders o, order_items i, shop.secrets",
        "customers c, orders o, order_items i, `shop`.`secrets`",
        "customers c, orders o, order_items i, secret_view",
        "customers c, orders o, order_items i, numbers",
        "customers c, (SELECT * FROM orders FOR UPDATE) o, order_items i",
        "customers c, orders FOR SYSTEM_TIME ALL o, order_items i",
        "customers c, orders PARTITION (p0) o, order_items i",
        "customers c, orders o, order_items i, JSON_TABLE('[1]', '$[*]' COLUMNS (n INT PATH '$')) AS j",
        "customers c, orders o, LATERAL (SELECT * FROM order_items FOR UPDATE) i",
        "customers c, seq_1_to_100000000 s, orders o, order_items i",
    ],
    "wild": [
        f"SLEEP({WAIT})",
        f"sleep ({WAIT})",
        f"`SLEEP`({WAIT})",
        f"SLEEP/**/({WAIT})",
        "BENCHMARK(1000000000, MD5('x'))",
        "GET_LOCK('lock_a', 0)",
        "GET_LOCK(CONCAT('lock', '_b'), 0)",
        "RELEASE_ALL_LOCKS()",
        "IS_FREE_LOCK('lock_a')",
        "@a",
        "@b := 1",
        "(@a := {number})",
        "@`a`",
        "@@version",
        "@@GLOBAL.datadir",
        "@@session.sql_mode",
        "@@`hostname`",
        "@@identity",
        "LAST_INSERT_ID(7)",
        "LAST_INSERT_ID()",
        "NEXT VALUE FOR numbers",
        "NEXTVAL(numbers)",
        "SETVAL(numbers, 50)",
        "LASTVAL(numbers)",
        "numbers.nextval",
        "change_it()",
        "shop.change_it()",
        "`shop`.`change_it`()",
        "shop.UPPER('x')",
        "LOAD_FILE('/etc/passwd')",
        "UUID()",
        "RAND()",
        "VERSION()",
        "USER()",
        "CURRENT_USER",
        "CURRENT_ROLE()",
        "SESSION_USER()",
        "DATABASE()",
        "SCHEMA()",
        "CONNECTION_ID()",
        "FOUND_ROWS()",
        "ROW_COUNT()",
        "MASTER_POS_WAIT('x', 1, 3)",
        "MASTER_GTID_WAIT('0-1-1', 3)",
        "EXTRACTVALUE(1, CONCAT(0x7e, (SELECT value FROM secrets)))",
        "UPDATEXML(1, CONCAT(0x7e, (SELECT value FROM secrets)), 1)",
        "ENCODE('x', 'y')",
        "PASSWORD('x')",
        "UNCOMPRESS(COMPRESS('x'))",
        "REPEAT('x', 100000000)",
        "RPAD('x', 100000000, 'y')",
        "(SELECT 1 FROM orders FOR UPDATE)",
        "(SELECT COUNT(*) FROM orders LOCK IN SHARE MODE)",
        "(SELECT COUNT(*) FROM information_schema.tables)",
        "(SELECT GROUP_CONCAT(user) FROM mysql.user)",
        "DEFAULT(o.status)",
        "VALUES(o.status)",
        "COLUMN_GET(COLUMN_CREATE('a', 1), 'a' AS INT)",
        "MATCH (c.name) AGAINST ('x' IN BOOLEAN MODE)",
        "ST_ASTEXT(POINT(1, 2))",
        "?",
        ":a",
        "\\N",
        "{d '2025-01-01'}",
        "{fn SLEEP(3)}",
        "0x",
        "x'1'",
        "c . name",
        "`c`.`na``me`",
        "`shop`.`c`.`name`",
        "ｃ.name",
        "c.name\u00a0",
    ],
}

_SQLITE: Rules = {
    "statement": [
        "PRAGMA query_only = OFF",
        "PRAGMA user_version = 7",
        "PRAGMA writable_schema = ON",
        "VALUES ({wild}, {number})",
        "EXPLAIN QUERY PLAN {query}",
    ],
    "attack": [
        "ATTACH DATABASE 'stolen.db' AS stolen",
        "DETACH DATABASE main",
        f"VACUUM INTO '{FILE}'",
        "PRAGMA table_info(secrets)",
        "PRAGMA journal_mode = WAL",
        "REINDEX",
        "ANALYZE",
        "CREATE TRIGGER stolen AFTER INSERT ON orders BEGIN SELECT 1; END",
        "CREATE VIRTUAL TABLE stolen USING fts5(x)",
        "INSERT OR REPLACE INTO orders (order_id) VALUES (1)",
    ],
    "world": [
        "customers c, orders o, order_items i, sqlite_master",
        "customers c, orders o, order_items i, main.secrets",
        "customers c, orders o, order_items i, temp.sqlite_temp_master",
        "customers c, orders o, order_items i, pragma_table_info('secrets')",
        "customers c, orders o, order_items i, json_each('[1]')",
        "customers c, orders o INDEXED BY x, order_items i",
        "customers c, orders o NOT INDEXED, order_items i",
    ],
    "wild": [
        "load_extension('x')",
        "randomblob(1000000000)",
        "zeroblob(1000000000)",
        "hex(zeroblob(100000000))",
        "printf('%1000000000d', 1)",
        "format('%.*c', 1000000000, 'x')",
        "last_insert_rowid()",
        "changes()",
        "total_changes()",
        "sqlite_version()",
        "sqlite_source_id()",
        "fts3_tokenizer('x')",
        "writefile('taken.txt', 'x')",
        "readfile('/etc/passwd')",
        "rowid",
        "c.rowid",
        "RAISE(ABORT, 'x')",
        "(SELECT sql FROM sqlite_master)",
        "(SELECT group_concat(name) FROM sqlite_schema)",
        "?1",
        ":a",
        "@a",
        "$a",
        "x'1'",
        "c . name",
        '"c"."na""me"',
        "[c].[name]",
    ],
}


def _calls(dialect: Dialect) -> Rules:
    """Return calls of every allowed function, with arguments that it may not expect."""
    arguments = ["", "{number}", "{text}", "{number}, {number}", "{text}, {number}", "{text}, {text}, {number}"]
    calls = [f"{name}({own})" for name in sorted(FUNCTIONS[dialect]) for own in arguments]
    return {"call": calls, "wild": ["{call}"] * 30}


HOSTILE: dict[Dialect, Rules] = {
    "sqlite": joined(HONEST["sqlite"], _EVERYWHERE, _SQLITE, _calls("sqlite")),
    "mariadb": joined(HONEST["mariadb"], _EVERYWHERE, _MARIADB, _calls("mariadb")),
}
"""By dialect."""

_TOKEN = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`|[\w@$]+|\s+|.", re.DOTALL)
_SPACES = ("\n", "\t", "/**/", "/* x */", "-- x\n", "#\n", "\x0b", "\x0c", "\u00a0", "\u200b", "\x1a", "--x ", "")


def statements(dialect: Dialect) -> st.SearchStrategy[str]:
    """Return honest statements, attacks, and mutations of both."""
    honest, hostile = (sentences(rules[dialect], "statement") for rules in (HONEST, HOSTILE))
    return st.one_of(honest, hostile, _mutated(honest, hostile), _mutated(hostile, honest))


@st.composite
def _mutated(draw: st.DrawFn, own: st.SearchStrategy[str], other: st.SearchStrategy[str]) -> str:
    """Draw a statement and change one to three of its tokens."""
    tokens = _TOKEN.findall(draw(own))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, max(len(tokens) - 1, 0)))
        kind = draw(st.sampled_from(("delete", "double", "swap", "space", "text", "splice", "hide")))
        here = tokens[place : place + 1]
        if kind == "delete":
            changed = []
        elif kind == "double":
            changed = here * 2
        elif kind == "swap":
            changed = [draw(st.sampled_from(tokens))]
        elif kind == "space":
            changed = [*here, draw(st.sampled_from(_SPACES))]
        elif kind == "text":
            changed = [*here, draw(st.text(max_size=3))]
        elif kind == "splice":
            changed = [*here, " ", *_TOKEN.findall(draw(other))[draw(st.integers(0, 9)) :]]
        else:
            changed = [draw(st.sampled_from(("/*!", "/*M!", "/*+", "/*", "-- "))), *here, " */"]
        tokens[place : place + 1] = changed
    return "".join(tokens)
