"""Parcels: messages that travel between functions, in the workflow's state or, when large, beside it.

JSON knows no decimals, dates or bytes; a parcel keeps them, so that the answer's step sees the same cells
as the database's.
"""

import json
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Protocol, TypeVar

from text2sql.messages import Message

INLINE_BYTES = 32_768
"""A larger parcel does not travel in the state, which may hold 256 KiB."""

_M = TypeVar("_M", bound=Message)
_KINDS: tuple[tuple[str, type, Callable[[Any], object], Callable[[Any], object]], ...] = (
    ("$decimal", Decimal, str, Decimal),
    ("$datetime", datetime, datetime.isoformat, datetime.fromisoformat),
    ("$date", date, date.isoformat, date.fromisoformat),
    ("$time", time, time.isoformat, time.fromisoformat),
    ("$seconds", timedelta, timedelta.total_seconds, lambda seconds: timedelta(seconds=seconds)),
    ("$bytes", bytes, bytes.hex, bytes.fromhex),
    ("$set", frozenset, sorted, frozenset),
)
"""Tag, type, how it is written, how it is read; a datetime is a date too, and so comes before it."""


class Parcel(Message):
    """A message as text, or the name of the object that holds it."""

    text: str = ""
    key: str = ""


class ParcelStore(Protocol):
    """Keeps the parcels that are too large for the state."""

    def put(self, key: str, text: str) -> None:
        """Keep a text under a key, in place of the one that was there."""
        ...

    def get(self, key: str) -> str:
        """Return the text."""
        ...


def pack(message: Message, key: str, store: ParcelStore, inline_bytes: int = INLINE_BYTES) -> Parcel:
    """Return the message as a parcel; a large one is put into the store under `key`."""
    text = json.dumps(message.model_dump(), default=_tag, ensure_ascii=False, separators=(",", ":"))
    if len(text.encode()) <= inline_bytes:
        return Parcel(text=text)
    store.put(key, text)
    return Parcel(key=key)


def unpack(parcel: Parcel, kind: type[_M], store: ParcelStore) -> _M:
    """Return the message that was packed."""
    text = store.get(parcel.key) if parcel.key else parcel.text
    return kind.model_validate(json.loads(text, object_hook=_untag))


def _tag(value: object) -> dict[str, object]:
    for tag, kind, write, _ in _KINDS:
        if isinstance(value, kind):
            return {tag: write(value)}
    raise TypeError(f"no parcel holds a {type(value).__name__}")


def _untag(value: dict[str, Any]) -> object:
    for tag, _, _, read in _KINDS:
        if value.keys() == {tag}:
            return read(value[tag])
    return value
