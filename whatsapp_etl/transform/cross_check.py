"""Compares what rows show with what the browser's storage lists of the same messages.

Where the page stops showing a fact under the names that a selector pack knows, no row fails: the fact is
merely absent. The storage says that it should be there, so its absence is counted and named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from whatsapp_etl.model import MessageFacts, MessageType, ParsedRow
from whatsapp_etl.transform.joining import Joined
from whatsapp_etl.transform.kinds import refine

#: Kinds whose rows show neither who forwarded nor what was answered, nor a clock of their own.
_BARE = frozenset(
    {
        MessageType.DELETED,
        MessageType.WAITING,
        MessageType.VIEW_ONCE,
        MessageType.UNSUPPORTED,
        MessageType.SYSTEM,
        MessageType.CALL,
        MessageType.ALBUM,
    }
)

#: A fact of a listed message, and "shown", "other" (the row says otherwise) or "lost" (it says nothing).
Agreement = tuple[str, str]


def agreement(joined: Iterable[Joined], pictures_unseen: Collection[str] = ()) -> Mapping[Agreement, int]:
    """Count for each fact how often the row shows what the storage lists.

    Args:
        joined: Rows with the messages they show.
        pictures_unseen: Shown ids of rows of pictures in which neither a picture nor the reason why
            there is none was found.
    """
    counts: Counter[Agreement] = Counter()
    for each in joined:
        if each.facts is not None and each.album_position is None:
            counts.update(_of_row(each.row, each.facts))
            if each.facts.type is MessageType.IMAGE:
                counts["picture", "lost" if each.row.shown_id in pictures_unseen else "shown"] += 1
    return counts


def lost_facts(counts: Mapping[Agreement, int]) -> Mapping[str, tuple[int, int]]:
    """Return for each fact that was counted how often it was shown, and how often not as listed."""
    facts = {fact for fact, _ in counts}
    return {
        fact: (counts.get((fact, "shown"), 0), counts.get((fact, "lost"), 0) + counts.get((fact, "other"), 0))
        for fact in facts
    }


def _of_row(row: ParsedRow, facts: MessageFacts) -> Iterable[Agreement]:
    is_same_kind = refine(facts.type, row.type) is row.type
    yield "kind", "shown" if is_same_kind else "other"
    if MessageType.SYSTEM in {facts.type, row.type}:
        return
    yield "direction", _compared(row.is_outgoing, facts.key.is_outgoing)
    if {facts.type, row.type} & _BARE:
        return
    if facts.type is MessageType.TEXT:
        yield "sender", "shown" if row.sender_name else "lost"
        yield "text", "shown" if row.text and not row.is_truncated else "lost"
        is_own_time = row.sent_at is not None and row.signals.get("time") != "neighbour"
        minute = facts.sent_at.replace(second=0, microsecond=0)
        yield (
            "time",
            _compared(
                row.sent_at.replace(second=0, microsecond=0) if row.sent_at and is_own_time else None, minute
            ),
        )
    elif not {("text", "leftover"), ("text", "caption")}.isdisjoint(row.dissents):
        yield "text", "other"
    if facts.is_forwarded:
        yield "forwarded", "shown" if row.is_forwarded else "lost"
    if facts.latest_edit_key:
        yield "edited", "shown" if row.is_edited else "lost"
    if facts.quoted_stanza_id:
        yield "quote", "shown" if row.quoted_text else "lost"


def _compared(shown: object, listed: object) -> str:
    if shown is None:
        return "lost"
    return "shown" if shown == listed else "other"
