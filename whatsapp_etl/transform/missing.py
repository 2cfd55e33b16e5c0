"""Ids that the metadata lists and Postgres lacks: why, and when to look again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from whatsapp_etl.model import MessageFacts, MissingMessage, MissingReason, StopReason
from whatsapp_etl.pauses import doubled

_FIRST_WAIT = timedelta(minutes=10)
_LONGEST_DAILY_WAIT = timedelta(days=1)
_LAST_WAIT = timedelta(weeks=1)
#: 10 minutes doubled so often are more than a day.
_DOUBLINGS_TO_A_DAY = 8

_NEEDS_PHONE = frozenset({StopReason.NEEDS_PHONE, StopReason.PHONE_FAILED})

_BY_RULE = frozenset({StopReason.SHIELDED, StopReason.EXCLUDED})

#: Reasons to stop before a chat was open: nothing was read.
NOT_OPENED = frozenset(
    {
        StopReason.NOTHING_TO_READ,
        StopReason.CHAT_NOT_FOUND,
        StopReason.CHAT_UNIDENTIFIED,
        StopReason.SHIELDED,
        StopReason.EXCLUDED,
    }
)


def wait_after(attempts: int) -> timedelta:
    """Return how long to wait after that many tries: 10 minutes growing to a day, then a week."""
    if attempts - 1 > _DOUBLINGS_TO_A_DAY:
        return _LAST_WAIT
    return doubled(_FIRST_WAIT, attempts, _LONGEST_DAILY_WAIT)


#: Reading was held back or cut off: that says nothing about the messages, so they are due at once.
NOT_A_TRY = frozenset(
    {
        StopReason.INTERRUPTED,
        StopReason.SHIELDED,
        StopReason.TIME_BUDGET,
        StopReason.PAGE_FAILED,
        StopReason.DRIFT,
    }
)


def missing_message(
    external_id: str,
    reason: MissingReason,
    attempts: Mapping[str, int],
    now: datetime,
    *,
    stop_reason: StopReason,
    expires_at: datetime | None = None,
) -> MissingMessage:
    """Return the record of an id that was looked for and not found once more."""
    if stop_reason in NOT_A_TRY:
        return MissingMessage(external_id, reason, attempts.get(external_id, 0), now, expires_at)
    tries = attempts.get(external_id, 0) + 1
    return MissingMessage(external_id, reason, tries, now + wait_after(tries), expires_at)


def missing_reason(
    facts: MessageFacts,
    *,
    stop_reason: StopReason,
    oldest_read: datetime | None,
    empty_stanza_ids: Collection[str],
    unreadable_stanza_ids: Collection[str],
) -> MissingReason:
    """Return why a wanted message was not read.

    Args:
        facts: The message.
        stop_reason: Why reading ended.
        oldest_read: When the oldest row read was sent; None when none was.
        empty_stanza_ids: Rows that stayed without content.
        unreadable_stanza_ids: Rows that were seen and not understood.
    """
    stanza_id = facts.key.stanza_id
    if stanza_id in unreadable_stanza_ids:
        return MissingReason.UNREADABLE
    if stanza_id in empty_stanza_ids:
        return MissingReason.EMPTY_ROW
    if stop_reason in _BY_RULE:
        return MissingReason.SKIPPED_BY_RULE
    if stop_reason in NOT_OPENED:
        return MissingReason.CHAT_NOT_OPENED
    if oldest_read is not None and facts.sent_at >= oldest_read:
        return MissingReason.NOT_SHOWN
    return MissingReason.NEEDS_PHONE if stop_reason in _NEEDS_PHONE else MissingReason.NOT_REACHED
