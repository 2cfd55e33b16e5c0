"""What a perfect sync must contain, computed from the world alone, in the contract's columns."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from whatsapp_etl.simulator.plain_text import plain_text
from whatsapp_etl.simulator.world import Body, Message, World

_DAY = 86_400

View = Literal["perfect", "attainable", "page"]
#: What a page's rows tell of their chat and time: their models, packed ids, or neither.
Proof = Literal["models", "packed", "none"]

_TYPES = {
    "chat": "text", "ptt": "voice", "ptv": "video_note", "vcard": "contact", "multi_vcard": "contacts",
    "poll_creation": "poll", "groups_v4_invite": "group_invite", "revoked": "deleted",
    "ciphertext": "waiting", "call_log": "call", "event_creation": "event",
    "unknown": "unsupported", "payment": "unsupported", "audio": "audio", "sticker": "sticker",
    "document": "document",
}  # fmt: skip
#: Messages of businesses: people read their text, whatever buttons stand under it.
_BUSINESS = frozenset(
    {
        "product", "order", "interactive", "interactive_response", "list", "list_response",
        "buttons_response", "template_button_reply",
    }
)  # fmt: skip
_WITH_FILE = {"image", "video", "gif", "video_note", "audio", "voice", "sticker", "document"}


def truth(
    world: World,
    since: int | None = None,
    view: View = "perfect",
    proof: Proof = "models",
    *,
    bodiless: Collection[str] = (),
    columns: Collection[str] = (),
) -> list[dict[str, Any]]:
    """Return the expected rows, ordered by chat and place in it.

    Args:
        world: The account.
        since: Unix seconds; older messages are left out. None: from the beginning.
        view: "attainable" leaves out what only the phone has, files that are gone, and rows that the page
            never draws. "page" is what of that can be known without the client's storage: no group's
            recipients, nobody's reactions.
        proof: Of "page": without models a time is told in minutes (of a notice not at all: its `ts` cannot be
            known), and a row with neither proves no chat.
        bodiless: Stanza ids of the rows that the page never draws.
        columns: Those that are wanted, where the others would cost too much; empty: all.
    """
    if view == "page" and proof == "none":
        return []
    now = world.clock()
    times = {key: t for chat_id in world.chats for key, t in _believed(world, chat_id, since, now).items()}
    reactions = _reactions(world)
    return [
        _only(_of_page(row, chat.kind, proof, world.me.id) if view == "page" else row, columns)
        for chat in sorted(world.chats.values(), key=lambda chat: chat.id)
        if chat.is_in_scope
        for message in world.messages_of(chat.id)
        if message.type != "album"  # holds pictures together and says nothing
        if _is_since(message, since)
        and (message.expires_at is None or message.expires_at > now)
        and not (view != "perfect" and (message.is_on_phone or message.stanza_id in bodiless))
        for row in [
            _expected(
                world,
                message,
                reactions.get(message.external_id, []),
                view,
                times[message.external_id],
                has_text=not columns or "content_snippet" in columns,
            )
        ]
    ]


def _only(row: dict[str, Any], columns: Collection[str]) -> dict[str, Any]:
    return {column: row[column] for column in columns} if columns else row


def _of_page(row: dict[str, Any], kind: str, proof: Proof, own_id: str) -> dict[str, Any]:
    """Return a row without what no page shows of it."""
    ts = row["ts"]
    if proof == "packed":
        ts = datetime.fromisoformat(ts).replace(second=0).isoformat()
    recipients = [] if kind == "group" else row["recipient_ids"]
    # Another admin is shown by name only.
    admin = row["deleted_by_id"] if row["deleted_by_id"] == own_id else None
    unseen: dict[str, Any] = {"reactions": [], "deleted_at": None, "deleted_by_id": admin}
    return {**row, "ts": ts, "recipient_ids": recipients, **unseen}


def message_type(message: Message) -> str:
    """Return the contract's name of the kind."""
    body = message.body
    if message.is_notice:
        return "system"
    if body.get("view_once") or message.subtype == "view_once_unavailable_fanout":
        return "view_once"
    if message.type == "location":
        return "live_location" if body["live"] else "location"
    if message.type == "video":
        return "gif" if body.get("gif") else "video"
    return "text" if message.type in _BUSINESS else _TYPES.get(message.type, message.type)


def content(message: Message) -> str | None:
    """Return the whole text as the user sees it; None where there is none."""
    spoken = _TEXTS.get(message_type(message))
    return spoken(message.body) if spoken else None


