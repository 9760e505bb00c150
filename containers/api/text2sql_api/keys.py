"""The issuer's public keys, kept for an hour, and not fetched because a token says so."""

import json
import time
from collections.abc import Callable
from threading import Lock
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from text2sql.generation.http_exchange import ReplyTooLarge, exchange
from text2sql_api.errors import IdentityUnavailable

KEEP_SECONDS = 3600.0
REFRESH_SECONDS = 60.0
"""How often an unknown key id may lead to another look, at most."""
RETRY_SECONDS = 5.0
"""How often it is tried where there is no key at all."""
FETCH_SECONDS = 5.0
FETCH_BYTES = 262_144
KEY_BITS = 2048
"""A shorter key is not taken."""


class KeySet:
    """The keys by their id; safe for threads."""

    def __init__(self, fetch: Callable[[], bytes], clock: Callable[[], float] = time.monotonic) -> None:
        """Fetch nothing yet.

        Args:
            fetch: returns the issuer's JSON Web Key Set; raises OSError or httpx.HTTPError.
            clock: seconds that only grow.
        """
        self._fetch = fetch
        self._clock = clock
        self._lock = Lock()
        self._keys: dict[str, RSAPublicKey] = {}
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")

    def key(self, key_id: str) -> RSAPublicKey:
        """Return the key.

        Raises:
            jwt.InvalidKeyError: the issuer has no such key.
            IdentityUnavailable: there are no keys, and none could be fetched.
        """
        with self._lock:
            now = self._clock()
            wanted = key_id not in self._keys or now - self._fetched_at > KEEP_SECONDS
            if wanted and now - self._tried_at > (REFRESH_SECONDS if self._keys else RETRY_SECONDS):
                self._refresh(now)
            if not self._keys:
                raise IdentityUnavailable("The issuer's keys cannot be fetched.", remedy="Try again later.")
            if key_id not in self._keys:
                raise jwt.InvalidKeyError
            return self._keys[key_id]

    def _refresh(self, now: float) -> None:
        """Fetch the keys; those that are known stay where that fails."""
        self._tried_at = now
        try:
            keys = _read(self._fetch())
        except (OSError, ReplyTooLarge, httpx.HTTPError, ValueError):
            return
        if keys:
            self._keys, self._fetched_at = keys, now


def fetch_from(url: str) -> bytes:
    """Return what the issuer publishes.

    Raises:
        OSError, ReplyTooLarge, httpx.HTTPError: it cannot be had.
    """
    with httpx.Client() as client:
        reply = exchange(client, client.build_request("GET", url), seconds=FETCH_SECONDS, limit=FETCH_BYTES)
    if reply.status != httpx.codes.OK:
        raise OSError
    return reply.body


def _read(text: bytes) -> dict[str, RSAPublicKey]:
    document = json.loads(text)
    listed = document.get("keys", []) if isinstance(document, dict) else []
    found = {}
    for entry in listed if isinstance(listed, list) else []:
        if isinstance(entry, dict) and isinstance(entry.get("kid"), str) and (key := _rsa_key(entry)):
            found[entry["kid"]] = key
    return found


def _rsa_key(entry: dict[str, Any]) -> RSAPublicKey | None:
    """Return the public key; None for one of another kind or purpose, or one that is too short."""
    if entry.get("kty") != "RSA" or entry.get("use", "sig") != "sig" or entry.get("alg", "RS256") != "RS256":
        return None
    try:
        key = jwt.PyJWK(entry, algorithm="RS256").key
    except jwt.PyJWTError:
        return None
    return key if isinstance(key, RSAPublicKey) and key.key_size >= KEY_BITS else None
