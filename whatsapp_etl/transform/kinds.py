"""What kind of message the browser's own storage and the page say it is."""

from __future__ import annotations

from collections.abc import Mapping

from whatsapp_etl.model import BODILESS_TYPES, MessageType

_BY_STORE_TYPE: Mapping[str, MessageType] = {
    "chat": MessageType.TEXT,
    "image": MessageType.IMAGE,
    "video": MessageType.VIDEO,
    "gif": MessageType.GIF,
    "ptv": MessageType.VIDEO_NOTE,
    "audio": MessageType.AUDIO,
    "ptt": MessageType.VOICE,
    "sticker": MessageType.STICKER,
    "sticker-pack": MessageType.OTHER,
    "document": MessageType.DOCUMENT,
    "location": MessageType.LOCATION,
    "vcard": MessageType.CONTACT,
    "multi_vcard": MessageType.CONTACTS,
    "poll_creation": MessageType.POLL,
    "poll_result_snapshot": MessageType.POLL,
    "event_creation": MessageType.EVENT,
    "groups_v4_invite": MessageType.GROUP_INVITE,
    "album": MessageType.ALBUM,
    "call_log": MessageType.CALL,
    "revoked": MessageType.DELETED,
    "ciphertext": MessageType.WAITING,
    "unknown": MessageType.UNSUPPORTED,
    "oversized": MessageType.UNSUPPORTED,
    # Business messages: their text is read like any text.
    "interactive": MessageType.TEXT,
    "interactive_response": MessageType.TEXT,
    "native_flow": MessageType.TEXT,
    "list": MessageType.TEXT,
    "list_response": MessageType.TEXT,
    "buttons_response": MessageType.TEXT,
    "template_button_reply": MessageType.TEXT,
    "hsm": MessageType.TEXT,
    "product": MessageType.TEXT,
    "order": MessageType.TEXT,
    "payment": MessageType.OTHER,
    "gp2": MessageType.SYSTEM,
    "e2e_notification": MessageType.SYSTEM,
    "notification": MessageType.SYSTEM,
    "notification_template": MessageType.SYSTEM,
    "group_notification": MessageType.SYSTEM,
    "broadcast_notification": MessageType.SYSTEM,
    "newsletter_notification": MessageType.SYSTEM,
    "pinned_message": MessageType.SYSTEM,
    "biz_content_placeholder": MessageType.SYSTEM,
}

#: Subtypes that tell more than the type.
_BY_SUBTYPE: Mapping[tuple[str, str], MessageType] = {
    ("location", "live"): MessageType.LIVE_LOCATION,
    ("location", "live_location"): MessageType.LIVE_LOCATION,
    ("video", "gif"): MessageType.GIF,
    ("image", "view_once"): MessageType.VIEW_ONCE,
    ("video", "view_once"): MessageType.VIEW_ONCE,
    ("ptt", "view_once"): MessageType.VIEW_ONCE,
    ("ciphertext", "view_once_unavailable_fanout"): MessageType.VIEW_ONCE,
    ("unknown", "view_once_unavailable_fanout"): MessageType.VIEW_ONCE,
}

#: Types that show no text of their own: nothing of them is lost when their row was not read.
TEXTLESS_TYPES = BODILESS_TYPES | {
    MessageType.VIEW_ONCE,
    MessageType.STICKER,
    MessageType.AUDIO,
    MessageType.VOICE,
    MessageType.VIDEO_NOTE,
}

#: Types whose text must not be empty: an empty one was not read.
TEXT_REQUIRED = frozenset(
    {
        MessageType.TEXT,
        MessageType.POLL,
        MessageType.EVENT,
        MessageType.CALL,
        MessageType.CONTACT,
        MessageType.CONTACTS,
        MessageType.GROUP_INVITE,
    }
)

#: Types whose text stands elsewhere than other messages' text does: read as another type it is wrong.
_WITH_OWN_TEXT = frozenset(
    {
        MessageType.CALL,
        MessageType.SYSTEM,
        MessageType.POLL,
        MessageType.CONTACTS,
        MessageType.GROUP_INVITE,
        MessageType.LOCATION,
    }
)

#: What the page may tell more exactly than the storage does.
_REFINED_BY_PAGE: Mapping[MessageType, frozenset[MessageType]] = {
    MessageType.VIDEO: frozenset({MessageType.GIF, MessageType.VIDEO_NOTE, MessageType.VIEW_ONCE}),
    MessageType.IMAGE: frozenset({MessageType.VIEW_ONCE}),
    MessageType.VOICE: frozenset({MessageType.VIEW_ONCE}),
    MessageType.AUDIO: frozenset({MessageType.VOICE}),
    MessageType.LOCATION: frozenset({MessageType.LIVE_LOCATION}),
    MessageType.CONTACT: frozenset({MessageType.CONTACTS}),
    MessageType.UNSUPPORTED: frozenset({MessageType.VIEW_ONCE}),
}


def message_type(store_type: str, subtype: str | None) -> MessageType:
    """Return the kind of a row of the browser's storage; a type never seen is OTHER."""
    if subtype and (special := _BY_SUBTYPE.get((store_type, subtype))):
        return special
    return _BY_STORE_TYPE.get(store_type, MessageType.OTHER)


def refine(stored: MessageType, shown: MessageType | None) -> MessageType:
    """Return the kind when the storage says `stored` and the page shows `shown`.

    The storage decides. The page is believed where it shows more than the storage tells, and where
    it must be the later observation: a message deleted, or decrypted, after the storage was read.
    """
    if shown is None or shown is stored:
        return stored
    if shown is MessageType.DELETED or shown in _REFINED_BY_PAGE.get(stored, frozenset()):
        return shown
    if stored is MessageType.OTHER or (stored is MessageType.WAITING and shown is not MessageType.SYSTEM):
        return shown
    return stored


def is_misread(stored: MessageType, shown: MessageType) -> bool:
    """Whether the text of a row that was read as `shown` is not that of a message listed as `stored`."""
    return refine(stored, shown) is not shown and not _WITH_OWN_TEXT.isdisjoint({stored, shown})


def is_refinement(finer: MessageType, coarser: MessageType) -> bool:
    """Whether `finer` says more about a message that was also seen as `coarser`."""
    return finer in _REFINED_BY_PAGE.get(coarser, frozenset())
