"""What `make bench-coverage` makes of questions; it starts no server here."""

from bench_coverage import Source, judge, measure

from text2sql.datasource.catalog import Catalog, Column, Table
from text2sql.datasource.policy.access import Access
from text2sql.evaluation.questions import GoldQuestion
from text2sql.messages import Declined


def _source(*names: str) -> Source:
    tables = tuple(Table(name=name, columns=(Column(name="id", type="INT"),)) for name in names)
    return Source(Access(catalog=Catalog(name="x", dialect="mysql", server="test", tables=tables)), None)


SOURCES = {"weather": _source("rainfall", "thunderstorms"), "shop": _source("orders", "customers")}
STORMS = "How much rainfall did the thunderstorms bring?"


def test_question_is_judged_as_the_step_does() -> None:
    assert judge(STORMS, SOURCES["weather"]).verdict is None
    assert isinstance(judge(STORMS, SOURCES["shop"]).verdict, Declined)


def test_each_question_is_asked_at_home_and_elsewhere() -> None:
    questions = [
        GoldQuestion(database="weather", question=STORMS, sql="SELECT 1"),
        GoldQuestion(database="shop", question=STORMS, sql="SELECT 2"),
    ]
    figures = measure(questions, SOURCES)
    assert figures["mistakes"] == [STORMS]
    for where in ("at_home", "moved"):
        counted = figures[where]
        assert isinstance(counted, dict)
        assert (counted["questions"], counted["declined"]["count"], counted["asked_back"]["count"]) == (
            2,
            1,
            0,
        )
