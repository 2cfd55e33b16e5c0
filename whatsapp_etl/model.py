"""The values that travel between packages: frozen, typed, free of any browser or database handle.

Read from top to bottom it is the way of a message: what the browser's storage lists
(`...Facts`), what a page row looked like (`RawRow`), what the parser made of it (`ParsedRow`),
what is written (`Message`, `LoadPlan`), and what is reported (`Coverage`, `RunReport`).

All instants are aware UTC datetimes. Ids are normalised WhatsApp ids ("4915…@c.us"): no device
part, "@s.whatsapp.net" written as "@c.us".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from whatsapp_etl.extracted import JobState

if TYPE_CHECKING:
    from whatsapp_etl.downloads import Download

from whatsapp_etl.store_records import StoreUnavailable

# --- closed sets ---------------------------------------------------------------------------


class ChatKind(StrEnum):
    """What a chat id stands for; decides whether it is in scope."""

    PERSON = "person"
    GROUP = "group"
    SELF = "self"
    BROADCAST = "broadcast"
    CHANNEL = "channel"
    STATUS = "status"
    BOT = "bot"
    OTHER = "other"


class MessageType(StrEnum):
    """`messages.message_type`. WhatsApp's own type names are mapped in `transform.kinds`."""

    TEXT = "text"
    IMAGE = "image"
    VIDEO = "video"
    GIF = "gif"
    VIDEO_NOTE = "video_note"
    AUDIO = "audio"
    VOICE = "voice"
    STICKER = "sticker"
    DOCUMENT = "document"
    LOCATION = "location"
    LIVE_LOCATION = "live_location"
    CONTACT = "contact"
    CONTACTS = "contacts"
    POLL = "poll"
    EVENT = "event"
    GROUP_INVITE = "group_invite"
    ALBUM = "album"  #: The page's row for several pictures; never written, its children are.
    CALL = "call"
    VIEW_ONCE = "view_once"
    WAITING = "waiting"  #: Not decrypted yet; replaced later under the same id.
    DELETED = "deleted"
    SYSTEM = "system"
    UNSUPPORTED = "unsupported"
    OTHER = "other"


#: Types whose message carries a file, whether or not its bytes are held.
FILE_TYPES = frozenset(
    {
        MessageType.IMAGE,
        MessageType.VIDEO,
        MessageType.GIF,
        MessageType.VIDEO_NOTE,
        MessageType.AUDIO,
        MessageType.VOICE,
        MessageType.STICKER,
        MessageType.DOCUMENT,
    }
)

#: Types that are complete without the page: nothing of them is shown that could be read.
BODILESS_TYPES = frozenset({MessageType.DELETED, MessageType.WAITING})

TsPrecision = Literal["second", "minute", "clamped"]
DeletedBy = Literal["sender", "admin"]
#: Who deleted a message, as its row says it: "own_admin" is the account as the group's admin.
ShownDeletion = Literal["sender", "admin", "own_admin"]
ReadPath = Literal["dom", "store"]


class SessionState(StrEnum):
    """Where the page stands. Which one may follow which is in `transitions`."""

    STARTING = "starting"
    QR = "qr"
    PAIRING = "pairing"  #: A code is shown that is typed on the phone.
    PASSKEY_REQUIRED = "passkey_required"
    LINK_RESTING = (
        "link_resting"  #: All codes ran out; the browser is closed until a person asks for new ones.
    )
    LOADING = "loading"
    READY = "ready"
    OFFLINE = "offline"
    CONFLICT = "conflict"
    LOGGED_OUT = "logged_out"
    UNSUPPORTED = "unsupported"
    UPDATE_REQUIRED = "update_required"
    TERMS = "terms"
    LOCKED = "locked"
    BANNED = "banned"
    UNAVAILABLE = "unavailable"
    WRONG_ACCOUNT = "wrong_account"
    CRASHED = "crashed"
    UNKNOWN = "unknown"


