"""RetrieveContext: the schema, what the calendar says, and the passages that fit."""

from datetime import date

from text2sql.datasource.policy.access import Access
from text2sql.messages import Context, EarlierTurn
from text2sql.retrieval.port import KnowledgeBase
from text2sql.retrieval.schema_text import render_schema
from text2sql.retrieval.time_words import explain_time_words

MAX_PASSAGES = 4


def retrieve_context(
    question: str,
    knowledge_base: KnowledgeBase,
    access: Access,
    today: date,
    schema_characters: int,
    earlier: tuple[EarlierTurn, ...] = (),
) -> Context:
    """Return what the model is told beside the question; the schema takes at most `schema_characters`.

    Raises:
        KnowledgeBaseUnavailable: as the port says.
    """
    return Context(
        question=question,
        dialect=access.catalog.dialect,
        schema_text=render_schema(access.catalog, question, schema_characters),
        passages=(
            *explain_time_words(question, today),
            *knowledge_base.retrieve(question, MAX_PASSAGES, access.hidden),
        ),
        earlier=earlier,
    )
