"""Joins what the page shows of a message with what the browser's storage says about it.

Ids, sender, exact time and file facts are the storage's; the text is the page's. Without the storage a
message is only made of a row that proves its chat and sender by a packed key.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from whatsapp_etl.downloads import DownloadRules
from whatsapp_etl.forgotten import Forgotten
from whatsapp_etl.model import (
    FILE_TYPES,
    Account,
    Attachment,
    CapturedFile,
    ChatBatch,
    ChatDiff,
    ChatFacts,
    Checkpoint,
    DeletedBy,
    Message,
    MessageFacts,
    MessageKey,
    MessageType,
    ParsedRow,
    ReadPath,
    RejectReason,
    TsPrecision,
)
from whatsapp_etl.transform.identity import MANY_PEOPLE, canonical_key, recipients, sender
from whatsapp_etl.transform.kinds import TEXT_REQUIRED, TEXTLESS_TYPES, is_misread, refine
from whatsapp_etl.transform.quotes import quotes_forgotten

Disappearing = Literal["skip", "expire", "keep"]

#: How exact a row's time is, by the sign that served.
_PRECISION: Mapping[str, TsPrecision] = {"model": "second", "neighbour": "clamped"}

_DELETED_BY: tuple[DeletedBy, ...] = ("sender", "admin")

#: A sender may state any number. One that no column holds would stop the chat, and one that no sum holds
#: the totals; WhatsApp carries files of 2 GB.
_MOST_BYTES = 2**40
_MOST_PIXELS = 2**31 - 1

#: Why a row's time was not read, as its signs say it.
_TIME_REASONS = (RejectReason.DATE_UNCLEAR, RejectReason.OTHER_CALENDAR)


@dataclass(frozen=True, slots=True)
class ChatContext:
    """What is known about a chat before its rows are joined."""

    chat: ChatFacts
    account: Account
    since: datetime  #: Edge of the look-back, fixed for the run.
    participant_ids: tuple[str, ...] = ()  #: Of a group or list; empty while unknown.
    disappearing: Disappearing = "expire"
    checkpoint: Checkpoint | None = None
    diff: ChatDiff | None = None  #: None when the metadata was not readable.
    attempts: Mapping[str, int] = field(default_factory=dict)  #: Earlier tries of a missing id.
    phone_ids: Mapping[str, str] = field(default_factory=dict)  #: Phone number's id by LID.
    forgotten: Forgotten = field(default_factory=Forgotten)  #: Erased on request.
    downloads: DownloadRules = field(default_factory=DownloadRules)

    @property
    def own_ids(self) -> frozenset[str]:
        return frozenset(own for own in (self.account.id, self.account.lid) if own)


def external_id(key: MessageKey, account: Account) -> str:
    """Return the canonical key of a message as text: what `messages.external_id` holds."""
    return str(canonical_key(key, account.id))


def in_scope(facts: Sequence[MessageFacts], context: ChatContext, now: datetime) -> list[MessageFacts]:
    """Return the listed messages that may be stored, oldest first."""
    keeps = context.disappearing == "keep"
    return sorted(
        (
            each
            for each in facts
            if each.type is not MessageType.ALBUM
            and each.sent_at >= context.since
            and not (context.disappearing == "skip" and each.expires_at is not None)
            # The page may list for a while what has disappeared already.
            and (keeps or each.expires_at is None or each.expires_at > now)
        ),
        key=lambda each: each.sent_at,
    )


def to_message(
    row: ParsedRow | None,
    facts: MessageFacts | None,
    context: ChatContext,
    observed_at: datetime,
    *,
    files: Sequence[CapturedFile] = (),
    album_position: int | None = None,
    chat_keys: Collection[MessageKey] = (),
    read_path: ReadPath = "dom",
) -> Message | RejectReason:
    """Make a message of a row, of metadata, or of both.

    Args:
        row: What the page shows; None when nothing of the message's kind is shown as text.
        facts: What the storage says; None when it could not be read.
        context: The chat.
        observed_at: When the row was captured, or the metadata read.
        files: Bytes saved from the row.
        album_position: Place among the pictures of an album's row, 0-based.
        chat_keys: Keys known in this chat, to find the message that is answered.
        read_path: By which of the two ways it was read.

    Returns:
        The message, or why there is none: its chat or sender is not proven, or it was not read whole.
    """
    key = facts.key if facts else row.key if row else None
    if key is None or (facts is None and key.chat_id not in context.chat.ids):
        return RejectReason.CHAT_UNPROVEN
    key = canonical_key(key, context.account.id)
    kind = _kind(row, facts)
    sender_id = _sender_id(kind, key, facts, context)
    if sender_id is None and kind is not MessageType.SYSTEM:
        return RejectReason.SENDER_UNPROVEN
    time = _time(row, facts)
    if time is None:
        return _unread_time(row)
    if (unlike := _unlike(row, facts)) is not None:
        return unlike
    text = None if row is None or kind in TEXTLESS_TYPES or row.type is MessageType.ALBUM else row.text
    if not _is_whole(row, kind, text):
        return RejectReason.NO_CONTENT
    is_quote_gone = quotes_forgotten(row, facts, context.forgotten)
    deletion = _deletion(row, facts, context, key) if kind is MessageType.DELETED else _Deletion()
    is_edited = bool((row and row.is_edited) or (facts and facts.latest_edit_key))
    expires_at = facts.expires_at if facts and context.disappearing != "keep" else None
    return Message(
        external_id=str(key),
        thread_external_id=key.chat_id,
        sender_id=sender_id,
        recipient_ids=recipients(
            context.chat.kind,
            chat_id=key.chat_id,
            own_id=context.account.id,
            sender_id=sender_id,
            is_outgoing=key.is_outgoing,
            is_system=kind is MessageType.SYSTEM,
            participant_ids=context.participant_ids,
            phone_ids=context.phone_ids,
        ),
        content_snippet=text,
        ts=time[0],
        ts_precision=time[1],
        is_outgoing=key.is_outgoing,
        has_attachments=kind in FILE_TYPES,
        stanza_id=key.stanza_id,
        message_type=kind,
        subtype=facts.subtype if facts else None,
        source_revision=facts.source_revision if facts else "",
        read_path=read_path,
        observed_at=observed_at,
        ts_raw=row.ts_raw if row else None,
        is_forwarded=bool((row and row.is_forwarded) or (facts and facts.is_forwarded)),
        is_edited=is_edited,
        edited_seen_at=observed_at if is_edited else None,
        deleted_seen_at=observed_at if kind is MessageType.DELETED else None,
        deleted_at=deletion.at,
        deleted_by=deletion.by,
        deleted_by_id=deletion.by_id,
        reply_to_external_id=_answered(facts, context, chat_keys) if facts and not is_quote_gone else None,
        quoted_text=row.quoted_text
        if row and kind is not MessageType.DELETED and not is_quote_gone
        else None,
        album_id=_album_id(row, facts),
        album_position=album_position,
        expires_at=expires_at,
        attachments=(_attachment(row, facts, kind, files),) if kind in FILE_TYPES else (),
    )


@dataclass(frozen=True, slots=True)
class _Deletion:
    """What is known of a deletion for everyone."""

    at: datetime | None = None
    by: DeletedBy | None = None
    by_id: str | None = None  #: The admin's id.


def _deletion(
    row: ParsedRow | None, facts: MessageFacts | None, context: ChatContext, key: MessageKey
) -> _Deletion:
    """Return who deleted a message and when: the storage says both, the page at most who.

    A name that the page shows is nobody's id.
    """
    shown = row.deletion if row else None
    by: DeletedBy | None = "admin" if shown == "own_admin" else shown
    person = context.account.id if shown == "own_admin" else None
    deleted_at = None
    if facts is not None and facts.type is MessageType.DELETED:
        deleted_at = facts.revoked_at
        person = facts.revoked_by_id or person
        by = next((each for each in _DELETED_BY if each == facts.subtype), by)
        if by is None and person is not None:
            by = "sender" if _is_same_person(person, _author(key, context), context) else "admin"
    if by != "admin" or person is None or context.forgotten.has_contact(person):
        return _Deletion(deleted_at, by)
    return _Deletion(deleted_at, by, context.account.id if person in context.own_ids else person)


def _author(key: MessageKey, context: ChatContext) -> str:
    return context.account.id if key.is_outgoing else key.participant_id or key.chat_id


def _is_same_person(one: str, other: str, context: ChatContext) -> bool:
    if one in context.own_ids:
        return other in context.own_ids
    return context.phone_ids.get(one, one) == context.phone_ids.get(other, other)


def _kind(row: ParsedRow | None, facts: MessageFacts | None) -> MessageType:
    shown = row.type if row and row.type is not MessageType.ALBUM else None
    if facts is None:
        return shown or MessageType.OTHER
    return refine(facts.type, shown)


def _unlike(row: ParsedRow | None, facts: MessageFacts | None) -> RejectReason | None:
    """Return why the row's text cannot be the listed message's; None when it can."""
    if row is None or facts is None or facts.type in TEXTLESS_TYPES or row.type is MessageType.ALBUM:
        return None
    if is_misread(facts.type, row.type):
        return RejectReason.OTHER_KIND
    # Stored without its caption it would never be read again.
    if not {("text", "more"), ("text", "caption")}.isdisjoint(row.dissents):
        return RejectReason.NO_CONTENT
    is_answer = facts.quoted_stanza_id is not None and row.type is not MessageType.DELETED
    if is_answer and row.quoted_text is None and ("text", "several") in row.dissents:
        return RejectReason.QUOTE_UNSEEN
    return None


def _sender_id(
    kind: MessageType, key: MessageKey, facts: MessageFacts | None, context: ChatContext
) -> str | None:
    if kind is MessageType.SYSTEM:
        return None
    if key.is_outgoing:
        return context.account.id
    return (facts.sender_id if facts else None) or sender(key, context.account.id)


def _time(row: ParsedRow | None, facts: MessageFacts | None) -> tuple[datetime, TsPrecision] | None:
    if facts is not None:
        return facts.sent_at, "second"
    if row is None or row.sent_at is None:
        return None
    return row.sent_at, _PRECISION.get(row.signals.get("time", ""), "minute")


def _unread_time(row: ParsedRow | None) -> RejectReason:
    """Return why a row has no time, as far as the row says it."""
    why = row.signals.get("time") if row else None
    return next((each for each in _TIME_REASONS if each == why), RejectReason.NO_TIME)


def _is_whole(row: ParsedRow | None, kind: MessageType, text: str | None) -> bool:
    """Whether everything that the message says was read."""
    if kind in TEXTLESS_TYPES:
        return True
    if row is None or row.is_truncated:
        return False
    return text is not None or kind not in TEXT_REQUIRED


def _answered(facts: MessageFacts, context: ChatContext, chat_keys: Collection[MessageKey]) -> str | None:
    """Return the key of the message that is answered.

    A known message of this chat with the quoted id is taken, by the quoted person where several have
    it. Otherwise the key is built, which the quoted person's id allows.
    """
    if facts.quoted_stanza_id is None:
        return None
    person = facts.quoted_participant_id
    known = [key for key in chat_keys if key.stanza_id == facts.quoted_stanza_id]
    by_person = [key for key in known if person and _is_of(key, person, context)]
    for found in (by_person, known if person is None else []):
        if len(found) == 1:
            return external_id(found[0], context.account)
    if person is None:
        return None
    is_own = person in context.own_ids
    is_group = context.chat.kind in MANY_PEOPLE
    participant = (context.account.id if is_own else person) if is_group else None
    return str(MessageKey(is_own, context.chat.id, facts.quoted_stanza_id, participant))


def _is_of(key: MessageKey, person: str, context: ChatContext) -> bool:
    if key.is_outgoing:
        return person in context.own_ids
    return key.participant_id == person if key.participant_id else person not in context.own_ids


def _album_id(row: ParsedRow | None, facts: MessageFacts | None) -> str | None:
    if facts is not None and facts.parent_stanza_id:
        return facts.parent_stanza_id
    # Stickers that stand in one row are no album.
    is_pair = facts is not None and facts.type is MessageType.STICKER
    return row.stanza_id if row and row.type is MessageType.ALBUM and not is_pair else None


def _attachment(
    row: ParsedRow | None, facts: MessageFacts | None, kind: MessageType, files: Sequence[CapturedFile]
) -> Attachment:
    shown = row.attachment if row else None
    stated = facts.mimetype if facts else None
    width = _stated(facts.width, _MOST_PIXELS) if facts else None
    height = _stated(facts.height, _MOST_PIXELS) if facts else None
    duration = (facts.duration_seconds if facts else None) or (shown.duration_seconds if shown else None)
    name = (facts.file_name if facts else None) or (shown.file_name if shown else None)
    name = name.replace("\0", "") if name and kind is MessageType.DOCUMENT else None
    if files:
        file = files[0]
        expected = facts.file_sha256 if facts else None
        return Attachment(
            position=0,
            media_type=file.media_type,
            state="stored",
            file_path=file.relative_path,
            checksum=file.sha256,
            is_verified=file.sha256 == expected if expected else None,
            size_bytes=file.size_bytes,
            width=width,
            height=height,
            duration_seconds=duration,
            file_name=name,
        )
    return Attachment(
        position=0,
        media_type=stated or (shown.media_type if shown else None),
        state="seen",
        size_bytes=_stated(
            (facts.size_bytes if facts else None) or (shown.size_bytes if shown else None), _MOST_BYTES
        ),
        width=width,
        height=height,
        duration_seconds=duration,
        file_name=name,
    )


def _stated(number: int | None, most: int) -> int | None:
    return number if number is not None and 0 <= number <= most else None


def unused_files(batch: ChatBatch, messages: Iterable[Message]) -> tuple[str, ...]:
    """Return the saved files that none of these messages has.

    Some rows are read only on the way: those older than the look-back, or shown beside what is wanted.
    """
    used = {attachment.file_path for message in messages for attachment in message.attachments}
    saved = {file.relative_path for files in batch.files.values() for file in files}
    return tuple(sorted(saved - used))
