"""What people wrote and sent: messages and what hangs on them, threads, contacts."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Table,
    UniqueConstraint,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA
from sqlalchemy.types import Text

from whatsapp_etl.load.tables.base import (
    change_seq,
    flag,
    identity,
    instant,
    metadata,
    number,
    one_of,
    text,
    written,
)


def _message_id(comment: str = "`messages.id`.") -> Column[int]:
    message = ForeignKey("messages.id", ondelete="CASCADE")
    return Column("message_id", BigInteger, message, nullable=False, comment=comment)


messages = Table(
    "messages",
    metadata,
    identity(),
    text("platform", "Always 'whatsapp'.", server_default="whatsapp"),
    text(
        "external_id",
        "Canonical message key `<true|false>_<chat>_<stanza id>[_<participant>]`; true: sent by the account. "
        "Fixed at first insert.",
    ),
    text("thread_external_id", "Chat id (`…@c.us`, `…@g.us`, `…@lid`). Fixed at first insert."),
    text("sender_id", "The sender's id, the own id when outgoing; null on system rows.", null=True),
    Column(
        "recipient_ids",
        ARRAY(Text),
        nullable=False,
        server_default="{}",
        comment="Everyone who received it, sorted. Outgoing one-to-one: the other party; incoming: the own "
        "id; group: participants without the sender. Frozen at first insert; only an incomplete list is "
        "completed.",
    ),
    text(
        "content_snippet",
        "The whole text as the user sees it, never cut short; null for bare media, deleted, waiting and "
        "view-once messages.",
        null=True,
    ),
    instant("ts", "When it was sent."),
    flag("is_outgoing", "1: sent by the account."),
    text("source_app", "Always 'WhatsApp Web'.", server_default="WhatsApp Web"),
    flag("is_agent_channel", "1: belongs to the configured agent's thread."),
    flag("exclude_from_automation", "1: automations must leave it alone."),
    flag("has_attachments", "1: carries a file by its type, whether or not its bytes are held."),
    text("stanza_id", "The middle part of the message key; unique only within chat, direction and sender."),
    text("message_type", "text, image, video, gif, video_note, audio, voice, sticker, document, location, …"),
    text("subtype", "WhatsApp's finer distinction, mostly of system rows.", null=True),
    text("ts_precision", "'second', 'minute' (only the page told), 'clamped' (an impossible time)."),
    text("ts_raw", "The date and time as the page showed it; null when metadata told the time.", null=True),
    text("reply_to_external_id", "The message answered, where its key is known.", null=True),
    text("quoted_text", "The quoted text as shown above the answer.", null=True),
    flag("is_forwarded", "1: shown as forwarded."),
    flag("is_edited", "1: shown as edited."),
    instant("edited_seen_at", "When an edit was first seen.", null=True),
    instant("deleted_seen_at", "When its deletion for everyone was first seen.", null=True),
    instant("deleted_at", "When it was deleted for everyone; null: not deleted, or not known.", null=True),
    text("deleted_by", "'sender' or 'admin' (of the group); null: not deleted, or not known.", null=True),
    text("deleted_by_id", "The admin who deleted it; null: deleted by its sender, or not known.", null=True),
    text("album_id", "Stanza id of the album that it belongs to.", null=True),
    Column("album_position", Integer, comment="Its place in the album, from 0."),
    instant("expires_at", "When a disappearing message disappears.", null=True),
    text(
        "source_revision",
        "Type, latest edit and media state as the browser lists them; a difference: read again.",
    ),
    Column(
        "content_hash",
        BYTEA,
        nullable=False,
        comment="Digest of the row's content with its attachments, to find what differs.",
    ),
    text("read_path", "'dom' (from the page) or 'store' (from the page's message store)."),
    instant("observed_at", "When this content was read; an older observation never overwrites a newer one."),
    *written(),
    change_seq(),
    one_of("ts_precision", ("second", "minute", "clamped")),
    one_of("deleted_by", ("sender", "admin")),
    one_of("read_path", ("dom", "store")),
    UniqueConstraint("platform", "external_id"),
    comment="One row per message.",
)
# The second identity: the same message under another key form. The stanza id leads, so that a message
# seen under phone id and LID is found without knowing the other chat id. System rows have no sender
# and are told apart by their keys alone.
Index(
    "uq_messages_stanza",
    messages.c.stanza_id,
    messages.c.thread_external_id,
    messages.c.is_outgoing,
    messages.c.sender_id,
    unique=True,
    postgresql_where=messages.c.sender_id.is_not(None),
)
Index("ix_messages_thread_ts", messages.c.thread_external_id, messages.c.ts.desc(), messages.c.id)
Index("ix_messages_ts", messages.c.ts)
Index("ix_messages_sender_ts", messages.c.sender_id, messages.c.ts)
Index("uq_messages_change_seq", messages.c.change_seq, unique=True)
Index(
    "ix_messages_with_attachments",
    messages.c.thread_external_id,
    messages.c.ts,
    postgresql_where=sql("has_attachments = 1"),
)
Index("ix_messages_outgoing", messages.c.ts, postgresql_where=sql("is_outgoing = 1"))
Index("ix_messages_expires", messages.c.expires_at, postgresql_where=messages.c.expires_at.is_not(None))

message_aliases = Table(
    "message_aliases",
    metadata,
    identity(),
    text("platform", "Always 'whatsapp'.", server_default="whatsapp"),
    text("external_id", "A message key that stands for an already stored message."),
    _message_id("The message that it stands for (`messages.id`)."),
    number("first_run_id", "Run that saw it first."),
    UniqueConstraint("platform", "external_id"),
    Index("ix_message_aliases_message", "message_id"),
    comment="Every other key under which a stored message was seen (phone id and LID, packed and bare).",
)

message_versions = Table(
    "message_versions",
    metadata,
    identity(),
    _message_id(),
    text("message_type", "The type that the message had."),
    text("content_snippet", "The text that it had.", null=True),
    instant("replaced_seen_at", "When the edit or deletion that replaced it was seen."),
    number("run_id", "Run that saw the change."),
    UniqueConstraint("message_id", "replaced_seen_at", "message_type"),
    comment="Earlier states of edited and deleted messages.",
)

reactions = Table(
    "reactions",
    metadata,
    identity(),
    _message_id(),
    text("sender_id", "Who reacted."),
    text("emoji", "Null: taken back; the row stays.", null=True),
    instant("reacted_at", "When the reaction was given, changed or taken back."),
    *written(),
    change_seq(),
    UniqueConstraint("message_id", "sender_id"),
    Index("ix_reactions_change_seq", "change_seq"),
    comment="One row per message and sender: the latest reaction.",
)

reaction_versions = Table(
    "reaction_versions",
    metadata,
    identity(),
    _message_id(),
    text("sender_id", "Who had reacted."),
    text("emoji", "Null: it was taken back then.", null=True),
    instant("reacted_at", "When that reaction was given, changed or taken back."),
    instant("replaced_seen_at", "When the reaction that replaced it was seen."),
    number("run_id", "Run that saw the change."),
    Index("ix_reaction_versions_message", "message_id", "sender_id"),
    comment="Earlier states of reactions that were changed, taken back or given again.",
)

threads = Table(
    "threads",
    metadata,
    identity(),
    text("platform", "Always 'whatsapp'.", server_default="whatsapp"),
    text("external_id", "Chat id."),
    text("kind", "'person', 'group', 'self' or 'broadcast'."),
    text("title", "As the chat list shows it; null when nothing names the chat.", null=True),
    Column(
        "participant_ids",
        ARRAY(Text),
        nullable=False,
        server_default="{}",
        comment="Group members as last listed, sorted, the own id among them.",
    ),
    flag("is_archived", "1: in the archive."),
    instant("last_activity_at", "Time of the chat's last activity as the browser lists it.", null=True),
    text("canonical_id", "The chat id that all rows of one person's chat share.", null=True),
    text("checkpoint_message_id", "Newest message up to which the chat is complete.", null=True),
    instant("checkpoint_ts", "Its time; moves forward only.", null=True),
    *written(),
    UniqueConstraint("platform", "external_id"),
    Index("ix_threads_canonical", "canonical_id"),
    comment="One row per chat.",
)


def _thread_id() -> Column[int]:
    thread = ForeignKey("threads.id", ondelete="CASCADE")
    return Column("thread_id", BigInteger, thread, nullable=False, comment="`threads.id`.")


thread_titles = Table(
    "thread_titles",
    metadata,
    identity(),
    _thread_id(),
    text("title", "The chat's title."),
    instant("valid_from", "When it was first seen."),
    instant("valid_to", "When it was seen to be replaced; null: current.", null=True),
    Index("ix_thread_titles_thread", "thread_id"),
    comment="Every title of a chat, with the time in which it held.",
)
Index(
    "uq_thread_titles_current",
    thread_titles.c.thread_id,
    unique=True,
    postgresql_where=sql("valid_to IS NULL"),
)

participant_changes = Table(
    "participant_changes",
    metadata,
    identity(),
    _thread_id(),
    text("participant_id", "Who joined or left."),
    text("change", "'joined' or 'left'."),
    instant("seen_at", "When the list of participants was first seen to differ."),
    number("run_id", "Run that saw it."),
    one_of("change", ("joined", "left")),
    Index("ix_participant_changes_thread", "thread_id", "seen_at"),
    comment="Who joined and left a group since its participants were first listed.",
)

contacts = Table(
    "contacts",
    metadata,
    identity(),
    text("external_id", "The person's id: the phone id where known, else the LID."),
    text("saved_name", "The name in the phone's address book.", null=True),
    text("push_name", "The name that the person chose.", null=True),
    *written(),
    UniqueConstraint("external_id"),
    comment="One row per person.",
)

contact_identifiers = Table(
    "contact_identifiers",
    metadata,
    identity(),
    Column(
        "contact_id",
        BigInteger,
        ForeignKey("contacts.id", ondelete="CASCADE"),
        nullable=False,
        comment="`contacts.id`.",
    ),
    text("kind", "'phone', 'lid', 'saved_name' or 'push_name'."),
    text("value", "The id or the name."),
    instant("valid_from", "When it was first seen."),
    instant("valid_to", "When it was seen to be replaced; null: current.", null=True),
    one_of("kind", ("phone", "lid", "saved_name", "push_name")),
    Index("ix_contact_identifiers_contact", "contact_id", "kind"),
    comment="Every id and name of a person, with the time in which it held.",
)
Index(
    "uq_contact_identifiers_current",
    contact_identifiers.c.value,
    unique=True,
    postgresql_where=sql("valid_to IS NULL AND kind IN ('phone', 'lid')"),
)

attachments = Table(
    "attachments",
    metadata,
    identity(),
    _message_id(),
    Column("position", SmallInteger, nullable=False, comment="Its place in the message, from 0."),
    text("source", "Always 'whatsapp'.", server_default="whatsapp"),
    text("media_type", "From the bytes once held; until then as WhatsApp Web states it.", null=True),
    text("file_path", "Relative to ATTACHMENTS_DIR; null until stored.", null=True),
    text("checksum", "sha256 of the bytes, lowercase hex; null until stored.", null=True),
    text(
        "state",
        "'seen' (no bytes held), 'stored', 'unavailable' (none held, and the page is not asked again); "
        "`attachment_downloads` says why.",
    ),
    flag("is_verified", "1: the checksum is the one that the sender stated; null: unknown.", null=True),
    number("size_bytes", "Size as stated, exact once stored.", null=True),
    Column("width", Integer, comment="Pixels."),
    Column("height", Integer, comment="Pixels."),
    Column("duration_seconds", Double, comment="Audio and video only."),
    text("file_name", "The sender's name for it.", null=True),
    *written(),
    one_of("state", ("seen", "stored", "unavailable")),
    UniqueConstraint("message_id", "position"),
    Index("ix_attachments_checksum", "checksum"),
    comment="One row per file sent with a message, whether or not its bytes are held.",
)