#: States that only a person can end.
NEEDS_PERSON = frozenset(
    {
        SessionState.QR,
        SessionState.PAIRING,
        SessionState.PASSKEY_REQUIRED,
        SessionState.LINK_RESTING,
        SessionState.LOGGED_OUT,
        SessionState.CONFLICT,
        SessionState.TERMS,
        SessionState.LOCKED,
        SessionState.BANNED,
        SessionState.WRONG_ACCOUNT,
        SessionState.UPDATE_REQUIRED,
    }
)


class StopReason(StrEnum):
    """Why reading of one chat ended. Only the first three mean that nothing was left out."""

    ALL_FOUND = "all_found"  #: Every wanted id was captured.
    EDGE_REACHED = "edge_reached"  #: A whole page of 50 is older than the look-back.
    BEGINNING_REACHED = "beginning_reached"  #: The chat's first message is shown.
    CHECKPOINT_REACHED = "checkpoint_reached"  #: Without metadata: back at stored messages.
    NOTHING_TO_READ = "nothing_to_read"  #: Metadata alone was enough; the chat was not opened.
    NEEDS_PHONE = "needs_phone"  #: Older messages are on the phone only.
    PHONE_FAILED = "phone_failed"
    TIME_BUDGET = "time_budget"
    STALLED = "stalled"  #: Nothing older came although more is listed.
    CHAT_NOT_FOUND = "chat_not_found"
    CHAT_UNIDENTIFIED = "chat_unidentified"  #: The ids shown are not those of the chat meant.
    DRIFT = "drift"
    NOT_STORED = "not_stored"  #: Postgres refused the chat's rows; nothing of them is stored.
    PAGE_FAILED = "page_failed"  #: The page or its storage did not answer; the other chats go on.
    SHIELDED = "shielded"  #: Unread chats are not opened until the shield alarm is acknowledged.
    EXCLUDED = "excluded"
    INTERRUPTED = "interrupted"


class MissingReason(StrEnum):
    """Why an id that the metadata lists has no whole row in Postgres."""

    NOT_SHOWN = "not_shown"  #: Reading passed its place and it was not there.
    NOT_REACHED = "not_reached"  #: Reading stopped before its place.
    NEEDS_PHONE = "needs_phone"
    EMPTY_ROW = "empty_row"  #: The row stayed without content past its deadline.
    UNREADABLE = "unreadable"  #: The parser rejected it.
    PICTURE_NOT_LOADED = "picture_not_loaded"  #: The message is stored; its picture's bytes are not.
    CHAT_NOT_OPENED = "chat_not_opened"
    SKIPPED_BY_RULE = "skipped_by_rule"  #: A rule keeps the chat closed; the stop reason names it.
    EXPIRED = "expired"  #: It disappeared before it was stored.
    NO_LONGER_LISTED = "no_longer_listed"  #: The storage was set back and does not list it any more.


#: Reasons of what is not listed now, and so not among what is expected.
UNLISTED_REASONS = frozenset({MissingReason.EXPIRED, MissingReason.NO_LONGER_LISTED})


class SkipRule(StrEnum):
    """Why a chat is left alone altogether: nothing of it is written, it is only counted."""

    EXCLUDED = "excluded"  #: Named by `WHATSAPP_EXCLUDE_CHATS`.
    AGENT = "agent"  #: Of older programs, which did not store the agent's thread.
    LOCKED = "locked"
    OUT_OF_SCOPE = "out_of_scope"  #: A channel, the status, a bot.
    FORGOTTEN = "forgotten"  #: Erased on request.


class AgentState(StrEnum):
    """Whether messages are told apart for the agent, and if not, why."""

    OFF = "off"  #: Nothing is set.
    THREAD = "thread"  #: One chat is the agent's.
    KEYWORDS = "keywords"  #: No chat is; messages that call the agent are told apart.
    NOT_FOUND = "not_found"  #: A chat is named, and none is known to be meant.
    AMBIGUOUS = "ambiguous"  #: A chat is named, and several could be meant.


