"""Decides whether what came since is enough, or the whole list must be compared."""

from __future__ import annotations

from datetime import datetime, timedelta

from whatsapp_etl.cursors import FeedCursors, FeedEnds, ListedBy

#: What was sent so long before the last complete cycle is looked at again in each: messages are edited,
#: deleted and decrypted later.
RECENT = timedelta(days=3)

#: What the feed does not tell, an edit of something older or what a person deleted, the whole list does.
WHOLE_EVERY = timedelta(days=1)


def listed_by(cursors: FeedCursors | None, ends: FeedEnds, scope: str, now: datetime) -> ListedBy:
    """Return how to learn which messages there are.

    Args:
        cursors: How far the list was read; None: not known.
        ends: Between which rows it lies now.
        scope: Hash of what is to be read.
        now: The cycle's clock.
    """
    if cursors is None or ends.newest is None:
        return ListedBy.FIRST
    if ends.newest.number < cursors.hi.number or ends.at_hi != cursors.hi:
        return ListedBy.REWOUND
    if scope != cursors.scope:
        return ListedBy.SCOPE_CHANGED
    # A clock that was ahead must not put it off.
    if not timedelta() <= now - cursors.listed_at < WHOLE_EVERY:
        return ListedBy.DUE
    return ListedBy.INCREMENT


def recent_since(cursors: FeedCursors, edge: datetime) -> datetime:
    """Return from when on messages are looked at again; `edge`: the look-back's."""
    return max(cursors.complete_at - RECENT, edge)
