"""The world as rows of the client's own storage: its field names, its types, its gaps.

A column that the client indexes and a row does not have is written as explicit undefined, as the
client does. What it keeps encrypted travels beside the row as `$body`; the page encrypts it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any

from whatsapp_etl.simulator.feed import Change
from whatsapp_etl.simulator.sealed_media import media_key
from whatsapp_etl.simulator.world import Chat, Contact, Group, Message, Reaction, World

Row = dict[str, Any]

UNDEFINED = {"$undefined": True}
_INDEXED = (
    "isStarred", "vcardWAids", "hasLink", "isMediaMsg", "isDocMsg", "isEventMsg", "expiredTimestamp",
    "isCarouselMsg", "isCallLogMsg",
)  # fmt: skip
_TYPE_FLAGS = {"isMediaMsg": 1, "isDocMsg": 2, "hasLink": 4}
_CALL_OUTCOMES = {"missed": "Missed", "completed": "Connected", "no_answer": "NotAnswered"}


def change_row(world: World, change: Change) -> Row:
    """Return one entry of the sync feed, with the row as it is now."""
    if change.deleted_key is not None:
        return {"store": change.store, "op": "delete", "key": change.deleted_key}
    key, value = _STORES[change.store](world, change.key)
    return {"store": change.store, "op": "put", "key": key, "value": value}


def message_row(world: World, message: Message) -> Row:
    """Return the row of the `message` store, with the part that gets encrypted as `$body`."""
    chat_id, own = message.chat_id, world.me.id
    row: Row = {
        "id": world.row_key(message),
        "internalId": f"{chat_id}_{order_hex(message.order)}_m",
        "rowId": message.row_id,
        "type": message.type,
        "t": message.t,
        "from": own if message.from_me else chat_id,
        "to": wid(chat_id if message.from_me else own),
        "author": wid(message.author_id) if message.has_participant and message.author_id else UNDEFINED,
        "ack": message.ack,
        **dict.fromkeys(_INDEXED, UNDEFINED),
        "messageRangeIndex": f"{chat_id}_1_{order_hex(message.t)}",
        **_optional(message),
        **_media(message),
        **_call(message),
        "$body": _body(message),
    }
    if message.expires_at is not None:
        row["expiredTimestamp"] = message.expires_at
    flag = _flagged_column(message)
    if flag:
        row[flag] = message.row_id
    if flag in _TYPE_FLAGS:
        row["typeFlag"] = _TYPE_FLAGS[flag]
    return row


def chat_row(world: World, chat: Chat) -> Row:
    row: Row = {
        "id": chat.id,
        "t": world.last_activity(chat.id) or UNDEFINED,
        "unreadCount": world.unread_count(chat.id),
        "archive": chat.is_archived,
        "isReadOnly": chat.is_read_only,
        "muteExpiration": chat.mute_expiration,
        "notSpam": True,
        "endOfHistoryTransferType": UNDEFINED if chat.history_type is None else chat.history_type,
        "isAnnounceGrpRestrict": chat.is_read_only,
    }
    if chat.pinned_at is not None:
        row["pin"] = chat.pinned_at
    if chat.is_locked:
        row["isLocked"] = True
    if chat.ephemeral_seconds:
        row["ephemeralDuration"] = chat.ephemeral_seconds
    if chat.name:
        row["name"] = chat.name
    return row


def contact_row(contact: Contact) -> Row:
    is_saved = contact.saved_name is not None
    row: Row = {"id": contact.id, "type": "in" if is_saved else "out", "contactHash": _short_hash(contact.id)}
    if contact.saved_name is not None:
        row |= {"name": contact.saved_name, "shortName": contact.saved_name.split(" ")[0]}
        row |= {"isAddressBookContact": 1, "isContactSyncCompleted": 1}
    if contact.push_name is not None:
        row["pushname"] = contact.push_name
    if contact.phone_id is not None:
        row |= {"phoneNumber": contact.phone_id, "phoneNumberCreatedAt": 1}
    return row


def group_row(group: Group) -> Row:
    row: Row = {
        "id": group.id,
        "subject": group.subject,
        "subjectTime": group.created_at,
        "creation": group.created_at,
        "owner": group.owner_id,
        "desc": group.description,
        "restrict": False,
        "announce": group.is_announcement,
        "size": len(group.participant_ids),
        "isLidAddressingMode": group.uses_lids,
    }
    if group.is_parent:
        row["isParentGroup"] = True
    if group.parent_id is not None:
        row |= {"parentGroup": group.parent_id, "defaultSubgroup": group.is_announcement}
    return row


def participant_row(world: World, some_id: str) -> Row:
    """Return the members of a group or the recipients of a list."""
    group = world.groups.get(some_id)
    return {
        "groupId": some_id,
        "participants": list(group.participant_ids if group else world.lists[some_id]),
        "pastParticipants": [],
        "admins": list(group.admin_ids) if group else [],
        "superAdmins": [],
    }


def reaction_row(world: World, reaction: Reaction) -> Row:
    return {
        "parentMsgKey": world.row_key(world.messages[reaction.external_id]),
        "senderUserJid": reaction.sender_id,
        "msgKey": reaction.key,
        "reactionText": reaction.emoji or "",
        "timestamp": reaction.at * 1000,
        "orphan": 0,
        "read": True,
        "ack": 1,
        "t": reaction.at,
    }


def picture_row(contact: Contact) -> Row:
    digest = hashlib.sha256(contact.id.encode()).digest()
    return {
        "id": contact.id,
        "tag": str(int.from_bytes(digest[:4])),
        "eurl": "https://pps.example.invalid/x.jpg",
        "previewEurl": "https://pps.example.invalid/p.jpg",
        "timestamp": 1_767_225_600_000,
        "fullDirectPath": f"/v/{digest.hex()[:12]}",
        "filehash": base64.b64encode(digest).decode(),
    }


def wid(jid: str) -> Row:
    """Return an id the way some columns hold it."""
    user, _, server = jid.partition("@")
    return {"server": server, "user": user, "_serialized": jid}


def order_hex(number: int) -> str:
    """Write a number so that text sorts as numbers do: the count of further hex digits, then the digits."""
    digits = f"{number:x}"
    return f"{len(digits) - 1:x}{digits}"


def _body(message: Message) -> Row:
    body = dict(message.body)
    if message.is_expired:
        body["expired"] = True
    if message.marks:
        body["marks"] = list(message.marks)
    if message.album is not None:
        body["album"] = message.album
    return body


def _optional(message: Message) -> Row:
    row: Row = {}
    if message.subtype is not None:
        row["subtype"] = message.subtype
    if message.quoted_stanza is not None and message.quoted_author is not None:
        row["quotedMsg"] = {"type": message.body["quoted"]["type"]}
        row["quotedStanzaID"] = message.quoted_stanza
        row["quotedParticipant"] = wid(message.quoted_author)
    if message.is_by_list:
        row["broadcast"] = True
    if "starred" in message.marks:
        row["isStarred"] = True
    if message.mention_ids:
        row["mentionedJidList"] = list(message.mention_ids)
    if message.forwarding_score:
        row |= {"isForwarded": True, "forwardingScore": message.forwarding_score}
    if message.type == "revoked":
        row["revokeTimestamp"] = message.revoked_at
        if message.revoked_by is not None:
            row["revokeSender"] = wid(message.revoked_by)
    if message.edit_key is not None:
        row["latestEditMsgKey"] = message.edit_key
        row["latestEditSenderTimestampMs"] = (message.edited_at or message.t) * 1000
    return row


def direct_path(message: Message) -> str:
    """Return where a message's file lies on the server: each upload has a place of its own."""
    place = hashlib.sha256(message.external_id.encode()).hexdigest()[:24]
    return f"/v/t62.7118-24/{place}_n.enc?ccb=11-4&oh=01_Q5Aa&oe=6A0B&_nc_sid=5e03e0"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _media(message: Message) -> Row:
    media = message.media
    if media is None:
        return {}
    row: Row = {
        "mimetype": media.mimetype,
        "filehash": _base64(bytes.fromhex(media.sha256)),
        "size": media.size,
        "mediaKeyTimestamp": message.t,
        "encFilehash": _base64(bytes.fromhex(media.encrypted_sha256)),
    }
    # What can be seen only once is for the phone alone.
    if message.from_me or not message.body.get("view_once"):
        row |= {"directPath": direct_path(message), "mediaKey": _base64(media_key(media.sha256))}
    optional = {
        "width": media.width, "height": media.height, "duration": media.duration, "filename": media.file_name,
    }  # fmt: skip
    return row | {name: value for name, value in optional.items() if value is not None}


