"""`verified.yaml`: its format, and when two questions ask the same."""

from datetime import date
from pathlib import Path

import pytest
import yaml

from text2sql.datasource.knowledge import load_knowledge
from text2sql.datasource.verified import normal_form
from text2sql.errors import InvalidKnowledge
from text2sql.messages import VerifiedQuery

ENTRY = {
    "question": "How many orders?",
    "sql": "SELECT COUNT(*) FROM orders",
    "approved_by": "Ada",
    "approved_on": date(2026, 3, 1),
}


def write(folder: Path, content: object) -> Path:
    text = content if isinstance(content, str) else yaml.safe_dump(content)
    (folder / "verified.yaml").write_text(text, "utf-8")
    return folder


def test_queries_are_read_in_their_order(tmp_path: Path) -> None:
    other = {**ENTRY, "question": "How many customers?", "note": "x"}
    first, second = load_knowledge(write(tmp_path, {"queries": [ENTRY, other]})).verified.queries
    assert first == VerifiedQuery.model_validate(ENTRY)
    assert (second.question, second.note) == ("How many customers?", "x")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("queries: [", r"verified.yaml, line \d+: "),
        ({"queries": 5}, "verified.yaml: queries: "),
        ({"colour": "red"}, "verified.yaml: colour: "),
        ({"queries": [{"question": "Who?", "sql": "SELECT 1"}]}, "verified.yaml: queries.0.approved_by: "),
        ({"queries": [{**ENTRY, "model": "x"}]}, "verified.yaml: queries.0.model: "),
        ({"queries": [{**ENTRY, "approved_on": "soon"}]}, "verified.yaml: queries.0.approved_on: "),
        ({"queries": [{**ENTRY, "question": ""}]}, "verified.yaml: queries.0.question: "),
        (
            {"queries": [ENTRY, {**ENTRY, "question": "please: how MANY orders"}]},
            "verified.yaml: .*two questions ask the same",
        ),
    ],
)
def test_file_that_breaks_the_format_is_named_with_the_place(
    tmp_path: Path, content: object, message: str
) -> None:
    with pytest.raises(InvalidKnowledge, match=message):
        load_knowledge(write(tmp_path, content))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("How many orders?", "how many ORDERS"),
        ("How many orders?", "Please, how many orders?"),
        ("List the top 5 customers.", "Hello! Could you please list the top 5 customers? Thank you!"),
        ("Customers, and their orders", "customers and  their\norders"),
        ("Orders of “Ada”", "orders of 'Ada'"),
        ("Each customer's orders", "each customer\N{RIGHT SINGLE QUOTATION MARK}s orders"),
        ("Cafe\N{COMBINING ACUTE ACCENT}s", "cafés"),
    ],
)
def test_same_words_ask_the_same(one: str, other: str) -> None:
    assert normal_form(one) == normal_form(other) != ()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The top 5 customers", "The top 10 customers"),
        ("The top 5 customers", "The top 5.5 customers"),
        ("Orders with 1,000 items", "Orders with 1 000 items"),
        ("Below -5", "Below 5"),
        ("Since 2025-01-02", "Since 2025-02-01"),
        ("Since 10:30", "Since 10:3"),
        ("Which orders are paid?", "Which orders are not paid?"),
        ("Customers without orders", "Customers with orders"),
        ("Which customers aren't active?", "Which customers are active?"),
        ("Prices < 5", "Prices > 5"),
        ("Prices != 5", "Prices = 5"),
        ("More than 5%", "More than 5"),
        ("Orders of 'Ada'", "Orders of 'Eve'"),
        ("Orders of 'Ada'", "Orders of 'ada'"),
        ("Orders of 'Ada'", "Orders of Ada"),
        ("Orders of 'A.'", "Orders of 'A'"),
        ("Customers of orders", "Orders of customers"),
        ("How many orders please", "How many orders please them"),
    ],
)
def test_another_number_value_sign_or_word_asks_something_else(one: str, other: str) -> None:
    assert normal_form(one) != normal_form(other)
