"""Hashes under which ids are kept where the ids themselves are not."""

from __future__ import annotations

import hashlib


def key_sha256(external_id: str) -> str:
    """Return the sha256 of a message's key, as `tombstones.key_sha256` has it: 64 hex digits."""
    # What the page shows may hold half a surrogate pair, which is no text to UTF-8.
    return hashlib.sha256(external_id.encode("utf-8", "surrogatepass")).hexdigest()


def hash_id(text: str) -> str:
    """Return the first 16 hex digits of the sha256 of an id, as `rejects.shown_id_hash` has it."""
    return key_sha256(text)[:16]