def _call(message: Message) -> Row:
    if message.type != "call_log":
        return {}
    body = message.body
    return {
        "callOutcome": _CALL_OUTCOMES[body["outcome"]],
        "isVideoCall": body["video"],
        "callDuration": body["seconds"],
    }


def _flagged_column(message: Message) -> str | None:
    if message.type in {"image", "video"}:
        return "isMediaMsg"
    if message.type == "document":
        return "isDocMsg"
    if message.type == "call_log":
        return "isCallLogMsg"
    return "hasLink" if message.type == "chat" and "://" in message.body["body"] else None


def _short_hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest())[:4].decode()


def _message_entry(world: World, key: str) -> tuple[object, Row]:
    message = world.messages[key]
    return world.row_key(message), message_row(world, message)


def _association_entry(world: World, key: str) -> tuple[object, Row]:
    message = world.messages[key]
    parent = world.album_parent(message)
    assert parent is not None, "only an album's pictures have a parent"
    child, kind = world.row_key(message), 1
    return [child, kind], {"msgKey": child, "associationType": kind, "parentMsgKey": world.row_key(parent)}


def _reaction_entry(world: World, key: str) -> tuple[object, Row]:
    parent, _, sender = key.rpartition("|")
    row = reaction_row(world, world.reactions[parent, sender])
    return [row["parentMsgKey"], sender], row


def _picture_entry(world: World, key: str) -> tuple[object, Row]:
    return key, picture_row(world.contacts[key])


_STORES: dict[str, Callable[[World, str], tuple[object, Row]]] = {
    "message": _message_entry,
    "message-association": _association_entry,
    "reactions": _reaction_entry,
    "chat": lambda world, key: (key, chat_row(world, world.chats[key])),
    "contact": lambda world, key: (key, contact_row(world.contacts[key])),
    "group-metadata": lambda world, key: (key, group_row(world.groups[key])),
    "participant": lambda world, key: (key, participant_row(world, key)),
    "broadcast-metadata": lambda _world, key: (key, {"id": key}),
    "profile-pic-thumb": _picture_entry,
}
