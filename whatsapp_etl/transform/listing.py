"""Decides what is read when the browser's storage cannot be: the chat list decides, and the clock.

Which chats are opened, how far back they are read, what they are, and what of them may be stored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from whatsapp_etl.model import (
    Account,
    ChatBatch,
    ChatFacts,
    ChatKind,
    Checkpoint,
    ListedChat,
    MessageType,
    ParsedRow,
    Reach,
    RowGlance,
    StopReason,
)
from whatsapp_etl.transform.identity import chat_kind
from whatsapp_etl.transform.visits import IN_SCOPE, Rules, is_named

#: So far behind the checkpoint a chat is read again: edits and deletions move nothing in the list.
READ_AGAIN = timedelta(hours=48)

#: And once in so long a time the whole look-back.
WHOLE_EVERY = timedelta(days=1)

#: A chat that ended so is not opened again before its row in the list looks otherwise.
_SETTLED = frozenset(
    {
        StopReason.EDGE_REACHED,
        StopReason.BEGINNING_REACHED,
        StopReason.CHECKPOINT_REACHED,
        StopReason.NEEDS_PHONE,
        StopReason.PHONE_FAILED,
    }
)


@dataclass(frozen=True, slots=True)
class LastRead:
    """When and how a chat was read from the page before."""

    look: str | None  #: Of its row in the list, when reading it left nothing for later; else None.
    whole_at: datetime | None  #: When the whole look-back was read.

    def is_whole_due(self, now: datetime) -> bool:
        """Whether the whole look-back must be read again."""
        return self.whole_at is None or now - self.whole_at >= WHOLE_EVERY


def chats_to_open(
    listed: Sequence[ListedChat],
    last: Mapping[str, LastRead],
    since: datetime,
    now: datetime,
    *,
    first: frozenset[str] = frozenset(),
) -> tuple[ListedChat, ...]:
    """Return the rows of the list whose chats are opened, in the order in which they are read.

    Left out is a chat in which nothing happened inside the look-back, and one whose row looks as it did
    when the chat was last read, until its whole look-back is due. Rows that do not name their chat are
    told by their look alone: as many of them are left out as chats were read under it.

    Args:
        listed: The rows of the list and of the archive.
        last: What was read before, by chat.
        since: The look-back's edge.
        now: The run's clock.
        first: Keys of chats that ran out of their time last time.
    """
    seen = Counter(each.look for each in last.values() if each.look and not each.is_whole_due(now))
    due = []
    for each in listed:
        if each.chat_id is None:
            is_seen = seen[each.look] > 0
            seen[each.look] -= is_seen
        else:
            before = last.get(each.chat_id)
            is_seen = before is not None and before.look == each.look and not before.is_whole_due(now)
        if not is_seen and (each.last_activity is None or each.last_activity >= since):
            due.append(each)
    return tuple(sorted(due, key=lambda each: (each.key not in first, each.is_archived)))


def reach(checkpoint: Checkpoint | None, before: LastRead | None, since: datetime, now: datetime) -> Reach:
    """Return how far back a chat is read: behind its checkpoint, or once a day the whole look-back."""
    if checkpoint is None or before is None or before.is_whole_due(now):
        return Reach(since, StopReason.EDGE_REACHED)
    edge = checkpoint.sent_at - READ_AGAIN
    return (
        Reach(edge, StopReason.CHECKPOINT_REACHED) if edge > since else Reach(since, StopReason.EDGE_REACHED)
    )


def after_reading(look: str, stop_reason: StopReason, before: LastRead | None, now: datetime) -> LastRead:
    """Return what is remembered of a chat that was read."""
    was_whole = stop_reason in _SETTLED and stop_reason is not StopReason.CHECKPOINT_REACHED
    whole_at = now if was_whole else before.whole_at if before else None
    return LastRead(look if stop_reason in _SETTLED else None, whole_at)


def refusal(chat_id: str, title: str, account: Account, rules: Rules) -> StopReason | None:
    """Return why nothing of a chat may be read or written; None when it may."""
    if chat_kind(chat_id, account.id, account.lid) not in IN_SCOPE or is_named(chat_id, title, rules):
        return StopReason.EXCLUDED
    return StopReason.EXCLUDED if rules.forgotten.has_chat(chat_id) else None


def is_titled_out(listed: ListedChat, account: Account, rules: Rules) -> bool:
    """Whether a row of the list says already that its chat must not be opened."""
    if listed.chat_id is not None:
        return refusal(listed.chat_id, listed.title, account, rules) is not None
    return is_named("", listed.title, rules)


def is_shielded(listed: ListedChat, rules: Rules) -> bool:
    """Whether a chat stays closed because it is unread, or may be, and receipts were seen."""
    return rules.is_shield_alarmed and listed.unread_count != 0


def chat_of(listed: ListedChat, chat_id: str, account: Account) -> ChatFacts:
    """Return a chat of the list as far as the page tells what it is."""
    kind = chat_kind(chat_id, account.id, account.lid)
    return ChatFacts(
        id=chat_id,
        kind=kind,
        title=account.push_name if kind is ChatKind.SELF and account.push_name else listed.title,
        last_activity=listed.last_activity,
        unread_count=listed.unread_count or 0,
        is_archived=listed.is_archived,
        is_pinned=False,
        is_muted=False,
        is_locked=False,
        is_readonly=False,
        disappearing_seconds=None,
        history_type=None,
    )


def glances(rows: Iterable[ParsedRow]) -> Mapping[str, RowGlance]:
    """Return what reading must know of rows that were just shown.

    A notice tells no time of its own, and a time that was guessed from its neighbour stops nothing.
    """
    return {
        row.shown_id: RowGlance(
            sent_at=None
            if row.type is MessageType.SYSTEM or row.signals.get("time") == "neighbour"
            else row.sent_at,
            is_picture=row.type is MessageType.IMAGE,
        )
        for row in rows
    }


def inside(
    batch: ChatBatch, parsed: Sequence[ParsedRow], since: datetime
) -> tuple[ChatBatch, tuple[ParsedRow, ...]]:
    """Return what was read of the look-back; of a time told in minutes its whole minute counts."""
    minute = since.replace(second=0, microsecond=0)
    before = {
        row.shown_id
        for row in parsed
        if row.sent_at is not None and row.sent_at < (since if row.signals.get("time") == "model" else minute)
    }
    rows = tuple(row for row in batch.rows if row.shown_id not in before)
    return replace(batch, rows=rows), tuple(row for row in parsed if row.shown_id not in before)