class DisagreementFact(StrEnum):
    """In what two ways of knowing a message, the storage's list and the page, say two things."""

    ID = "id"  #: Listed and not shown where it belongs, or shown and not listed.
    COUNT = "count"  #: The stretch of the chat that was read has more or fewer messages than are listed.
    TIME = "time"  #: Another minute than the listed one.
    TEXT = "text"  #: Another text than the stored one, without a sign of an edit.


class RejectReason(StrEnum):
    NO_ID = "no_id"
    NO_DIRECTION = "no_direction"
    NO_TIME = "no_time"
    DATE_UNCLEAR = "date_unclear"  #: Date or time could be two different ones.
    OTHER_CALENDAR = "other_calendar"  #: The year is none of a calendar that the page's language has.
    NO_CONTENT = "no_content"
    NOT_IN_METADATA = "not_in_metadata"
    CHAT_UNPROVEN = "chat_unproven"
    SENDER_UNPROVEN = "sender_unproven"
    OTHER_KIND = "other_kind"  #: Shown as another kind than the storage lists, so its text was read wrongly.
    QUOTE_UNSEEN = "quote_unseen"  #: An answer in which the text answered cannot be told from the answer.


# --- selector packs ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Selector:
    """A named thing on the page and the CSS candidates for it, best first."""

    name: str
    candidates: tuple[str, ...]
    required_on: str | None = None  #: Page on which zero matches means drift: "ready", "conversation".


@dataclass(frozen=True, slots=True)
class HarmlessDialog:
    """A dialog that only informs. Whole texts, in straight apostrophes."""

    title: str
    press: str  #: What closes it.
    beside: tuple[str, ...] = ()  #: What else may stand there to be pressed.


@dataclass(frozen=True, slots=True)
class SelectorPack:
    """Everything a release of WhatsApp Web is recognised by. Data from `selectors/<id>.toml`.

    `tables` holds the sections that only one reader of the pack knows (row kinds, date words, …),
    as parsed from TOML with lists as tuples.
    """

    id: str
    priority: int
    present: tuple[str, ...]  #: Detect rule: each of these must match something on the page.
    absent: tuple[str, ...]  #: Detect rule: none of these may match.
    selectors: Mapping[str, Selector]
    attributes: Mapping[str, str]
    labels: Mapping[str, tuple[str, ...]]
    tables: Mapping[str, Mapping[str, object]]
    harmless: tuple[HarmlessDialog, ...] = ()  #: Dialogs that are closed without a person.

    def __getitem__(self, name: str) -> Selector:
        return self.selectors[name]


#: The signs that tell a fact of a message row, best first. A pack's `[ladder]` may order them otherwise.
IdRung = Literal["packed", "model"]
KindRung = Literal["id", "rule", "body", "model", "alignment"]
DirectionRung = Literal[
    "key", "class", "alignment", "tail", "status", "label", "author", "sender_name", "background", "geometry"
]
SenderRung = Literal["prefix", "own", "author", "label"]
TimeRung = Literal["model", "prefix", "marker"]


# --- what the browser's own storage lists ---------------------------------------------------


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


# --- what the chat list shows ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ListedChat:
    """One row of the chat list: all that is known of a chat when the storage cannot be read."""

    title: str
    index: int  #: Place in its list, 0-based.
    chat_id: str | None  #: Where the row's model shows it.
    is_archived: bool
    unread_count: int | None  #: -1 when marked unread by hand; None where the row does not tell.
    last_activity: datetime | None  #: Where the row's model shows it.
    look: str  #: sha256 of all that the row says: the same look, nothing new.

    @property
    def key(self) -> str:
        """What the program remembers the chat by: its id, else its title, which others may have too."""
        return self.chat_id or self.title


@dataclass(frozen=True, slots=True)
class RowGlance:
    """What must be known of a row while its chat is still open."""

    sent_at: datetime | None  #: None where the row tells no time of its own.
    is_picture: bool


@dataclass(frozen=True, slots=True)
class Reach:
    """How far back a chat is read when only the page tells what is in it."""

    edge: datetime
    ends_as: StopReason  #: What it means that a whole page older than the edge was shown.


