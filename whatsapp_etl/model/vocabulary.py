"""The closed sets of the data contract: each value is a word in a column, a metric or a reason."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal


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
    """In what two ways of knowing a message or a chat, the storage and the page, say two things."""

    ID = "id"  #: Listed and not shown where it belongs, or shown and not listed.
    COUNT = "count"  #: The stretch of the chat that was read has more or fewer messages than are listed.
    TIME = "time"  #: Another minute than the listed one.
    TEXT = "text"  #: Another text than the stored one, without a sign of an edit.
    # Of the chat list, without a chat being opened:
    ORDER = "order"  #: A chat stands above another one in which something happened later.
    TITLE = "title"  #: Another title than the storage's.
    UNREAD = "unread"  #: Another number of unread messages.
    PREVIEW = "preview"  #: Another text than the message store's of the newest message.
    LAST_TIME = "last_time"  #: Another minute than the message store's of the newest message.


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
