"""Which verified queries are found for a question, and that none leads past an access policy."""

from datetime import date

import pytest

from small_shop import small_catalog
from text2sql.datasource.policy.access import Access, Caller
from text2sql.datasource.policy.decide import access_for
from text2sql.datasource.policy.grants import Grant, Policy
from text2sql.messages import EarlierTurn, VerifiedQuery
from text2sql.retrieval.local import LocalKnowledgeBase
from text2sql.retrieval.step import retrieve_context
from text2sql.retrieval.verified import MAX_EXAMPLES, VerifiedIndex, WordSimilarity, is_open

EVERYTHING = Access(catalog=small_catalog())


def query(question: str, sql: str = "SELECT name FROM customers") -> VerifiedQuery:
    return VerifiedQuery(question=question, sql=sql, approved_by="Ada", approved_on=date(2026, 3, 1))


def index(*queries: VerifiedQuery) -> VerifiedIndex:
    return VerifiedIndex(lambda: queries)


def access(**grants: Grant) -> Access:
    policy = Policy(attributes={}, groups={"everyone": grants})
    return access_for(policy, Caller(groups=("everyone",)), small_catalog())


def context_for(question: str, *queries: VerifiedQuery, earlier: tuple[EarlierTurn, ...] = ()):  # type: ignore[no-untyped-def]
    base = LocalKnowledgeBase(())
    return retrieve_context(
        question, base, EVERYTHING, date(2026, 6, 1), 6000, earlier, verified=index(*queries)
    )


# ── the same question ────────────────────────────────────────────────────────────────────────────


def test_question_in_the_same_words_is_found() -> None:
    wanted = query("Who are the top 5 customers?")
    found = index(query("Who are the top 10 customers?"), wanted).match(
        "please who are the TOP 5 customers", EVERYTHING
    )
    assert found is wanted


@pytest.mark.parametrize(
    "question",
    ["Who are the top 10 customers?", "Who are not the top 5 customers?", "Top 5 customers", "", "?"],
)
def test_other_question_is_not_taken_for_the_same(question: str) -> None:
    assert index(query("Who are the top 5 customers?"), query("?")).match(question, EVERYTHING) is None


def test_same_question_is_the_context_s_and_needs_no_examples() -> None:
    same = query("Who buys?")
    context = context_for("who buys", same, query("Who buys most?"))
    assert (context.verified, context.examples) == (same, ())


def test_question_that_means_another_time_each_day_is_only_an_example() -> None:
    same = query("Who bought last year?")
    context = context_for("Who bought last year?", same)
    assert (context.verified, context.examples) == (None, (same,))


def test_question_that_may_lean_on_an_earlier_one_is_only_an_example() -> None:
    same = query("Who buys?")
    context = context_for("Who buys?", same, earlier=(EarlierTurn(question="Only Germany", sql="SELECT 1"),))
    assert (context.verified, context.examples) == (None, (same,))


# ── nearest examples ─────────────────────────────────────────────────────────────────────────────


def test_nearest_questions_come_first_and_others_not_at_all() -> None:
    near = query("How many orders did each customer place?")
    nearer = query("How many orders did each customer place in 2024?")
    found = index(near, query("Which line total is the largest?"), nearer).nearest(
        "How many orders did each customer place in 2025?", EVERYTHING
    )
    assert found == (nearer, near)


def test_there_are_at_most_so_many_examples() -> None:
    queries = [query(f"How many orders were there in {year}?") for year in range(2019, 2025)]
    assert len(index(*queries).nearest("How many orders were there in 2025?", EVERYTHING)) == MAX_EXAMPLES


def test_words_are_compared_without_case_plural_and_values() -> None:
    score = WordSimilarity().score(
        "Orders of 'Ada' since 2024", ("order of 'Eve' since 2025", "Who buys?", "", "?")
    )
    assert score == pytest.approx([1.0, 0.0, 0.0, 0.0])


