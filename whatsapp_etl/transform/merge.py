"""What becomes of a stored message when it is seen again.

The later observation decides; a less exact one never overwrites a more exact one. Who sent a message,
when, and to whom is fixed at its first insert. An earlier text is kept when an edit or a deletion is
seen. A different text without an edit marker is a disagreement: the stored text stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime

from whatsapp_etl.downloads import NO_PICTURE, DownloadRules
from whatsapp_etl.model import FILE_TYPES, Attachment, KnownMessage, Message, MessageType, MessageVersion
from whatsapp_etl.transform.downloads import lacks_file
from whatsapp_etl.transform.kinds import is_refinement

_EXACTNESS = {"clamped": 0, "minute": 1, "second": 2}

#: Kinds under which nothing of a message was read: "this may take a while", "could not load".
_NOTHING_READ = frozenset({MessageType.WAITING, MessageType.UNSUPPORTED})

#: Kinds that keep no text, whatever was read before.
_TEXTLESS = frozenset({MessageType.DELETED, MessageType.VIEW_ONCE, MessageType.WAITING})

#: Facts about held bytes: never taken from an observation that held others.
_OF_THE_BYTES = frozenset({"file_path", "checksum", "is_verified"})

#: What is compared to tell whether a message must be written again.
_COMPARED = tuple(
    each.name
    for each in fields(KnownMessage)
    if each.name not in {"external_id", "observed_at", "attachments"}
)


@dataclass(frozen=True, slots=True)
class Merged:
    """The outcome of one message seen again."""

    message: Message | None  #: None: nothing to write.
    version: MessageVersion | None = None
    is_disagreement: bool = False


def marked(message: Message, rules: DownloadRules | None = None) -> Message:
    """Return the message with a revision that says whether its picture is still to come."""
    plain = message.source_revision.removesuffix(NO_PICTURE)
    revision = plain + NO_PICTURE if lacks_file(message, rules or DownloadRules()) else plain
    return message if revision == message.source_revision else replace(message, source_revision=revision)


def merge(
    new: Message, old: KnownMessage, now: datetime | None = None, rules: DownloadRules | None = None
) -> Merged:
    """Return what to write when `new` is seen and `old` is stored.

    What was observed in the future, as seen from `now`, was observed by a clock that was wrong: it is no
    reason to leave out what is seen now.
    """
    if new.observed_at < old.observed_at and not (now is not None and old.observed_at > now):
        return Merged(None)
    settled, is_disagreement = _settle(new, old)
    settled = marked(settled, rules)
    if not _differs(settled, old):
        return Merged(None, is_disagreement=is_disagreement)
    version = None
    if _is_replaced(settled, old):
        version = MessageVersion(
            external_id=new.external_id,
            message_type=old.message_type,
            content_snippet=old.content_snippet,
            replaced_seen_at=new.observed_at,
        )
    return Merged(settled, version, is_disagreement)


def merge_attachments(
    new: Sequence[Attachment], old: Sequence[Attachment], *, is_less_exact: bool = False
) -> tuple[Attachment, ...]:
    """Return the attachments after both observations: bytes once held stay held.

    `is_less_exact`: the new one is the page's alone (sizes are rounded there), the old one was the storage's.
    """
    by_position = {each.position: each for each in old}
    for each in new:
        known = by_position.get(each.position)
        merged = each if known is None else _merge_attachment(each, known, is_less_exact=is_less_exact)
        by_position[each.position] = merged
    return tuple(by_position[position] for position in sorted(by_position))


def _settle(new: Message, old: KnownMessage) -> tuple[Message, bool]:
    """Return the message as it is to stand, and whether its text contradicts the stored one."""
    kind = _kind(new, old)
    content, is_disagreement = _content(new, old, kind)
    is_deleted = kind is MessageType.DELETED
    is_less_exact = _is_less_exact(new, old)
    first, second = (old, new) if is_less_exact else (new, old)
    is_edited = new.is_edited or old.is_edited
    is_exacter = _EXACTNESS[new.ts_precision] > _EXACTNESS[old.ts_precision]
    sender_id = old.sender_id if old.sender_id or kind is MessageType.SYSTEM else new.sender_id
    return (
        replace(
            new,
            message_type=kind,
            content_snippet=content,
            has_attachments=kind in FILE_TYPES,
            sender_id=sender_id,
            recipient_ids=old.recipient_ids or new.recipient_ids,
            ts=new.ts if is_exacter else old.ts,
            ts_precision=new.ts_precision if is_exacter else old.ts_precision,
            is_edited=is_edited,
            is_forwarded=new.is_forwarded or old.is_forwarded,
            source_revision=new.source_revision or old.source_revision,
            edited_seen_at=_edited_seen_at(new, old, content),
            deleted_seen_at=(old.deleted_seen_at or new.observed_at) if is_deleted else old.deleted_seen_at,
            deleted_at=first.deleted_at or second.deleted_at,
            deleted_by=first.deleted_by or second.deleted_by,
            deleted_by_id=first.deleted_by_id or second.deleted_by_id,
            reply_to_external_id=old.reply_to_external_id or new.reply_to_external_id,
            quoted_text=old.quoted_text or new.quoted_text,
            expires_at=new.expires_at or old.expires_at,
            attachments=merge_attachments(new.attachments, old.attachments, is_less_exact=is_less_exact),
        ),
        is_disagreement,
    )


def _is_less_exact(new: Message, old: KnownMessage) -> bool:
    """Whether only the page tells the new one, and the browser's storage told the old one."""
    return not new.source_revision and old.source_revision.removesuffix(NO_PICTURE) != ""


