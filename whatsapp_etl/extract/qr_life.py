"""How long the codes of the login screen live, and how often new ones are asked for. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

#: Six codes a batch: the first lives 60 s, the others 20 s each; then a button covers the last one.
#: Source: the client's own code, 2026-04; the page itself names no time.
_FIRST_LIVES = timedelta(seconds=60)
_NEXT_LIVES = timedelta(seconds=20)

#: A pairing code, and how often the page gives another one.
LINK_CODE_LIVES = timedelta(seconds=180)
LINK_CODE_RENEWALS = 5

#: Batches that are asked for while nobody scans; then it rests until a person asks.
QR_RENEWALS = 5
#: How long the first of a new batch is waited for.
QR_ARRIVES = timedelta(seconds=5)


def qr_expires_at(seen_at: datetime, *, is_first: bool) -> datetime:
    """Return when the code is expected to be replaced.

    Args:
        seen_at: When it was first seen.
        is_first: Whether no code was shown before it, so that it begins a batch.
    """
    return seen_at + (_FIRST_LIVES if is_first else _NEXT_LIVES)
