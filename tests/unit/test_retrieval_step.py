"""Which texts beside the question decide what is shown of a large schema."""

from datetime import date

import pytest

from text2sql.datasource.catalog import Catalog, Column, Table
from text2sql.datasource.knowledge import Term
from text2sql.datasource.policy.access import Access
from text2sql.messages import EarlierTurn
from text2sql.retrieval.local import LocalKnowledgeBase
from text2sql.retrieval.step import retrieve_context

_COLUMNS = tuple(Column(name=f"c{i}", type="TEXT") for i in range(10))
CATALOG = Catalog(
    name="x",
    dialect="sqlite",
    server="test",
    tables=tuple(Table(name=f"t_{i}", columns=_COLUMNS) for i in range(100)),
)
CHURN = Term(term="churn", meaning="the share of customers who left", sql="COUNT(t_77.c3)")
LOYALTY = Term(term="loyalty", meaning="the share of customers who stay", tables=("t_77",))


def _shown(
    question: str, *, earlier: tuple[EarlierTurn, ...] = (), hidden: frozenset[str] = frozenset()
) -> bool:
    """Tell whether the table t_77 is shown."""
    access = Access(catalog=CATALOG, hidden=hidden)
    knowledge_base = LocalKnowledgeBase((CHURN, LOYALTY))
    context = retrieve_context(question, knowledge_base, access, date(2026, 1, 1), 2_000, earlier)
    return "CREATE TABLE t_77 (" in context.schema_text


def test_glossary_that_the_question_uses_brings_its_tables() -> None:
    assert not _shown("How large is it?")
    assert _shown("How large is the churn?")
    assert _shown("How large is the loyalty?")


def test_passage_that_names_what_the_caller_may_not_see_brings_nothing() -> None:
    assert not _shown("How large is the churn?", hidden=frozenset({"t_77.c3"}))


@pytest.mark.parametrize(
    "earlier",
    [EarlierTurn(question="x", sql="SELECT COUNT(*) FROM t_77"), EarlierTurn(question="What is in t_77?")],
)
def test_earlier_turn_keeps_its_tables(earlier: EarlierTurn) -> None:
    assert not _shown("And by month?")
    assert _shown("And by month?", earlier=(earlier,))
