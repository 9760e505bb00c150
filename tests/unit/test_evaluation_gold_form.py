import pytest

from text2sql.evaluation.gold_form import Difficulty, read_form


@pytest.mark.parametrize(
    ("sql", "ordered"),
    [
        ("SELECT a FROM t ORDER BY a", True),
        ("(SELECT a FROM t ORDER BY a)", True),
        ("(SELECT a FROM t) ORDER BY a", True),
        ("SELECT a FROM t UNION SELECT b FROM u ORDER BY 1", True),
        ("WITH x AS (SELECT a FROM t) SELECT a FROM x ORDER BY a DESC LIMIT 1", True),
        ("SELECT a FROM t", False),
        ("SELECT a FROM t WHERE b IN (SELECT c FROM u ORDER BY c LIMIT 3)", False),
        ("SELECT a FROM (SELECT a FROM t ORDER BY a) AS x", False),
        ("WITH x AS (SELECT a FROM t ORDER BY a) SELECT a FROM x", False),
        ("(SELECT a FROM t ORDER BY a) UNION (SELECT b FROM u ORDER BY b)", False),
        ("SELECT GROUP_CONCAT(a ORDER BY a) FROM t", False),
        ("SELECT RANK() OVER (ORDER BY a) FROM t", False),
        ("SELECT 'ORDER BY a' FROM t", False),
    ],
)
def test_order_counts_only_where_the_outermost_query_orders(sql: str, ordered: bool) -> None:
    assert read_form(sql, "mysql").ordered is ordered


@pytest.mark.parametrize(
    ("sql", "difficulty"),
    [
        ("SELECT COUNT(*) FROM t", "easy"),
        ("SELECT a FROM t WHERE b = 1", "easy"),
        ("SELECT a, b FROM t WHERE c = 1", "medium"),
        ("SELECT a FROM t JOIN u ON t.i = u.i WHERE u.b = 1", "medium"),
        ("SELECT a, b FROM t JOIN u ON t.i = u.i GROUP BY a, b HAVING COUNT(*) > 1", "medium"),
        ("SELECT a FROM t GROUP BY a ORDER BY COUNT(*) LIMIT 1", "hard"),
        ("SELECT a FROM t WHERE b > (SELECT AVG(b) FROM t)", "hard"),
        ("SELECT a FROM t UNION SELECT a FROM u", "hard"),
        ("SELECT a, b FROM t WHERE c = 1 OR d = 2", "extra"),
        ("SELECT a FROM t JOIN u ON t.i = u.i JOIN v ON v.i = u.i WHERE b LIKE 'x%'", "extra"),
        ("SELECT a FROM t WHERE b IN (SELECT b FROM u) ORDER BY a", "extra"),
        ("SELECT a FROM t UNION SELECT a FROM u ORDER BY 1 LIMIT 3", "extra"),
        ("SELECT ((", "unknown"),
        ("DROP TABLE t", "unknown"),
    ],
)
def test_difficulty_follows_clauses_nesting_and_further_parts(sql: str, difficulty: Difficulty) -> None:
    assert read_form(sql, "mysql").difficulty == difficulty


def test_names_are_read_as_the_dialect_quotes_them() -> None:
    assert read_form('SELECT "order by" FROM "t" ORDER BY 1', "sqlite").ordered
    assert read_form("SELECT `order by` FROM `t`", "mysql").difficulty == "easy"
