"""Decides what is tried for the bytes of an attachment, when again, and when no more."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from whatsapp_etl.downloads import Download, DownloadReason, DownloadRules, DownloadState
from whatsapp_etl.model import Attachment, Message, MissingMessage, MissingReason
from whatsapp_etl.transform.missing import wait_after

#: The page has said so often, in as many looks, that a file cannot be downloaded: it is believed. Once
#: could be a connection that failed.
REFUSALS_BELIEVED = 4
#: After that many tries, which take some weeks, nothing is tried any more.
MOST_TRIES = 12

PAGE, DIRECT = "page", "direct"

_ENDS: Mapping[DownloadState, DownloadReason] = {
    DownloadState.TOO_LARGE: DownloadReason.FILE_SIZE,
    DownloadState.EXPIRED: DownloadReason.PAGE_REFUSED,
    DownloadState.GAVE_UP: DownloadReason.NOT_LOADED,
}


@dataclass(frozen=True, slots=True)
class PageTries:
    """What this visit makes of pictures that the page is to show, by message key."""

    ended: Mapping[str, DownloadState]  #: Settled: not looked for again.
    attempts: Mapping[str, int]  #: Tries so far, this one among them.
    refused: frozenset[str]  #: The page says that they cannot be downloaded.
    left: frozenset[str]  #: There was no room for them.


def lacks_file(message: Message, rules: DownloadRules) -> bool:
    """Whether the page is to show the message's bytes, none are held, and it is not settled without."""
    return rules.expects_page(message.message_type) and not any(
        each.checksum or each.state == "unavailable" for each in message.attachments
    )


def page_tries(
    messages: Iterable[Message],
    held: Collection[str],
    without: tuple[Collection[str], Collection[str]],
    attempts: Mapping[str, int],
    rules: DownloadRules,
    *,
    is_a_try: bool,
) -> PageTries:
    """Decide which pictures of a visit are not looked for again.

    Args:
        messages: What the visit made.
        held: Keys of messages whose bytes are held, or were given up, since earlier.
        without: Keys of messages of which the page says that they cannot be downloaded, and of those for
            whose files there was no room.
        attempts: Earlier tries by key.
        rules: The settings.
        is_a_try: Whether the visit was not cut off.
    """
    refused, left = map(frozenset, without)
    ended: dict[str, DownloadState] = {}
    tries: dict[str, int] = {}
    for each in messages:
        key = each.external_id
        if key in held or not lacks_file(each, rules):
            continue
        tries[key] = attempts.get(key, 0) + int(is_a_try)
        size = next((file.size_bytes for file in each.attachments), None)
        if rules.is_too_large(each.message_type, size):
            ended[key] = DownloadState.TOO_LARGE
        elif key in refused and tries[key] >= REFUSALS_BELIEVED:
            ended[key] = DownloadState.EXPIRED
        elif tries[key] >= MOST_TRIES:
            ended[key] = DownloadState.GAVE_UP
    return PageTries(ended, tries, refused, left)


def settled(message: Message, tries: PageTries) -> Message:
    """Return the message with its attachment marked as not to be looked for, where that was decided."""
    if message.external_id not in tries.ended:
        return message
    files = tuple(replace(each, state="unavailable") for each in message.attachments)
    return replace(message, attachments=files)


def downloads(
    messages: Sequence[Message],
    missing: Sequence[MissingMessage],
    tries: PageTries,
    rules: DownloadRules,
    now: datetime,
) -> tuple[Download, ...]:
    """Return the ledger's entries after a visit: of what it writes, and of pictures still to come."""
    waiting = {each.external_id: each for each in missing if each.reason is MissingReason.PICTURE_NOT_LOADED}
    found = {key: _waiting(gap, tries) for key, gap in waiting.items()}
    for each in messages:
        for file in each.attachments:
            if each.external_id in found and file.state != "stored":
                continue
            entry = _entry(each, file, tries, rules, now)
            if entry is not None:
                found[each.external_id] = entry
    return tuple(found.values())


def _waiting(gap: MissingMessage, tries: PageTries) -> Download:
    state, reason = DownloadState.QUEUED, DownloadReason.NOT_LOADED
    if gap.external_id in tries.refused:
        state, reason = DownloadState.EXPIRED, DownloadReason.PAGE_REFUSED
    elif gap.external_id in tries.left:
        state, reason = DownloadState.TOO_LARGE, DownloadReason.TOTAL_SIZE
    return Download(gap.external_id, state, reason, PAGE, gap.attempts, gap.next_try_at)


def _entry(
    message: Message, file: Attachment, tries: PageTries, rules: DownloadRules, now: datetime
) -> Download | None:
    """Return the entry of a file that no page is waited for; None: what is known of it stands."""
    key = message.external_id
    if file.state == "stored":
        return Download(key, DownloadState.STORED, way=PAGE, position=file.position)
    if (state := tries.ended.get(key)) is not None:
        return Download(key, state, _ENDS[state], PAGE, tries.attempts[key], position=file.position)
    return None if file.state == "unavailable" else _first(message, file, rules, now)


def _first(message: Message, file: Attachment, rules: DownloadRules, now: datetime) -> Download:
    kind, place = message.message_type, file.position
    begin = Download(message.external_id, DownloadState.SEEN, DownloadReason.NO_WAY, position=place)
    if not rules.chooses(kind):
        return replace(begin, reason=DownloadReason.NOT_CHOSEN)
    if rules.is_too_large(kind, file.size_bytes):
        return replace(begin, state=DownloadState.TOO_LARGE, reason=DownloadReason.FILE_SIZE)
    if rules.is_direct:
        return replace(begin, state=DownloadState.QUEUED, reason=None, next_try_at=now)
    if rules.expects_page(kind):
        return replace(begin, state=DownloadState.QUEUED, reason=DownloadReason.NOT_LOADED, way=PAGE)
    return begin


def after_failure(entry: Download, reason: DownloadReason, now: datetime) -> Download:
    """Return an entry after a direct try that brought nothing; its tries count this one already."""
    if reason is DownloadReason.FILE_SIZE:
        return replace(entry, state=DownloadState.TOO_LARGE, reason=reason, way=DIRECT, next_try_at=None)
    if entry.attempts >= MOST_TRIES:
        return replace(entry, state=DownloadState.GAVE_UP, reason=reason, way=DIRECT, next_try_at=None)
    states = {
        DownloadReason.GONE: DownloadState.PHONE_NEEDED,
        DownloadReason.TOTAL_SIZE: DownloadState.TOO_LARGE,
    }
    return replace(
        entry,
        state=states.get(reason, DownloadState.QUEUED),
        reason=reason,
        way=DIRECT,
        next_try_at=now + wait_after(entry.attempts),
    )


def begun(entry: Download, now: datetime) -> Download:
    """Return an entry whose direct try begins; a program that is killed in it tries again later."""
    attempts = entry.attempts + 1
    return replace(
        entry,
        state=DownloadState.DOWNLOADING,
        way=DIRECT,
        attempts=attempts,
        next_try_at=now + wait_after(attempts),
    )
