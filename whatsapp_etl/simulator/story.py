"""What happens in the world after its beginning: new messages, edits, deletions, reactions.

The calls take plain JSON objects, since that is what the control API gets.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import Any

from whatsapp_etl.simulator import bodies, repertoire
from whatsapp_etl.simulator.bodies import Draft, Scene
from whatsapp_etl.simulator.cast import Cast
from whatsapp_etl.simulator.compose import compose, quote
from whatsapp_etl.simulator.media import MediaLibrary
from whatsapp_etl.simulator.truth import content
from whatsapp_etl.simulator.world import Chat, Message, Reaction, World

Payload = Mapping[str, Any]


def _subject_notice(_scene: Scene) -> Draft:
    return bodies.notice("gp2", "subject", "The group name was changed")


def _code_notice(_scene: Scene) -> Draft:
    return bodies.notice("e2e_notification", "identity", "Your security code changed. Click to learn more")


#: Kinds that a message can be added as; WhatsApp's own names where it has one.
MAKERS: Mapping[str, Callable[[Scene], Draft]] = {
    "chat": bodies.text, "image": lambda scene: bodies.picture(scene, caption=None, form="JPEG"),
    "video": bodies.video, "gif": bodies.gif, "ptv": bodies.video_note, "sticker": bodies.sticker,
    "document": bodies.document, "audio": bodies.audio, "ptt": bodies.voice, "location": bodies.location,
    "live_location": bodies.live_location, "vcard": bodies.contact_card, "multi_vcard": bodies.contact_cards,
    "poll_creation": bodies.poll, "groups_v4_invite": bodies.group_invite, "revoked": bodies.deleted,
    "ciphertext": bodies.waiting, "call_log": bodies.call, "view_once": bodies.view_once,
    "gp2": _subject_notice,
    "e2e_notification": _code_notice,
    **repertoire.MAKERS,
}  # fmt: skip
_MAIN_TEXT = {
    "chat": "body", "image": "caption", "video": "caption", "document": "caption", "location": "caption",
    "groups_v4_invite": "caption", "poll_creation": "question", "gp2": "text", "e2e_notification": "text",
    "event_creation": "name", "product": "body", "order": "body", "interactive": "body", "list": "body",
    "list_response": "body", "buttons_response": "body", "template_button_reply": "body",
    "interactive_response": "body",
}  # fmt: skip
_EDITABLE = frozenset({"chat", "image", "video", "document", "location", "groups_v4_invite"})
_CHAT_FIELDS = {
    "archived": "is_archived", "locked": "is_locked", "read_only": "is_read_only", "pinned_at": "pinned_at",
    "mute_expiration": "mute_expiration", "ephemeral_seconds": "ephemeral_seconds",
    "history_type": "history_type",
}  # fmt: skip


class StoryError(ValueError):
    """A call that makes no sense in this world; the text says why."""


class UnknownThingError(StoryError):
    """A call names a chat or message that is not there."""


class Story:
    """Changes a world as people would."""

    def __init__(self, world: World, library: MediaLibrary, seed: int) -> None:
        self._world = world
        self._library = library
        self._random = Random(f"{seed}/story")  # noqa: S311 - reproducible, not secret
        groups = len(world.groups)
        self._cast = Cast(
            world, self._random, world.clock(), _people=len(world.contacts) + 500, _groups=groups + 500
        )

    @property
    def world(self) -> World:
        return self._world

    def add_message(self, payload: Payload) -> Message:
        """Let somebody send something; without `from` it is the other side of the chat."""
        chat = self.chat(payload)
        others = self._others(chat)
        scene = Scene(self._random, self._library, self._world, chat, others)
        kind = str(payload.get("type", "chat"))
        if kind not in MAKERS:
            raise StoryError(f"`type` is one of: {', '.join(MAKERS)}.")
        draft = self._with_file(self._worded(MAKERS[kind](scene), payload), payload)
        message = compose(scene, draft, self._instant(payload), self._sender(chat, payload))
        if "stanza" in payload:
            message = replace(message, stanza_id=str(payload["stanza"]))
        if "album" in payload:
            message = replace(message, album=str(payload["album"]))
        if "ack" in payload:
            message = replace(message, ack=int(payload["ack"]))
        if "quoted" in payload:
            message = quote(self._world, message, self.message(str(payload["quoted"])))
        return self._world.receive(message)

    def _with_file(self, draft: Draft, payload: Payload) -> Draft:
        """Let a message carry the file that the call brings (`file`: base64, `mimetype`, `file_name`)."""
        if "file" not in payload:
            return draft
        claimed = str(payload.get("mimetype") or (draft.media.mimetype if draft.media else ""))
        data = base64.b64decode(str(payload["file"]), validate=True)
        name = payload.get("file_name", draft.media.file_name if draft.media else None)
        return replace(draft, media=self._library.add(claimed, data, None if name is None else str(name)))

    def edit(self, external_id: str, payload: Payload) -> Message:
        """Replace a message's text; its key stays."""
        message = self.message(external_id)
        field = _MAIN_TEXT.get(message.type)
        if message.type not in _EDITABLE or field is None or "body" not in payload:
            raise StoryError("Only texts and captions can be edited; give the new one as `body`.")
        key = bodies.fresh_key(self._random, message.chat_id, from_me=message.from_me)
        body = {**message.body, field: str(payload["body"])}
        edited = replace(message, body=body, edit_key=key, edited_at=self._world.clock())
        return self._change(replace(edited, earlier_texts=_with_text_of(message)))

    def delete(self, external_id: str, by: str) -> None:
        """Delete for everyone (`by` "sender" or "admin"), or on this device only ("me")."""
        message = self.message(external_id)
        if by == "me":
            self._world.remove_message(external_id)
            return
        if by not in {"sender", "admin"}:
            raise StoryError("`by` is sender, admin or me.")
        group = self._world.groups.get(message.chat_id)
        if by == "admin" and group is None:
            raise StoryError("Only groups have admins.")
        admin = self._world.name_of(group.admin_ids[0]) if by == "admin" and group else None
        body = {"by": by, "admin_name": admin}
        gone = replace(message, type="revoked", subtype=by, body=body, media=None)
        revoker = group.admin_ids[0] if by == "admin" and group else message.author_id
        gone = replace(gone, was_forwarded=message.forwarding_score > 0, forwarding_score=0)
        gone = replace(gone, revoked_at=self._world.clock(), revoked_by=revoker)
        gone = replace(gone, earlier_texts=_with_text_of(message))
        self._change(replace(gone, quoted_stanza=None, quoted_author=None, mention_ids=(), is_expired=False))

    def decrypt(self, payload: Payload) -> Message:
        """Let a waiting message arrive at last, under the same key."""
        message = self.message(str(payload.get("message")))
        if message.type != "ciphertext":
            raise StoryError("This message does not wait.")
        draft = bodies.chat_text(str(payload.get("body", "Here I am at last")))
        return self._change(replace(message, type=draft.type, body=draft.body))

    def expire(self, payload: Payload) -> Message:
        """Take a message's file off the server."""
        return self._change(replace(self.message(str(payload.get("message"))), is_expired=True))

    def react(self, payload: Payload) -> Reaction:
        """Put, change or take back (`emoji` null) one person's reaction."""
        message = self.message(str(payload.get("message")))
        sender = self._person(str(payload.get("sender", "me")))
        emoji = payload.get("emoji")
        key = bodies.fresh_key(self._random, message.chat_id, from_me=sender == self._world.me.id)
        at = self._world.clock()
        reaction = Reaction(message.external_id, sender, str(emoji) if emoji else None, at, key)
        self._world.put_reaction(reaction)
        return reaction

    def add_chat(self, payload: Payload) -> Chat:
        """Open a chat with somebody new, or a new group with `members` people beside oneself."""
        kind, name = str(payload.get("kind", "person")), payload.get("name")
        if kind == "group":
            members = [self._cast.person() for _ in range(int(payload.get("members", 3)))]
            group = self._cast.group(str(name or "New group"), members)
            chat = Chat(group.id, "group", history_type=1)
        elif kind == "person":
            person = self._cast.person(
                name=str(name) if name else None, is_saved=bool(payload.get("saved", True))
            )
            chat = Chat(person.id, "person", history_type=1)
        else:
            raise StoryError("`kind` is person or group.")
        self._world.put_chat(chat)
        return self.change_chat(chat.id, {key: payload[key] for key in _CHAT_FIELDS if key in payload})

    def change_chat(self, chat_id: str, payload: Payload) -> Chat:
        """Change settings of a chat, its title (`name`), or mark it unread by hand."""
        chat = self.chat({"chat": chat_id})
        unknown = sorted(set(payload) - {*_CHAT_FIELDS, "name", "marked_unread"})
        if unknown:
            raise StoryError(f"No such setting of a chat: {', '.join(unknown)}.")
        for name, field in _CHAT_FIELDS.items():
            if name in payload:
                chat = replace(chat, **{field: payload[name]})
        if "name" in payload:
            self._rename(chat, str(payload["name"]))
        self._world.put_chat(chat)
        if payload.get("marked_unread"):
            self._world.mark_unread(chat.id)
        return chat

    def chat(self, payload: Payload) -> Chat:
        chat = self._world.chats.get(str(payload.get("chat")))
        if chat is None:
            raise UnknownThingError("No such chat.")
        return chat

    def message(self, external_id: str) -> Message:
        message = self._world.messages.get(external_id)
        if message is None:
            raise UnknownThingError("No such message.")
        return message

    def _change(self, message: Message) -> Message:
        self._world.replace_message(message)
        return message

    def _rename(self, chat: Chat, name: str) -> None:
        if chat.kind == "group":
            self._world.put_group(replace(self._world.groups[chat.id], subject=name))
        else:
            self._world.put_contact(replace(self._world.contacts[chat.id], saved_name=name))

    def _worded(self, draft: Draft, payload: Payload) -> Draft:
        body = payload.get("body")
        if isinstance(body, dict):
            body = {**draft.body, **body}
        elif body is not None:
            field = _MAIN_TEXT.get(draft.type)
            if field is None:
                raise StoryError(f"A {draft.type} has no text; give `body` as an object.")
            body = {**draft.body, field: str(body)}
        mentions = payload.get("mentions")
        if isinstance(mentions, dict):
            body = {**(body or draft.body), "mentions": mentions}
        subtype = payload.get("subtype", draft.subtype)
        ids = tuple(mentions or ()) or draft.mention_ids
        score = int(payload.get("forwarding_score", draft.forwarding_score))
        return replace(
            draft, body=body or draft.body, subtype=subtype, mention_ids=ids, forwarding_score=score
        )

    def _others(self, chat: Chat) -> list[str]:
        if chat.kind == "group":
            return [
                person
                for person in self._world.groups[chat.id].participant_ids
                if person != self._world.me.id
            ]
        return [] if chat.kind in {"self", "broadcast"} else [chat.id]

    def _sender(self, chat: Chat, payload: Payload) -> str:
        if chat.kind in {"self", "broadcast"}:
            return self._world.me.id
        others = self._others(chat)
        sender = self._person(str(payload.get("from", others[0])))
        if sender != self._world.me.id and sender not in others:
            raise StoryError("`from` is not in this chat.")
        return sender

    def _person(self, name: str) -> str:
        return self._world.me.id if name == "me" else name

    def _instant(self, payload: Payload) -> int:
        if "at" not in payload:
            return self._world.clock()
        at = datetime.fromisoformat(str(payload["at"]))
        if at.tzinfo is None:
            raise StoryError("`at` needs a time zone.")
        return int(at.astimezone(UTC).timestamp())


def _with_text_of(message: Message) -> tuple[str, ...]:
    """Return a message's earlier texts, and the one that it has now."""
    text = content(message)
    return message.earlier_texts if text is None else (*message.earlier_texts, text)
