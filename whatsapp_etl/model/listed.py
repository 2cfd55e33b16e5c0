"""What the browser's own storage lists: chats, people, messages without their text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from whatsapp_etl.model.vocabulary import ChatKind, MessageType


@dataclass(frozen=True, slots=True)
class MessageKey:
    """A parsed message key `<fromMe>_<chat>_<stanza id>[_<participant>]`."""

    is_outgoing: bool
    chat_id: str
    stanza_id: str
    participant_id: str | None = None

    def __str__(self) -> str:
        head = f"{'true' if self.is_outgoing else 'false'}_{self.chat_id}_{self.stanza_id}"
        return f"{head}_{self.participant_id}" if self.participant_id else head


@dataclass(frozen=True, slots=True)
class Account:
    """The linked account."""

    id: str
    lid: str | None = None
    push_name: str | None = None  #: The name that the page writes before own messages.


#: Values of `endOfHistoryTransferType` that say: the phone has older messages of a chat than this device.
PHONE_HAS_MORE = frozenset({0, 2})


@dataclass(frozen=True, slots=True)
class ChatFacts:
    """One row of the browser's `chat` store, with the title as the chat list shows it."""

    id: str
    kind: ChatKind
    title: str | None  #: None when no contact or group row names it.
    last_activity: datetime | None
    unread_count: int  #: -1 when marked unread by hand.
    is_archived: bool
    is_pinned: bool
    is_muted: bool
    is_locked: bool
    is_readonly: bool
    disappearing_seconds: int | None  #: None or 0: messages stay.
    history_type: int | None  #: `endOfHistoryTransferType`; 0 and 2: the phone has more, 1: complete.
    #: When the oldest message was sent that this device holds; read only where the phone has more.
    oldest_at: datetime | None = None
    #: Other ids of the same chat under which no chat is listed, but messages may be: a LID's phone id.
    other_ids: tuple[str, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """Every id of the chat, the one in use first."""
        return (self.id, *self.other_ids)

    def held_since(self, since: datetime) -> datetime | None:
        """Return from when on, not before `since`, this device holds the whole chat; None: unknown."""
        if self.history_type not in PHONE_HAS_MORE:
            return since
        return max(since, self.oldest_at) if self.oldest_at is not None else None


@dataclass(frozen=True, slots=True)
class ContactFacts:
    id: str
    saved_name: str | None
    push_name: str | None
    phone_id: str | None  #: For "@lid" contacts: the phone number's id where the browser knows it.
    is_saved: bool = True  #: False: `saved_name`, if there is one, is a business' own, which it chose itself.


@dataclass(frozen=True, slots=True)
class GroupFacts:
    id: str
    subject: str | None
    participant_ids: tuple[str, ...]  #: Sorted; the own id is among them while a member.
    is_complete: bool = True  #: False when the list is known to be cut.
    owner_id: str | None = None  #: Who made the group; None where the browser does not know it.


@dataclass(frozen=True, slots=True)
class ReactionFacts:
    message_key: MessageKey
    sender_id: str
    emoji: str | None  #: None: taken back.
    reacted_at: datetime


@dataclass(frozen=True, slots=True)
class MessageIndexEntry:
    """The few facts of one stored message that decide whether it must be read again."""

    external_id: str
    chat_id: str
    sent_at: datetime
    source_revision: str  #: Changes when type, latest edit or media state change.
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MessageFacts:
    """One row of the browser's `message` store: everything but the body, which is encrypted."""

    key: MessageKey
    type: MessageType
    subtype: str | None
    wa_type: str  #: The store's own type name.
    sent_at: datetime  #: Exact seconds.
    sender_id: str | None  #: None on system rows.
    source_revision: str
    is_forwarded: bool = False
    latest_edit_key: str | None = None
    quoted_stanza_id: str | None = None
    quoted_participant_id: str | None = None
    mimetype: str | None = None
    file_sha256: str | None = None  #: `filehash` as lowercase hex: sha256 of the plain bytes.
    file_name: str | None = None
    size_bytes: int | None = None
    width: int | None = None
    height: int | None = None
    duration_seconds: float | None = None
    expires_at: datetime | None = None  #: Disappearing messages.
    parent_stanza_id: str | None = None  #: Albums: the parent's stanza id.
    revoked_at: datetime | None = None  #: When it was deleted for everyone.
    revoked_by_id: str | None = None  #: Who deleted it for everyone.
    stored_id: str | None = None  #: The store's primary key, verbatim.
