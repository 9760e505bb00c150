"""When a question is declined because nothing that it is about is known."""

from datetime import date

import pytest

from text2sql.datasource.catalog import Catalog, Column, Table
from text2sql.datasource.policy.access import Access
from text2sql.messages import Coverage, Declined, EarlierTurn, Passage, VerifiedQuery
from text2sql.retrieval.coverage import cover, decline_unknown
from text2sql.retrieval.local import LocalKnowledgeBase
from text2sql.retrieval.step import retrieve_context
from text2sql.retrieval.verified import VerifiedIndex

CATALOG = Catalog(
    name="x",
    dialect="sqlite",
    server="test",
    tables=(
        Table(
            name="customers",
            description="People with an account",
            columns=(
                Column(name="jobtitle", type="TEXT"),
                Column(name="segment", type="TEXT", samples=("Corporate", "Consumer")),
            ),
        ),
    ),
)
STRANGE = "How much rainfall did the thunderstorms bring?"


def _is_declined(question: str) -> bool:
    return decline_unknown(cover(question, CATALOG), ()) is not None


def test_refusal_names_what_is_missing() -> None:
    declined = decline_unknown(cover(STRANGE, CATALOG), ())
    assert declined == Declined(
        reason="Nothing in this database seems to be about rainfall or thunderstorms."
    )


@pytest.mark.parametrize(
    "known",
    [
        "customers",
        "accounts",
        "job titles",
        "corporates",
    ],
)
def test_question_with_one_known_word_is_not_declined(known: str) -> None:
    assert not _is_declined(f"How did the rainfall and thunderstorms hurt the {known}?")


def test_words_of_any_question_are_neither_known_nor_unknown() -> None:
    question = "What is the total number of different names in 2025, sorted by date in descending order?"
    assert cover(question, CATALOG) == Coverage()
    assert not _is_declined(question)


def test_names_numbers_and_quoted_words_are_left_out() -> None:
    question = "Which thunderstorms hit Boston and 'grey harbour' on the 3rd?"
    assert cover(question, CATALOG).unknown == ("thunderstorms", "hit")


def test_lone_unknown_word_may_be_a_synonym() -> None:
    assert not _is_declined("How many clients are there in the database?")


@pytest.mark.parametrize(
    "question", ["Wie viele Gewitter hat es im Sommer gegeben?", "Combien de pluie est tombée ce printemps ?"]
)
def test_question_in_another_language_is_not_declined(question: str) -> None:
    assert not _is_declined(question)


def test_question_is_not_declined_where_a_passage_tells_of_it() -> None:
    passage = Passage(source="glossary: rain", text="rain: all that falls", score=1)
    assert decline_unknown(cover(STRANGE, CATALOG), (passage,)) is None


def test_hidden_table_is_not_known() -> None:
    everything = Catalog(
        name="x", dialect="sqlite", server="test", tables=(*CATALOG.tables, _called("thunderstorms"))
    )
    assert decline_unknown(cover(STRANGE, everything), ()) is None
    base = LocalKnowledgeBase(())
    access = Access(catalog=CATALOG, hidden=frozenset({"thunderstorms"}))
    seen = retrieve_context(STRANGE, base, access, date(2026, 1, 1), 2_000).verdict
    assert isinstance(seen, Declined)


def test_question_that_leans_on_others_is_left_to_the_model() -> None:
    base, day = LocalKnowledgeBase(()), date(2026, 1, 1)
    earlier = (EarlierTurn(question="How many customers are there?"),)
    access = Access(catalog=CATALOG)
    assert retrieve_context(STRANGE, base, access, day, 2_000).verdict
    assert retrieve_context(STRANGE, base, access, day, 2_000, earlier).verdict is None


def test_question_that_a_verified_query_answers_is_not_declined() -> None:
    approved = VerifiedQuery(
        question=STRANGE, sql="SELECT segment FROM customers", approved_by="Ada", approved_on=date(2026, 1, 1)
    )
    context = retrieve_context(
        STRANGE,
        LocalKnowledgeBase(()),
        Access(catalog=CATALOG),
        date(2026, 1, 1),
        2_000,
        verified=VerifiedIndex(lambda: (approved,)),
    )
    assert (context.verified, context.verdict) == (approved, None)


def _called(name: str) -> Table:
    return Table(name=name, columns=(Column(name="id", type="INTEGER"),))
