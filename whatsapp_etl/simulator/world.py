"""The simulated account: people, groups, chats, messages, and the ways in which they change.

`World` is the one place that changes. Every change is announced to its feed, from which the page
pulls; the truth is computed from it separately. Instants are unix seconds, as the client keeps them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from whatsapp_etl.simulator.feed import Feed

#: Both counters of the client start here: live rows count up, rows of the history down.
FIRST_ROW = 1_000_000_000

#: Kinds that the page shows as a line of its own, without a sender.
NOTICE_TYPES = frozenset(
    {
        "gp2",
        "e2e_notification",
        "notification",
        "notification_template",
        "broadcast_notification",
        "pinned_message",
    }
)

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Me:
    """The linked account."""

    id: str
    lid: str
    push_name: str


@dataclass(frozen=True, slots=True)
class Contact:
    id: str
    saved_name: str | None
    push_name: str | None
    phone_id: str | None = None  #: Of a hidden number ("@lid"), where the account knows it.
    has_picture: bool = False

    @property
    def name(self) -> str:
        """What others call them in a mention or a notice."""
        return self.saved_name or self.push_name or spoken_phone(self.phone_id or self.id)

    @property
    def title(self) -> str:
        """What the chat with them is called in the list: unsaved numbers stay numbers."""
        if self.saved_name:
            return self.saved_name
        phone = self.phone_id or self.id
        return f"~{self.push_name}" if phone.endswith("@lid") and self.push_name else spoken_phone(phone)


@dataclass(frozen=True, slots=True)
class Group:
    id: str
    subject: str
    owner_id: str
    created_at: int
    participant_ids: tuple[str, ...]  #: The own id is among them while a member.
    admin_ids: tuple[str, ...]
    description: str
    uses_lids: bool = False
    parent_id: str | None = None  #: The community that it is part of.
    is_parent: bool = False  #: The community itself, which is no chat.
    is_announcement: bool = False  #: The group in which a community's admins tell all members.


@dataclass(frozen=True, slots=True)
class Chat:
    id: str
    kind: str  #: "person", "group", "self", "broadcast", "channel", "status" or "bot".
    is_archived: bool = False
    pinned_at: int | None = None
    mute_expiration: int = 0  #: Unix seconds; -1 for ever, 0 not muted.
    is_locked: bool = False
    is_read_only: bool = False
    ephemeral_seconds: int = 0  #: 0: messages stay.
    history_type: int | None = None  #: 0: the phone has more, 1: nothing more, 2: cut, None: unknown.
    name: str | None = None  #: Only of channels and lists; other titles come from contacts and groups.

    @property
    def is_in_scope(self) -> bool:
        """Whether a sync is meant to read it."""
        return self.kind in {"person", "group", "self", "broadcast"} and not self.is_locked


@dataclass(frozen=True, slots=True)
class Media:
    """What a message says about its file. The bytes, where there are any, are in the library."""

    mimetype: str
    sha256: str  #: Lowercase hex of the plain bytes.
    size: int
    encrypted_sha256: str  #: Of what lies on the server.
    width: int | None = None
    height: int | None = None
    duration: int | None = None  #: Seconds.
    file_name: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    chat_id: str
    stanza_id: str
    from_me: bool
    author_id: str | None  #: Who wrote or caused it; None on notices that nobody caused.
    t: int
    type: str  #: WhatsApp's own name of the kind.
    body: Body  #: What the client keeps encrypted.
    subtype: str | None = None
    media: Media | None = None
    has_participant: bool = False  #: Whether the key ends with the author (groups, status).
    raw_author: str | None = None  #: How the storage's key writes the author, where not plainly.
    is_by_list: bool = False  #: Came through somebody's list, into the chat with them.
    order: int = 0  #: Place in the chat; counts like the rows do.
    row_id: int = 0
    ack: int = 1
    forwarding_score: int = 0
    edit_key: str | None = None
    edited_at: int | None = None
    revoked_at: int | None = None  #: When it was deleted for everyone.
    revoked_by: str | None = None  #: Who did it; None: the client was not told.
    was_forwarded: bool = False  #: Before it was deleted for everyone.
    earlier_texts: tuple[str, ...] = ()  #: As a person read them, before edits and deletion; oldest first.
    quoted_stanza: str | None = None
    quoted_author: str | None = None
    mention_ids: tuple[str, ...] = ()
    expires_at: int | None = None
    is_on_phone: bool = False  #: Not on this device until the phone hands it over.
    is_expired: bool = False  #: The file is no longer on the server.
    album: str | None = None  #: Pictures with the same word here were sent together and are shown as one row.
    marks: tuple[str, ...] = ()  #: Of "starred", "kept" and "pinned".

    @property
    def is_notice(self) -> bool:
        return self.type in NOTICE_TYPES

    @property
    def external_id(self) -> str:
        """The canonical key: `<true|false>_<chat>_<stanza>[_<participant>]`."""
        head = f"{'true' if self.from_me else 'false'}_{self.chat_id}_{self.stanza_id}"
        return f"{head}_{self.author_id}" if self.has_participant else head


@dataclass(frozen=True, slots=True)
class Reaction:
    external_id: str  #: Of the message reacted to.
    sender_id: str
    emoji: str | None  #: None: taken back.
    at: int
    key: str


@dataclass(slots=True)
class World:
    """One account with everything in it."""

    me: Me
    clock: Callable[[], int]
    contacts: dict[str, Contact] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    lists: dict[str, tuple[str, ...]] = field(default_factory=dict)  #: Recipients by broadcast list.
    chats: dict[str, Chat] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)  #: By external id.
    reactions: dict[tuple[str, str], Reaction] = field(default_factory=dict)
    feed: Feed = field(default_factory=Feed)
    next_row: int = FIRST_ROW  #: Of the next message that arrives live.
    next_history_row: int = FIRST_ROW - 1
    former_keys: dict[str, tuple[str, ...]] = field(default_factory=dict)  #: Of a message, by its key now.
    _by_chat: dict[str, list[str]] = field(default_factory=dict)
    _moved: dict[str, str] = field(default_factory=dict)  #: Former id of a chat -> its id now.
    _unread: dict[str, list[str]] = field(default_factory=dict)
    _marked_unread: set[str] = field(default_factory=set)

    # --- reading -----------------------------------------------------------------------------

    def messages_of(self, chat_id: str) -> list[Message]:
        """All messages of a chat in their order, those on the phone included."""
        return [self.messages[key] for key in self._by_chat.get(chat_id, [])]

    def chat_of(self, message: Message) -> Chat:
        """Return the chat that shows a message, also one kept under the chat's former id."""
        return self.chats[self._moved.get(message.chat_id, message.chat_id)]

    def person(self, some_id: str) -> str:
        """Return the one id of a person: the phone number's where the account knows it."""
        if some_id == self.me.lid:
            return self.me.id
        contact = self.contacts.get(some_id)
        return (contact.phone_id if contact else None) or some_id

    def last_activity(self, chat_id: str) -> int | None:
        keys = self._by_chat.get(chat_id)
        return max(self.messages[key].t for key in keys[-8:]) if keys else None

    def album_parent(self, message: Message) -> Message | None:
        """The message that an album's pictures name as their parent, if there is one; never shown."""
        if message.album is None or message.type == "album":
            return None
        albums = (each for each in self.messages_of(message.chat_id) if each.type == "album")
        return next((each for each in albums if each.album == message.album), None)

    def unread_count(self, chat_id: str) -> int:
        """As the client stores it: -1 when marked unread by hand."""
        if chat_id in self._marked_unread and not self._unread.get(chat_id):
            return -1
        return len(self._unread.get(chat_id, ()))

    def name_of(self, person_id: str) -> str:
        if person_id in {self.me.id, self.me.lid}:
            return "You"
        contact = self.contacts.get(person_id)
        return contact.name if contact else spoken_phone(person_id)

    def title_of(self, chat: Chat) -> str:
        if chat.name:
            return chat.name
        if chat.kind == "group":
            return self.groups[chat.id].subject
        return self.contacts[chat.id].title if chat.id in self.contacts else spoken_phone(chat.id)

    def row_key(self, message: Message) -> str:
        """The key as the client's storage writes it: notes to oneself carry their direction."""
        if message.raw_author is not None and message.author_id is not None:
            return f"{message.external_id.removesuffix(message.author_id)}{message.raw_author}"
        if message.chat_id not in {self.me.id, self.me.lid}:
            return message.external_id
        return f"{message.external_id}_{'out' if message.from_me else 'in'}"

    # --- changing ----------------------------------------------------------------------------

    def put_contact(self, contact: Contact) -> None:
        self.contacts[contact.id] = contact
        self.feed.put("contact", contact.id)
        if contact.has_picture:
            self.feed.put("profile-pic-thumb", contact.id)

    def put_group(self, group: Group) -> None:
        self.groups[group.id] = group
        self.feed.put("group-metadata", group.id)
        self.feed.put("participant", group.id)

    def put_list(self, list_id: str, recipient_ids: tuple[str, ...]) -> None:
        self.lists[list_id] = recipient_ids
        self.feed.put("broadcast-metadata", list_id)
        self.feed.put("participant", list_id)

    def put_chat(self, chat: Chat) -> None:
        self.chats[chat.id] = chat
        self.feed.put("chat", chat.id)

    def rename_chat(self, chat_id: str, new_id: str) -> None:
        """Give a chat another id; its messages keep theirs."""
        renamed = {new_id if key == chat_id else key: chat for key, chat in self.chats.items()}
        renamed[new_id] = replace(renamed[new_id], id=new_id)
        self.chats = renamed
        self._moved[chat_id] = new_id
        self._by_chat[new_id] = self._by_chat.pop(chat_id, [])
        self._unread[new_id] = self._unread.pop(chat_id, [])
        if chat_id in self._marked_unread:
            self._marked_unread.add(new_id)
        self.feed.delete("chat", chat_id, chat_id)
        self.feed.put("chat", new_id)

    def remove_chat(self, chat_id: str) -> None:
        """Delete a chat with everything in it on this device."""
        for message in self.messages_of(chat_id):
            self.messages.pop(message.external_id)
            if not message.is_on_phone:
                self.feed.delete("message", message.external_id, self.row_key(message))
        for key in [key for key in self.reactions if key[0] not in self.messages]:
            del self.reactions[key]
        for kept in (self._by_chat, self._unread):
            kept.pop(chat_id, None)
        del self.chats[chat_id]
        self.feed.delete("chat", chat_id, chat_id)

    def load_history(self, chat_id: str, messages: list[Message]) -> None:
        """Put a chat's first messages in place: ordered and numbered already, oldest first."""
        self._by_chat[chat_id] = [message.external_id for message in messages]
        self.messages.update((message.external_id, message) for message in messages)

    def announce_all(self) -> None:
        """Offer everything to a page that knows nothing yet."""
        for contact in self.contacts.values():
            self.put_contact(contact)
        for group in self.groups.values():
            self.put_group(group)
        for list_id, recipient_ids in self.lists.items():
            self.put_list(list_id, recipient_ids)
        for chat in self.chats.values():
            self.put_chat(chat)
        self.announce_messages()
        for reaction in self.reactions.values():
            if not self.messages[reaction.external_id].is_on_phone:
                self.put_reaction(reaction)

    def announce_messages(self) -> None:
        """Offer all messages on this device to the page, in the order in which they came to it."""
        here = [message for message in self.messages.values() if not message.is_on_phone]
        for message in sorted(here, key=lambda message: message.row_id):
            self.feed.put("message", message.external_id)
            if self.album_parent(message) is not None:
                self.feed.put("message-association", message.external_id)

    def receive(self, message: Message) -> Message:
        """Add a message that arrives now, behind all others of its chat."""
        if message.external_id in self.messages:
            raise ValueError("A message with this key exists already.")
        keys = self._by_chat.setdefault(message.chat_id, [])
        order = max(FIRST_ROW, self.messages[keys[-1]].order + 1) if keys else FIRST_ROW
        message = replace(message, order=order, row_id=self.next_row)
        self.next_row += 1
        keys.append(message.external_id)
        self.messages[message.external_id] = message
        if not message.from_me and not message.is_notice:
            self._unread.setdefault(message.chat_id, []).append(message.external_id)
        self.feed.put("message", message.external_id)
        self.feed.put("chat", message.chat_id)
        return message

    def replace_message(self, message: Message) -> None:
        """Change a message in place; its key, row and order stay."""
        old = self.messages[message.external_id]
        self.messages[message.external_id] = replace(message, order=old.order, row_id=old.row_id)
        self.feed.put("message", message.external_id)

    def remove_message(self, external_id: str) -> None:
        """Take a message off this device only: no trace stays."""
        message = self.messages.pop(external_id)
        chat_id = self.chat_of(message).id
        self._by_chat[chat_id].remove(external_id)
        if external_id in (unread := self._unread.get(chat_id, [])):
            unread.remove(external_id)
        self.feed.delete("message", external_id, self.row_key(message))

    def rekey_message(self, old: Message, new: Message) -> None:
        """Replace a message by itself under another key, in its place and row."""
        del self.messages[old.external_id]
        self.messages[new.external_id] = new
        for keys in (self._by_chat, self._unread):
            listed = keys.get(self.chat_of(new).id, [])
            keys[self.chat_of(new).id] = [
                new.external_id if key == old.external_id else key for key in listed
            ]
        self.former_keys[new.external_id] = (*self.former_keys.pop(old.external_id, ()), old.external_id)
        if not old.is_on_phone:
            self.feed.delete("message", old.external_id, self.row_key(old))
            self.feed.put("message", new.external_id)

    def take_reactions(self, reactions: Iterable[Reaction]) -> None:
        """Take reactions out of the storage, as when their message gets another key."""
        for each in reactions:
            del self.reactions[each.external_id, each.sender_id]
            parent = self.row_key(self.messages[each.external_id])
            self.feed.delete("reactions", f"{each.external_id}|{each.sender_id}", [parent, each.sender_id])

    def put_reaction(self, reaction: Reaction) -> None:
        self.reactions[reaction.external_id, reaction.sender_id] = reaction
        self.feed.put("reactions", f"{reaction.external_id}|{reaction.sender_id}")

    def hand_over_from_phone(self, chat_id: str) -> int:
        """Bring what only the phone had to this device; return how many messages came."""
        came = self.bring([m for m in reversed(self.messages_of(chat_id)) if m.is_on_phone])
        self.put_chat(replace(self.chats[chat_id], history_type=1))
        return came

    def bring(self, messages: Sequence[Message]) -> int:
        """Let messages that only the phone had come as history, in this order: rows count down."""
        came = {message.external_id: message for message in messages}
        for external_id, message in came.items():
            row_id = self.next_history_row
            self.next_history_row -= 1
            self.messages[external_id] = replace(message, is_on_phone=False, row_id=row_id)
            self.feed.put("message", external_id)
        for external_id, sender_id in self.reactions:
            if external_id in came:
                self.feed.put("reactions", f"{external_id}|{sender_id}")
        return len(came)

    def set_unread(self, chat_id: str, external_ids: list[str]) -> None:
        self._unread[chat_id] = external_ids
        self.feed.put("chat", chat_id)

    def mark_unread(self, chat_id: str) -> None:
        self._marked_unread.add(chat_id)
        self.feed.put("chat", chat_id)

    def mark_read(self, chat_id: str, ids: list[str]) -> None:
        """Apply a read receipt: of the named messages, or of the whole chat when none is named."""
        unread = self._unread.get(chat_id, [])
        named = set(ids)
        left = [key for key in unread if key not in named and self.messages[key].stanza_id not in named]
        self._unread[chat_id] = left if ids else []
        self._marked_unread.discard(chat_id)
        self.feed.put("chat", chat_id)


def spoken_phone(person_id: str) -> str:
    """Write a number's id as the page writes a number without a name."""
    user = person_id.partition("@")[0]
    if user.startswith("1") and len(user) == 11:  # noqa: PLR2004 - North America: 1 and ten digits
        return f"+1 ({user[1:4]}) {user[4:7]}-{user[7:]}"
    return f"+{user}"