# --- what a row of the page looked like -----------------------------------------------------


@dataclass(frozen=True, slots=True)
class RowModel:
    """What a row's React model says, where the fiber shows it. An enrichment, never required."""

    key: str | None
    sent_at_seconds: int | None
    type: str | None
    author: str | None


@dataclass(frozen=True, slots=True)
class RawRow:
    """One captured row: HTML plus the facts that only a live page has.

    Saved as JSON it can be parsed again after a selector fix.
    """

    shown_id: str  #: The row's id attribute, verbatim: packed, bare or an album id.
    html: str  #: Outer HTML of the row; long data: URIs cut.
    alignment: str | None  #: Computed `align-items` of the bubble row: "flex-end", "flex-start", "center".
    date_marker: str | None  #: Text of the nearest date marker above it.
    run_position: int  #: 0 for the first bubble of a run of one sender.
    run_head: str | None = None  #: shown_id of the run's first row.
    model: RowModel | None = None
    #: Where the bubble is drawn: at the line's "start" or "end". Measured only without a known alignment.
    side: str | None = None


@dataclass(frozen=True, slots=True)
class SeenPage:
    """A whole page as it was drawn at one moment, or as a file holds it."""

    html: str
    language: str | None = None  #: The page's `<html lang>`.
    build: str | None = None  #: Of WhatsApp Web; None when unknown.
    taken_at: datetime | None = None  #: Aware; None when unknown.
    is_snapshot: bool = False  #: Redacted: ids are hashes, and times and dates nobody's.


#: Where a saved page keeps the `align-items` that the browser computed for an element.
COMPUTED_ALIGNMENT = "data-computed-align"


@dataclass(frozen=True, slots=True)
class CapturedFile:
    """Bytes that the page held, already saved under their checksum."""

    sha256: str
    media_type: str  #: From the bytes.
    size_bytes: int
    relative_path: str  #: Below ATTACHMENTS_DIR.


@dataclass(frozen=True, slots=True)
class ChatBatch:
    """Everything captured in one visit to one chat."""

    chat_id: str
    pack_id: str
    rows: tuple[RawRow, ...]  #: In page order, oldest first, each id once.
    stop_reason: StopReason
    observed_at: datetime
    files: Mapping[str, tuple[CapturedFile, ...]] = field(default_factory=dict)  #: By shown_id.
    empty_ids: tuple[str, ...] = ()  #: Rows that stayed without content.
    #: Ids of all rows that were there, kept or not, oldest first and without a gap between them.
    shown_ids: tuple[str, ...] = ()
    unlisted_ids: tuple[str, ...] = ()  #: Of those, what no list of the storage has, however old.
    pictures_unseen: tuple[str, ...] = ()  #: Rows of pictures that show neither one nor why there is none.
    pictures_refused: tuple[str, ...] = ()  #: Rows that say that their pictures cannot be downloaded.
    pictures_left: tuple[str, ...] = ()  #: Rows for whose files there was no room.
    oldest_shown_id: str | None = None
    scrolls: int = 0
    pages_loaded: int = 0
    unread_before: int | None = None  #: The chat's unread count before it was opened; None: not known.
    unread_after: int | None = None  #: And after it was read. Lower without a cause: receipts were sent.
    read_path: ReadPath = (
        "dom"  #: "store": from the page's message store; the chat was not opened, no row seen.
    )


# --- what the parser made of it --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ParsedAttachment:
    """What a row tells about its file."""

    media_type: str | None = None
    file_name: str | None = None
    size_bytes: int | None = None  #: As shown ("120 kB"): rounded.
    width: int | None = None
    height: int | None = None
    duration_seconds: float | None = None
    count: int = 1  #: Albums: pictures in the row.


@dataclass(frozen=True, slots=True)
class ParsedReaction:
    emoji: str
    count: int


