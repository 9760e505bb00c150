"""How a section of a document is told to the model, and named in the answer."""

from text2sql.documents.port import Section
from text2sql.messages import Passage


def passage(document: str, section: Section, score: float) -> Passage:
    """Return the section as a passage, between marks that its text cannot hold."""
    title = section.title.replace('"', "'")
    text = " ".join(section.text.replace('"', "'").split())
    return Passage(
        source=f"document: {document}, {title}" if title else f"document: {document}",
        text=f'{title}: "{text}"' if title else f'A document says: "{text}"',
        score=round(score, 4),
    )