def test_nothing_is_found_where_nothing_is_verified() -> None:
    assert index().nearest("How many?", EVERYTHING) == ()
    assert index().match("How many?", EVERYTHING) is None


# ── what may be shown ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT name FROM clients",
        "SELECT full_name FROM customers",
        "DELETE FROM customers",
        "SELECT name FROM customers; SELECT 1",
        "SELECT name FROM customers -- salaries",
        "SELECT /* salaries */ name FROM customers",
    ],
)
def test_statement_that_does_not_fit_or_holds_a_comment_is_neither_example_nor_answer(sql: str) -> None:
    stale = query("Who buys?", sql)
    assert index(stale).match("Who buys?", EVERYTHING) is None
    assert index(stale).nearest("Who buys?", EVERYTHING) == ()


JOINED = "SELECT c.name FROM customers AS c JOIN orders AS o ON o.customer_id = c.customer_id"


@pytest.mark.parametrize(
    ("grants", "sql"),
    [
        ({"orders": Grant()}, "SELECT name FROM customers"),
        ({"customers": Grant()}, JOINED),
        ({"customers": Grant(denied=frozenset({"segment"}))}, "SELECT segment FROM customers"),
        (
            {"customers": Grant(denied=frozenset({"segment"}))},
            "SELECT name FROM customers WHERE segment = 'x'",
        ),
        ({"customers": Grant(denied=frozenset({"segment"}))}, "SELECT name AS segment FROM customers"),
        (
            {"customers": Grant(rows="segment = 'Corporate'")},
            "SELECT name FROM customers WHERE name = 'Grace'",
        ),
        ({"customers": Grant(rows="segment = 'Corporate'")}, "SELECT COUNT(*) FROM customers"),
        (
            {"customers": Grant(masks={"name": "full"})},
            "SELECT customer_id FROM customers WHERE segment = 'x'",
        ),
        (
            {"customers": Grant(masks={"name": "full"}), "orders": Grant()},
            "SELECT order_id FROM orders WHERE customer_id IN (SELECT customer_id FROM customers)",
        ),
        ({"customers": Grant(rows="1 = 1"), "orders": Grant()}, JOINED),
        ({"customers": Grant(denied=frozenset({"segment"}))}, "SELECT name FROM customers"),
        (
            {"customers": Grant(), "orders": Grant(denied=frozenset({"customer_id"}))},
            "SELECT (SELECT MAX(customer_id) FROM orders) AS m FROM customers",
        ),
        (
            {"customers": Grant(denied=frozenset({"customer_id"})), "orders": Grant()},
            "SELECT customer_id FROM orders UNION SELECT customer_id FROM customers",
        ),
    ],
)
def test_statement_over_what_the_caller_may_not_see_in_full_is_kept_back(
    grants: dict[str, Grant], sql: str
) -> None:
    secret = query("Who buys?", sql)
    caller = access(**grants)
    assert is_open(secret, EVERYTHING)
    assert not is_open(secret, caller)
    assert index(secret).match("Who buys?", caller) is None
    assert index(secret).nearest("Who buys?", caller) == ()


def test_question_that_names_what_is_hidden_is_kept_back() -> None:
    secret = query("Which customers have order_items?")
    assert not is_open(secret, access(customers=Grant()))


def test_statement_over_what_the_caller_sees_in_full_is_shown() -> None:
    caller = access(customers=Grant(), orders=Grant(rows="1 = 1"))
    shown = query("Who buys?")
    assert index(shown).match("Who buys?", caller) is shown


def test_table_whose_name_another_schema_has_too_is_kept_back() -> None:
    customers, *_ = small_catalog().tables
    twin = customers.model_copy(update={"schema_name": "archive"})
    catalog = small_catalog().model_copy(update={"tables": (customers, twin)})
    assert not is_open(query("Who buys?"), Access(catalog=catalog))