@dataclass(frozen=True, slots=True)
class ParsedRow:
    """One row of the page, understood. Joined with metadata it becomes a `Message`."""

    shown_id: str
    key: MessageKey | None  #: Only where the page shows packed ids.
    stanza_id: str
    type: MessageType
    subtype: str | None
    is_outgoing: bool | None  #: None on system rows.
    sender_name: str | None  #: As shown; not an identity.
    text: str | None  #: As the user sees it; None for bare media.
    sent_at: datetime | None  #: Minute precision.
    ts_raw: str | None  #: The date and time text it was read from.
    quoted_text: str | None = None
    quoted_sender_name: str | None = None
    is_forwarded: bool = False
    is_edited: bool = False
    is_truncated: bool = False  #: "Read more" was not opened to its end.
    attachment: ParsedAttachment | None = None
    reactions: tuple[ParsedReaction, ...] = ()
    deletion: ShownDeletion | None = None  #: Of a deleted message; None: the row does not say it.
    signals: Mapping[str, str] = field(default_factory=dict)  #: fact -> rung that served it.
    dissents: tuple[tuple[str, str], ...] = ()  #: (fact, rung) of rungs that said otherwise than that one.


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was seen and not understood: stored, counted, visible."""

    thread_external_id: str | None
    shown_id_hash: str  #: sha256 of the shown id, first 16 hex digits.
    reason: RejectReason
    pack_id: str
    evidence: str  #: Redacted HTML: letters x, digits 9, ids hashed.
    observed_at: datetime


# --- what is written -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file sent with a message; its bytes lie in ATTACHMENTS_DIR once `file_path` is set."""

    position: int
    media_type: str | None  #: From the bytes once held; until then as WhatsApp Web states it.
    state: Literal["seen", "stored", "unavailable"]
    file_path: str | None = None  #: Relative to ATTACHMENTS_DIR.
    checksum: str | None = None  #: sha256, lowercase hex. None until the bytes are held.
    is_verified: bool | None = None  #: Checksum equals the metadata's; None while unknown.
    size_bytes: int | None = None
    width: int | None = None
    height: int | None = None
    duration_seconds: float | None = None
    file_name: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One row of `messages`, in the contract's columns."""

    external_id: str
    thread_external_id: str
    sender_id: str | None
    recipient_ids: tuple[str, ...]
    content_snippet: str | None
    ts: datetime
    ts_precision: TsPrecision
    is_outgoing: bool
    has_attachments: bool
    stanza_id: str
    message_type: MessageType
    subtype: str | None
    source_revision: str
    read_path: ReadPath
    observed_at: datetime
    ts_raw: str | None = None
    is_forwarded: bool = False
    is_edited: bool = False
    edited_seen_at: datetime | None = None
    deleted_seen_at: datetime | None = None
    deleted_at: datetime | None = None  #: None where the browser's storage does not say it.
    deleted_by: DeletedBy | None = None
    deleted_by_id: str | None = None  #: The admin's id.
    reply_to_external_id: str | None = None
    quoted_text: str | None = None
    album_id: str | None = None
    album_position: int | None = None
    expires_at: datetime | None = None
    attachments: tuple[Attachment, ...] = ()
    aliases: tuple[str, ...] = ()  #: Other keys under which the same message was seen.


@dataclass(frozen=True, slots=True)
class MessageVersion:
    """An earlier state of a message, kept when an edit or a deletion was seen."""

    external_id: str
    message_type: MessageType
    content_snippet: str | None
    replaced_seen_at: datetime


@dataclass(frozen=True, slots=True)
class Reaction:
    message_external_id: str
    sender_id: str
    emoji: str | None  #: None: taken back; the row stays.
    reacted_at: datetime