def recipients(world: World, message: Message) -> list[str]:
    """Everyone who received a message, sorted."""
    chat, own = world.chat_of(message), world.me
    if chat.kind == "group":
        members = world.groups[chat.id].participant_ids
        sender = None if message.is_notice or message.author_id is None else world.person(message.author_id)
        return sorted(
            own.id if member == own.lid else member for member in members if world.person(member) != sender
        )
    if chat.kind == "broadcast":
        return sorted(world.lists[chat.id])
    if message.is_notice:
        return []
    return [message.chat_id] if message.from_me and chat.kind != "self" else [own.id]


def _is_since(message: Message, since: int | None) -> bool:
    return since is None or message.t >= since


def _believed(world: World, chat_id: str, since: int | None, now: int) -> Mapping[str, int]:
    """Return when the messages of a chat were sent, by external id.

    A time more than a day ahead is not believed: the message before it tells, else the one after it.
    """
    messages = [message for message in world.messages_of(chat_id) if _is_since(message, since)]
    neighbour = next((message.t for message in messages if message.t <= now + _DAY), now)
    times: dict[str, int] = {}
    for message in messages:
        neighbour = message.t if message.t <= now + _DAY else neighbour
        times[message.external_id] = neighbour
    return times


def _expected(
    world: World, message: Message, reactions: list[dict[str, str]], view: View, t: int, *, has_text: bool
) -> dict[str, Any]:
    kind = message_type(message)
    has_bytes = (
        kind == "image" and message.media is not None and not (view != "perfect" and message.is_expired)
    )
    return {
        "external_id": message.external_id,
        "keys": sorted({message.external_id, *world.former_keys.get(message.external_id, ())}),
        "thread_external_id": message.chat_id,
        "sender_id": None if kind == "system" else world.me.id if message.from_me else message.author_id,
        "recipient_ids": recipients(world, message),
        "content_snippet": content(message) if has_text else None,
        "ts": datetime.fromtimestamp(t, UTC).isoformat(),
        "ts_precision": "second" if t == message.t else "clamped",
        "is_outgoing": int(message.from_me),
        "has_attachments": int(kind in _WITH_FILE),
        "message_type": kind,
        "is_edited": int(message.edit_key is not None),
        "is_forwarded": int(message.forwarding_score > 0),
        "deleted": int(kind == "deleted"),
        **_deletion(world, message),
        "was_forwarded": int(message.was_forwarded),
        "earlier_texts": list(message.earlier_texts),
        "reactions": reactions,
        "file_sha256": message.media.sha256 if has_bytes and message.media else None,
    }


def _deletion(world: World, message: Message) -> dict[str, Any]:
    by = message.body["by"] if message.type == "revoked" else None
    at = None if message.revoked_at is None else datetime.fromtimestamp(message.revoked_at, UTC).isoformat()
    admin = message.revoked_by if by == "admin" else None
    own = {world.me.id, world.me.lid}
    return {"deleted_at": at, "deleted_by": by, "deleted_by_id": world.me.id if admin in own else admin}


def _reactions(world: World) -> Mapping[str, list[dict[str, str]]]:
    standing: dict[str, list[dict[str, str]]] = {}
    for (parent, sender), reaction in sorted(world.reactions.items()):
        if reaction.emoji:
            standing.setdefault(parent, []).append({"sender_id": sender, "emoji": reaction.emoji})
    return standing


def _marked(field: str) -> Callable[[Body], str | None]:
    return lambda body: plain_text(body.get(field) or "", body.get("mentions") or {})


def _place(body: Body) -> str | None:
    return "\n".join(part for part in (body["name"], body["address"]) if part) or None


def _poll(body: Body) -> str:
    lines = [body["question"], *(option["name"] for option in body["options"])]
    return "\n".join(plain_text(line, {}) or "" for line in lines)


def _cards(body: Body) -> str:
    first, *rest = body["names"]
    return f"{first} and {len(rest)} other contact{'' if len(rest) == 1 else 's'}" if rest else first


def _call(body: Body) -> str:
    medium = "video" if body["video"] else "voice"
    return f"Missed {medium} call" if body["outcome"] == "missed" else f"{medium.capitalize()} call"


_TEXTS: Mapping[str, Callable[[Body], str | None]] = {
    "text": _marked("body"),
    "image": _marked("caption"),
    "video": _marked("caption"),
    "gif": _marked("caption"),
    "document": _marked("caption"),
    "location": _place,
    "live_location": _marked("caption"),
    "contact": lambda body: str(body["name"]).strip() or None,
    "contacts": _cards,
    "poll": _poll,
    "event": _marked("name"),
    "group_invite": lambda body: plain_text(body["caption"] or "", {}) or body["group_name"],
    "call": _call,
    "system": lambda body: body["text"].strip() or None,
}
