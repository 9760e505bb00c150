"""Text2sql answers questions about a database; `pipeline.answer` is the way in."""

__version__ = "0.1.0"
