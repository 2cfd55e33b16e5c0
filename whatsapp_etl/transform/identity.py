"""Who and what an id stands for: message keys, chat kinds, recipients.

One message has one canonical key, whichever page shape or read path showed it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from whatsapp_etl.errors import MessageParseError
from whatsapp_etl.model import ChatKind, MessageKey, MessageType, ParsedRow

_SERVER = re.compile(r"@([a-z0-9.]+)$")
_DEVICE = re.compile(r"(?:\.\d+)?:\d+@")
_KEY = re.compile(r"(true|false)_([^_@]*@[^_]+)_(.+)", re.DOTALL)
#: A row that stands for several messages: "album-<first>-<last>-<count>".
_COLLECTION = re.compile(r"(?:album|grouped-sticker)-(.+?)-(.+)-(\d+)")

_KIND_BY_SERVER = {
    "c.us": ChatKind.PERSON,
    "lid": ChatKind.PERSON,
    "hosted": ChatKind.PERSON,
    "hosted.lid": ChatKind.PERSON,
    "g.us": ChatKind.GROUP,
    "broadcast": ChatKind.BROADCAST,
    "newsletter": ChatKind.CHANNEL,
    "bot": ChatKind.BOT,
}
_STATUS_CHAT = "status@broadcast"

#: Kinds whose messages go to a list of people.
MANY_PEOPLE = frozenset({ChatKind.GROUP, ChatKind.BROADCAST})


def normalise_id(text: str) -> str:
    """Return the one form of a WhatsApp id: no device part, "@s.whatsapp.net" written as "@c.us"."""
    plain = _DEVICE.sub("@", text.strip(), count=1)
    user, at, server = plain.rpartition("@")
    server = server.lower() if at else server
    return f"{user}@c.us" if at and server == "s.whatsapp.net" else f"{user}{at}{server}"


def parse_key(text: str) -> MessageKey:
    """Read a packed message key `<true|false>_<chat>_<stanza id>[_in|_out][_<participant>]`.

    The direction token of the self chat is dropped: the key is the same without it.

    Raises:
        MessageParseError: The text is no packed key. It is not repeated in the error.
    """
    match = _KEY.fullmatch(text.strip())
    if match is None or not _SERVER.search(chat_id := normalise_id(match[2])):
        raise MessageParseError("A message key is not of the form <true|false>_<chat>_<id>.")
    parts = match[3].split("_")
    participant = normalise_id(parts.pop()) if "@" in parts[-1] else None
    if len(parts) > 1 and parts[-1] in {"in", "out"}:
        parts.pop()
    stanza_id = "_".join(parts)
    if not stanza_id:
        raise MessageParseError("A message key has no stanza id.")
    return MessageKey(match[1] == "true", chat_id, stanza_id, participant)


def parse_shown_key(shown_id: str) -> MessageKey | None:
    """Return the key of a row that shows a packed id; None for bare and collection ids."""
    if not shown_id.startswith(("true_", "false_")):
        return None
    try:
        return parse_key(shown_id)
    except MessageParseError:
        return None


def shown_stanza_id(shown_id: str) -> str:
    """Return the stanza id of a row's id, packed or bare; a collection's id is returned whole."""
    key = parse_shown_key(shown_id)
    return key.stanza_id if key else shown_id.strip()


def collection_bounds(shown_id: str) -> tuple[str, str, int] | None:
    """Return first stanza id, last stanza id and count of a row that stands for several messages."""
    match = _COLLECTION.fullmatch(shown_id.strip()) if "-" in shown_id else None
    return (match[1], match[2], int(match[3])) if match else None


def shown_stanza_ids(shown_id: str) -> tuple[str, ...]:
    """Return the stanza ids that a row's id names: a collection's its first and its last one."""
    bounds = collection_bounds(shown_id)
    return bounds[:2] if bounds else (shown_stanza_id(shown_id),)


def canonical_key(key: MessageKey, own_id: str) -> MessageKey:
    """Complete a key: an own message in a group ends with the own id, whoever wrote the key."""
    if key.participant_id is None and key.is_outgoing and key.chat_id.endswith("@g.us"):
        return MessageKey(key.is_outgoing, key.chat_id, key.stanza_id, own_id)
    return key


def key_in_chat(row: ParsedRow, chat_id: str | None, own_id: str | None) -> MessageKey | None:
    """Return the key of a row with a bare id, when the chat is known from elsewhere.

    None where the row does not prove it: a group's bare rows name no sender, notices no direction.
    """
    if row.key is not None:
        return canonical_key(row.key, own_id) if own_id else row.key
    if chat_id is None or row.is_outgoing is None or row.type is MessageType.ALBUM:
        return None
    chat_id = normalise_id(chat_id)
    if chat_id.endswith("@g.us"):
        return (
            MessageKey(row.is_outgoing, chat_id, row.stanza_id, own_id)
            if row.is_outgoing and own_id
            else None
        )
    return MessageKey(row.is_outgoing, chat_id, row.stanza_id)


def chat_kind(chat_id: str, own_id: str | None, own_lid: str | None = None) -> ChatKind:
    """Return what a chat id stands for. Ids of an unknown server are OTHER, and out of scope."""
    if chat_id == _STATUS_CHAT:
        return ChatKind.STATUS
    if chat_id in {own_id, own_lid}:
        return ChatKind.SELF
    return _KIND_BY_SERVER.get(chat_id.rpartition("@")[2], ChatKind.OTHER)


def sender(key: MessageKey, own_id: str) -> str | None:
    """Return who sent a message, as its key tells; None when a group key names nobody."""
    if key.is_outgoing:
        return own_id
    if key.participant_id:
        return key.participant_id
    return key.chat_id if chat_kind(key.chat_id, own_id) is ChatKind.PERSON else None


def recipients(
    kind: ChatKind,
    *,
    chat_id: str,
    own_id: str,
    sender_id: str | None,
    is_outgoing: bool,
    is_system: bool,
    participant_ids: Iterable[str],
    phone_ids: Mapping[str, str] = MappingProxyType({}),
) -> tuple[str, ...]:
    """Return everyone who received a message, sorted.

    Args:
        kind: What the chat is.
        chat_id: The chat.
        own_id: The account.
        sender_id: None on system rows.
        is_outgoing: Sent by the account.
        is_system: A notice; in a group all participants see it, elsewhere nobody received it.
        participant_ids: The group's or list's people; empty while unknown.
        phone_ids: Phone number's id by LID: a sender is left out under either id.
    """
    if kind in MANY_PEOPLE:
        senders = set()
        if sender_id is not None and not is_system:
            senders = {phone_ids.get(sender_id, sender_id), *([own_id] if is_outgoing else ())}
        return tuple(sorted({each for each in participant_ids if phone_ids.get(each, each) not in senders}))
    if is_system:
        return ()
    if kind is ChatKind.SELF:
        return (own_id,)
    return (chat_id,) if is_outgoing else (own_id,)
