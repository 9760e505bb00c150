"""RetrieveContext: the schema, the passages that fit, and the day to count from."""

from datetime import date

from text2sql.datasource.catalog import Catalog
from text2sql.messages import Context
from text2sql.retrieval.port import KnowledgeBase
from text2sql.retrieval.schema_text import render_schema

MAX_PASSAGES = 4


def retrieve_context(question: str, knowledge_base: KnowledgeBase, catalog: Catalog, today: date) -> Context:
    """Return what the model is told beside the question.

    Raises:
        KnowledgeBaseUnavailable: as the port says.
    """
    return Context(
        question=question,
        dialect=catalog.dialect,
        schema_text=render_schema(catalog, question),
        passages=knowledge_base.retrieve(question, MAX_PASSAGES),
        today=today,
    )
