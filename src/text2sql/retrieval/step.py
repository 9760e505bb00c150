"""RetrieveContext: the schema, what the calendar says, and the passages that fit."""

import logging
from datetime import date
from typing import TYPE_CHECKING

from text2sql.datasource.planted import gives_orders
from text2sql.datasource.policy.access import Access
from text2sql.messages import Context, Coverage, EarlierTurn, Passage, Verdict
from text2sql.retrieval.ambiguity import find_readings
from text2sql.retrieval.coverage import cover, decline_unknown
from text2sql.retrieval.port import KnowledgeBase
from text2sql.retrieval.schema_text import render_schema
from text2sql.retrieval.time_words import explain_time_words
from text2sql.retrieval.value_links import find_links, tell
from text2sql.retrieval.verified import VerifiedIndex

if TYPE_CHECKING:
    from text2sql.datasource.values_index import StoredValues

MAX_PASSAGES = 4

_log = logging.getLogger(__name__)


def retrieve_context(  # noqa: PLR0913 — one argument for each thing that it looks into
    question: str,
    knowledge_base: KnowledgeBase,
    access: Access,
    today: date,
    schema_characters: int,
    earlier: tuple[EarlierTurn, ...] = (),
    *,
    verified: VerifiedIndex | None = None,
    values: "StoredValues | None" = None,
    written: str = "",
) -> Context:
    """Return what the model is told beside the question; the schema takes at most `schema_characters`.

    A verified query answers only a question that means the same on any day and in any session.
    One that leans on others, or that a verified query answers, is neither asked back nor declined here.
    Where a person wrote the statement, nothing is looked up, for no model is told.

    Raises:
        KnowledgeBaseUnavailable: as the port says.
    """
    if written:
        return Context(question=question, dialect=access.catalog.dialect, schema_text="", written=written)
    calendar = explain_time_words(question, today)
    same = verified.match(question, access) if verified and not calendar and not earlier else None
    examples = verified.nearest(question, access) if verified and not same else ()
    examples = tuple(each for each in examples if not gives_orders(f"{each.question} {each.sql}"))
    links = find_links(question, access, values) if values else ()
    links = tuple(link for link in links if not gives_orders(link.text))
    terms = _harmless(knowledge_base.retrieve(question, MAX_PASSAGES, access.hidden))
    known = (*terms, *map(tell, links))
    coverage = Coverage()
    verdict: Verdict | None = None
    if not (same or earlier):
        coverage = cover(question, access.catalog)
        verdict = find_readings(question, access.catalog, knowledge_base, terms, links, access.hidden)
        verdict = verdict or decline_unknown(coverage, known)
    hints = (
        *(" ".join((passage.text, *passage.tables)) for passage in known),
        *(text for turn in earlier for text in (turn.question, turn.sql)),
        *(example.sql for example in examples),
    )
    return Context(
        question=question,
        dialect=access.catalog.dialect,
        schema_text=render_schema(access.catalog, question, schema_characters, hints),
        passages=(*calendar, *known),
        earlier=earlier,
        examples=examples,
        verified=same,
        coverage=coverage,
        verdict=verdict,
    )


def _harmless(passages: tuple[Passage, ...]) -> tuple[Passage, ...]:
    """Leave out what gives orders to the model; the log says where it stands."""
    planted = [passage for passage in passages if gives_orders(passage.text)]
    for passage in planted:
        _log.warning("a passage gives orders to the model, and is left out: %s", passage.source)
    return tuple(passage for passage in passages if passage not in planted)
