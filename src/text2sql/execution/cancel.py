"""Cancelling a query from another thread: whoever may want to hands an Event in, and sets it."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

from text2sql.errors import QueryCancelled, QueryTimedOut


def refuse_cancelled(cancelled: Event) -> None:
    """Go on with nothing that nobody wants any more.

    Raises:
        QueryCancelled: `cancelled` is set.
    """
    if cancelled.is_set():
        raise QueryCancelled("The query was cancelled.", remedy="Ask again when you want its answer.")


@contextmanager
def cancellable(cancelled: Event) -> Iterator[None]:
    """Tell a statement that was cancelled from one that took too long; a database ends both alike."""
    try:
        yield
    except QueryTimedOut:
        refuse_cancelled(cancelled)
        raise