@dataclass(frozen=True, slots=True)
class Thread:
    external_id: str
    kind: ChatKind
    title: str | None
    participant_ids: tuple[str, ...]
    is_archived: bool
    last_activity: datetime | None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The newest message up to which a chat is known to be complete."""

    message_id: str
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class MissingMessage:
    """An id that the metadata lists and Postgres lacks, and when to look again."""

    external_id: str
    reason: MissingReason
    attempts: int
    next_try_at: datetime
    expires_at: datetime | None = None  #: When it disappears; None: it stays.


@dataclass(frozen=True, slots=True)
class TimeDissent:
    """A row that shows another minute than the one listed of its message."""

    stanza_id: str
    listed_at: datetime
    shown_at: datetime


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One thing that two ways of knowing a message say differently. Never holds what a message says."""

    thread_external_id: str
    fact: DisagreementFact
    known: str  #: By the storage's list, or of a text by Postgres: an instant, a number, a hash.
    shown: str  #: By the page.
    observed_at: datetime
    external_id: str | None = None  #: None: the chat as a whole, or a row that no list names.
    shown_id_hash: str | None = None  #: Of such a row; see `hashing.hash_id`.


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is known about one chat's completeness inside the look-back."""

    thread_external_id: str
    expected: int | None  #: Ids that the metadata lists; None when metadata was not readable.
    stored: int
    missing: Mapping[MissingReason, int]
    stop_reason: StopReason
    complete_until: datetime | None  #: Oldest instant from which on nothing is missing.
    history_type: int | None
    observed_at: datetime
    first_external_id: str | None = None  #: The oldest message that the metadata lists inside the look-back.
    last_external_id: str | None = None  #: The newest one.


@dataclass(frozen=True, slots=True)
class BackfillProgress:
    """How far back-fill came in one chat. Beside the ordinary coverage, which tells of the look-back only."""

    thread_external_id: str
    since: datetime  #: How far back it was to be read.
    expected: int  #: Ids from then on that the metadata lists.
    stored: int
    missing: Mapping[MissingReason, int]
    stop_reason: StopReason  #: Why the last slice ended.
    is_finished: bool  #: The walk came to its end: another one is needed for ids that were not listed then.
    slices: int  #: Slices in a row that ran out of time; each doubles the next one.
    unread_digest: str  #: Of the ids before the look-back that stayed unread; "": none.
    history_type: int | None
    phone_asked_at: datetime | None
    observed_at: datetime


@dataclass(frozen=True, slots=True)
class KnownMessage:
    """What Postgres holds of a message: what planning needs to merge, and nothing more."""

    external_id: str
    message_type: MessageType
    content_snippet: str | None
    recipient_ids: tuple[str, ...]
    sender_id: str | None
    ts: datetime
    ts_precision: TsPrecision
    is_edited: bool
    is_forwarded: bool
    source_revision: str
    observed_at: datetime
    edited_seen_at: datetime | None
    deleted_seen_at: datetime | None
    reply_to_external_id: str | None
    quoted_text: str | None
    expires_at: datetime | None
    deleted_at: datetime | None = None
    deleted_by: DeletedBy | None = None
    deleted_by_id: str | None = None
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """One chat's load: applied in one transaction, with its checkpoint and coverage."""

    thread: Thread
    messages: tuple[Message, ...]  #: New or different, merged with what is known.
    versions: tuple[MessageVersion, ...]
    rejects: tuple[Reject, ...]
    missing: tuple[MissingMessage, ...]
    checkpoint: Checkpoint | None
    coverage: Coverage
    unchanged: int  #: Read and equal to what is stored.
    disagreements: tuple[Disagreement, ...] = ()  #: Between the storage's list, Postgres and the page.
    #: (fact, "shown" | "other" | "lost") -> how often rows show what the storage lists of them.
    agreement: Mapping[tuple[str, str], int] = field(default_factory=dict)
    downloads: tuple[Download, ...] = ()  #: Where the bytes of attachments stand.
    #: Saved and in none of `messages`: to be removed, unless a stored message has them.
    unused_files: tuple[str, ...] = ()
    #: Of a slice of back-fill; stored in place of the coverage, which tells of ordinary cycles.
    backfill: BackfillProgress | None = None


