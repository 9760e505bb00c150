"""Cursors of paged lists: a place in one list, with a check sum that a changed cursor does not pass.

A cursor is no secret and grants nothing: whoever sends one must be allowed to see the list.
"""

import hashlib

from text2sql_api.errors import InvalidCursor

_SUM_BYTES = 8


def write_cursor(listing: str, place: str) -> str:
    """Return the cursor of a place in the list that `listing` names."""
    return f"{place}.{_sum(listing, place)}"


def read_cursor(listing: str, cursor: str) -> str:
    """Return the place.

    Raises:
        InvalidCursor: the cursor is not one of this list.
    """
    place, _, given = cursor.rpartition(".")
    if not place or given != _sum(listing, place):
        raise InvalidCursor("The cursor is not one of this list.", remedy="Begin again without a cursor.")
    return place


def _sum(listing: str, place: str) -> str:
    text = f"{listing}\0{place}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=_SUM_BYTES).hexdigest()
