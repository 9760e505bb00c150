"""Whether terms and metrics still fit the database: their tables are there, and their SQL can be read."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from text2sql.datasource.catalog import Catalog, quote_name
from text2sql.datasource.knowledge import Knowledge, Metric, Term
from text2sql.datasource.policy.access import Access
from text2sql.errors import InvalidKnowledge, SqlRejected
from text2sql.messages import SqlDraft
from text2sql.validation.step import validate_sql


class CheckedTerm(NamedTuple):
    """A term or a metric, and what is wrong with it."""

    source: str
    """As an answer names it."""
    problem: str
    """Empty where it fits."""


def check_terms(knowledge: Knowledge, catalog: Catalog) -> Iterator[CheckedTerm]:
    """Yield what becomes of each term and metric, for somebody who may see all; nothing is run."""
    terms: tuple[Term | Metric, ...] = (*knowledge.glossary.terms, *knowledge.metrics.metrics)
    for term in terms:
        source = f"metric: {term.metric}" if isinstance(term, Metric) else f"glossary: {term.term}"
        yield CheckedTerm(source, _find_problem(term, catalog))


def find_misfits(open_knowledge: Callable[[], tuple[Knowledge, Catalog]]) -> Iterator[str]:
    """Yield, in words, what people wrote down and what does not fit the database, or cannot be read.

    Raises:
        DatabaseError, InvalidPolicy, KnowledgeBaseUnavailable: as `open_knowledge` does.
    """
    try:
        knowledge, catalog = open_knowledge()
    except InvalidKnowledge as error:
        yield error.message
        return
    for term in check_terms(knowledge, catalog):
        if term.problem:
            yield f"{term.source}: {term.problem}"


def _find_problem(term: Term | Metric, catalog: Catalog) -> str:
    """Return the validator's word on the SQL as an expression over the tables."""
    names = {table.name for table in catalog.tables}
    missing = [table for table in term.tables if table not in names]
    if missing:
        return f"The database has no table {missing[0]}."
    if not term.sql or not term.tables:
        return ""
    tables = ", ".join(map(quote_name, term.tables))
    draft = SqlDraft(sql=f"SELECT ({term.sql}) AS value_of_term FROM {tables}")  # noqa: S608 — never run
    try:
        validate_sql(draft, Access(catalog=catalog), 1)
    except SqlRejected as error:
        return f"{error.message} [{error.reason}]"
    return ""