@dataclass(frozen=True, slots=True)
class ApplyResult:
    """What one transaction changed."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    attachments_saved: int = 0
    jobs_enqueued: int = 0
    rejects: int = 0

    def __add__(self, other: ApplyResult) -> ApplyResult:
        return ApplyResult(
            self.inserted + other.inserted,
            self.updated + other.updated,
            self.unchanged + other.unchanged,
            self.attachments_saved + other.attachments_saved,
            self.jobs_enqueued + other.jobs_enqueued,
            self.rejects + other.rejects,
        )


@dataclass(frozen=True, slots=True)
class ChatDiff:
    """How one chat of the metadata compares with Postgres."""

    chat_id: str
    expected: int
    stored: int
    wanted: tuple[str, ...]  #: external_ids missing or changed, due now, newest first.
    deferred: Mapping[MissingReason, int] = field(default_factory=dict)  #: Known missing, not due.
    newest_at: datetime | None = None  #: When the newest of those expected was sent.
    first_id: str | None = None  #: external_id of the oldest of those expected …
    last_id: str | None = None  #: … and of the newest.
    #: Listed before and not now, beside what is expected. What is stored of it stays.
    lost: Mapping[MissingReason, int] = field(default_factory=dict)
    lost_unstored: int = 0  #: Of those, not stored.


@dataclass(frozen=True, slots=True)
class ListedBefore:
    """Whether the storage still lists what it listed of a chat before."""

    chat_id: str
    has_first: bool | None  #: The oldest message inside the look-back; None: not known, or it left that.
    has_last: bool | None  #: The newest one.
    unlisted: int = 0  #: Stored messages that are not listed; counted only where an end is lacking.


@dataclass(frozen=True, slots=True)
class ChatVisit:
    """The decision to read one chat, and what to look for there."""

    chat: ChatFacts
    wanted: tuple[MessageFacts, ...]  #: Newest first.
    list_position: int  #: Expected place in the chat list, 0-based; a hint.
    checked: tuple[MessageFacts, ...] = ()  #: Stored ones, kept too where they are shown, to be compared.
    seeks_phone: bool = False  #: The top is wanted too, where the phone can be asked for more.
    goes_on: bool = (
        False  #: Above the place where the last visit ran out of time, if the page is still there.
    )


# --- what is reported ------------------------------------------------------------------------


#: A cycle, or back-fill: what lies before the look-back.
RunKind = Literal["sync", "backfill"]


class RunStatus(StrEnum):
    SUCCESS = "success"
    PARTIAL = "partial"  #: Some chats could not be read; the others are stored.
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class StageCounts:
    """Rows per stage, so that a silent loss shows as a step between two numbers."""

    seen: int = 0
    id_found: int = 0
    matched: int = 0
    body_found: int = 0
    written: int = 0


@dataclass(frozen=True, slots=True)
class SpoolFacts:
    """What waits on disk until Postgres is back."""

    batches: int = 0  #: Captured chats.
    bytes: int = 0
    oldest_at: datetime | None = None  #: When the oldest of them was captured.
    set_aside: int = 0  #: Files that could not be loaded and are out of the way.


@dataclass(frozen=True, slots=True)
class RunReport:
    """What one cycle did. Stored in `sync_runs`, shown by the service."""

    run_id: int
    status: RunStatus
    started_at: datetime
    finished_at: datetime
    session_state: SessionState
    wa_version: str | None
    pack_id: str | None
    chats_listed: int
    chats_opened: int
    stages: StageCounts
    applied: ApplyResult
    expected: int  #: Messages that the metadata lists inside the look-back.
    missing: int
    rejects: int
    stop_reasons: Mapping[StopReason, int]
    selector_hits: Mapping[tuple[str, str], int]  #: (selector, candidate) -> hits.
    receipts_observed: int  #: Unread counts that dropped after our own opening; must stay 0.
    stage_seconds: Mapping[str, float]
    error: str | None = None  #: The error's class name and advice; no message content.
    #: Fact -> how often the storage's list, Postgres and the page did not say the same.
    disagreed: Mapping[DisagreementFact, int] = field(default_factory=dict)
    rows_compared: int = 0  #: Rows of the page whose ids were compared with the list.
    lost_facts: tuple[str, ...] = ()  #: Facts of messages that the storage lists and no row shows any more.
    #: What of the browser's storage could not be read and why, "contacts: missing_store".
    metadata_unreadable: tuple[str, ...] = ()
    read_by: Literal["metadata", "chat_list"] = "metadata"  #: What decided which chats were opened.
    newest_listed_at: datetime | None = None  #: When the newest message that the browser lists was sent.
    chats_skipped: Mapping[SkipRule, int] = field(default_factory=dict)  #: Left alone altogether, by rule.
    is_rewound: bool = False  #: The browser's storage lists less than it did: see `transform.rewinding`.
    spooled: int = 0  #: Chats captured and kept on disk, since Postgres was away.
    unspooled: int = 0  #: Chats loaded that earlier cycles had kept so.
    spool: SpoolFacts = field(default_factory=SpoolFacts)  #: At the end of the cycle.
    store_unavailable: StoreUnavailable | None = None  #: Why the page's message store was left, or not read.
    store_detail: str | None = None  #: Which of its modules, members or columns.
    rows_by_store: int = 0  #: Messages that it told.

    @property
    def seconds(self) -> float:
        return (self.finished_at - self.started_at).total_seconds()

    @property
    def disagreements(self) -> int:
        return sum(self.disagreed.values())


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One finished cycle as a line of `sync_runs`: what a chart or a list of cycles shows."""

    run_id: int
    status: RunStatus
    started_at: datetime
    finished_at: datetime
    chats_opened: int
    written: int  #: Messages inserted or updated.
    missing: int
    rejects: int
    error: str | None = None  #: As in `RunReport.error`.

    @property
    def seconds(self) -> float:
        return (self.finished_at - self.started_at).total_seconds()


