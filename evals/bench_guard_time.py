"""How long the validator takes: for a typical query of the sample shop, for the worst, and to import."""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from bench_figures import Figure
from bench_guard_cases import Verdict

from text2sql.datasource.policy.access import Access
from text2sql.execution.sqlite import SqliteDatabase
from text2sql.messages import SqlDraft
from text2sql.validation.step import validate_sql

ROUNDS = 40
IMPORTS = 9
TYPICAL = (
    """
    SELECT c.country, SUM(oi.line_total) AS revenue
    FROM customers AS c
    JOIN orders AS o ON o.customer_id = c.customer_id
    JOIN order_items AS oi ON oi.order_id = o.order_id
    JOIN products AS p ON p.product_id = oi.product_id
    JOIN categories AS ca ON ca.category_id = p.category_id
    JOIN suppliers AS s ON s.supplier_id = p.supplier_id
    WHERE ca.department = 'Outdoor' AND o.order_date >= '2025-01-01'
    GROUP BY c.country ORDER BY revenue DESC LIMIT 5
    """,
    """
    SELECT st.city, e.last_name, COUNT(DISTINCT o.order_id) AS orders
    FROM stores AS st
    JOIN employees AS e ON e.store_id = st.store_id
    JOIN orders AS o ON o.employee_id = e.employee_id
    JOIN order_items AS oi ON oi.order_id = o.order_id
    JOIN products AS p ON p.product_id = oi.product_id
    LEFT JOIN promotions AS pr ON pr.promotion_id = o.promotion_id
    WHERE pr.promotion_id IS NULL
    GROUP BY st.city, e.last_name HAVING COUNT(DISTINCT o.order_id) > 10
    ORDER BY orders DESC
    """,
    """
    SELECT p.product_name, AVG(r.rating) AS rating, COUNT(pr.product_return_id) AS returned
    FROM products AS p
    JOIN suppliers AS s ON s.supplier_id = p.supplier_id
    JOIN categories AS ca ON ca.category_id = p.category_id
    JOIN reviews AS r ON r.product_id = p.product_id
    JOIN order_items AS oi ON oi.product_id = p.product_id
    LEFT JOIN product_returns AS pr ON pr.order_item_id = oi.order_item_id
    WHERE s.country IN ('Germany', 'France') AND ca.category_name LIKE '%Boots%'
    GROUP BY p.product_name ORDER BY rating DESC, p.product_name LIMIT 10
    """,
    """
    SELECT sh.carrier, pa.payment_method, COUNT(*) AS late
    FROM shipments AS sh
    JOIN orders AS o ON o.order_id = sh.order_id
    JOIN customers AS c ON c.customer_id = o.customer_id
    JOIN payments AS pa ON pa.order_id = o.order_id
    JOIN order_items AS oi ON oi.order_id = o.order_id
    JOIN products AS p ON p.product_id = oi.product_id
    WHERE sh.delivered_date > sh.promised_date AND c.segment = 'Corporate' AND p.list_price > 100
    GROUP BY sh.carrier, pa.payment_method ORDER BY late DESC
    """,
)
"""Five joins, a condition or two, a grouping and an order."""


def measure_typical(shop: Path) -> Figure:
    """Validate queries with five joins over the sample shop."""
    access = Access(catalog=SqliteDatabase(shop).read_catalog())
    runs = []
    for number in range(ROUNDS + 1):
        for sql in TYPICAL:
            started = time.perf_counter()
            validate_sql(SqlDraft(sql=sql), access, 1000)
            if number:  # the first round warms up
                runs.append((time.perf_counter() - started) * 1000)
    return Figure("Validation of a query with five joins", "ms", tuple(runs), bar=2)


def measure_worst(verdicts: list[Verdict]) -> Figure:
    """Take the 99th percentile over all shared cases."""
    seconds = statistics.quantiles((verdict.seconds for verdict in verdicts), n=100)[-1]
    return Figure(f"Validation, 99th percentile of {len(verdicts):,} cases", "ms", (seconds * 1000,), bar=20)


def measure_import() -> Figure:
    """Import the validation step in fresh interpreters; each tells how long the import itself took."""
    return Figure("Import of the validation step", "ms", tuple(_import_ms() for _ in range(IMPORTS)), bar=150)


def _import_ms() -> float:
    code = (
        "import time; started = time.perf_counter(); import text2sql.validation.step; "
        "print((time.perf_counter() - started) * 1000)"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = (sys.executable, "-c", code)
    return float(subprocess.run(command, check=True, env=environment, capture_output=True).stdout)  # noqa: S603 — our own code