def _kind(new: Message, old: KnownMessage) -> MessageType:
    """Return the kind that stands: deleted for ever, never waiting again, never less exact."""
    if old.message_type is MessageType.DELETED or is_refinement(old.message_type, new.message_type):
        return old.message_type
    if new.message_type in _NOTHING_READ and old.message_type not in _NOTHING_READ:
        return old.message_type
    return new.message_type


def _content(new: Message, old: KnownMessage, kind: MessageType) -> tuple[str | None, bool]:
    """Return the text that stands, and whether the two observations contradict each other."""
    if kind in _TEXTLESS:
        return None, False
    if new.message_type is not kind or new.content_snippet is None:
        return old.content_snippet, False
    if old.content_snippet is None or new.content_snippet == old.content_snippet:
        return new.content_snippet, False
    # Two texts under one edit cannot both be right. Without metadata an edit has no name.
    is_new_edit = not old.is_edited or new.source_revision != old.source_revision or not new.source_revision
    if old.message_type in _NOTHING_READ or (new.is_edited and is_new_edit):
        return new.content_snippet, False
    return old.content_snippet, True


def _is_replaced(settled: Message, old: KnownMessage) -> bool:
    """Whether the stored text or file is gone from the page and must be kept as a version."""
    if old.message_type in _NOTHING_READ or old.message_type is MessageType.DELETED:
        return False
    if settled.message_type is MessageType.DELETED:
        return True
    # What could be seen only once is not kept.
    is_kept = settled.message_type is not MessageType.VIEW_ONCE
    return is_kept and old.content_snippet is not None and settled.content_snippet != old.content_snippet


def _edited_seen_at(new: Message, old: KnownMessage, content: str | None) -> datetime | None:
    if not new.is_edited or new.message_type is MessageType.DELETED:
        return old.edited_seen_at
    is_first = old.edited_seen_at is None
    return new.observed_at if is_first or content != old.content_snippet else old.edited_seen_at


def _merge_attachment(new: Attachment, old: Attachment, *, is_less_exact: bool) -> Attachment:
    """Return the attachment that holds the bytes, or else the later; what it lacks is the other's."""
    first, second = (old, new) if old.state == "stored" else (new, old)
    if new.state == "seen" and (old.state == "unavailable" or is_less_exact):
        first, second = old, new
    lacking = {
        each.name: getattr(second, each.name)
        for each in fields(Attachment)
        if getattr(first, each.name) is None and each.name not in _OF_THE_BYTES
    }
    return replace(first, **lacking)


def _differs(settled: Message, old: KnownMessage) -> bool:
    return settled.attachments != old.attachments or any(
        getattr(settled, name) != getattr(old, name) for name in _COMPARED
    )