@dataclass(frozen=True, slots=True)
class DayCount:
    """How many stored messages were sent on one day (UTC)."""

    day: date
    messages: int


@dataclass(frozen=True, slots=True)
class CoverageSummary:
    """`sync_coverage` over all chats, without naming any."""

    chats: int  #: In scope and seen by a cycle.
    chats_complete: int  #: With nothing missing inside the look-back.
    expected: int | None  #: Ids that the metadata lists; None when it never was readable.
    stored: int  #: Of those expected.
    missing: Mapping[MissingReason, int]
    stop_reasons: Mapping[StopReason, int]  #: Why reading ended, by number of chats.
    complete_until: datetime | None  #: From then on nothing is missing in any chat that knows it.
    #: Of `missing`: found so recently that the next cycles may still bring them.
    recent: Mapping[MissingReason, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """What the database says about the sync; read after each cycle."""

    last_success_at: datetime | None
    last_seen: datetime | None  #: ts of the newest stored message; never falls.
    messages: int
    threads: int
    attachments_stored: int  #: With bytes held.
    read_at: datetime
    newest_listed_at: datetime | None = None  #: Of the newest cycle that knew it; see `RunReport`.
    disagreements: int = 0  #: Seen within the last day, each once.
    rows_compared: int = 0  #: By the cycles of the last day.
    attachments: Mapping[str, int] = field(default_factory=dict)  #: How many are in each state.
    extraction_jobs: Mapping[JobState, int] = field(default_factory=dict)  #: Pictures to read, by state.
    agent: AgentState | None = None  #: Whether the agent's thread is told apart; None: no cycle knew yet.


@dataclass(frozen=True, slots=True)
class SessionSnapshot:
    """The session as the service may show it: immutable, replaced as a whole."""

    state: SessionState = SessionState.STARTING
    since: datetime | None = None
    qr_payload: str | None = None  #: The QR's text while one is shown.
    qr_seen_at: datetime | None = None
    qr_expires_at: datetime | None = None  #: When the page is expected to show the next code.
    resting_until: datetime | None = None  #: The browser ended too often and stays closed.
    unexpected_transitions: int = 0  #: Changes of state that no table knows, since the program was started.
    wa_version: str | None = None
