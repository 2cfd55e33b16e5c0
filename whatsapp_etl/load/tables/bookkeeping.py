"""What the program knows about its own work: runs, state, coverage, gaps, rejects, events, changes."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from whatsapp_etl.cursors import ListedBy
from whatsapp_etl.load.tables.base import (
    flag,
    identity,
    instant,
    keys_of,
    metadata,
    number,
    one_of,
    only_row,
    text,
)
from whatsapp_etl.model import DisagreementFact, MissingReason, SkipRule, StopReason
from whatsapp_etl.store_records import StoreUnavailable
from whatsapp_etl.transitions import SessionCause


def _json(name: str, comment: str) -> Column[object]:
    return Column(name, JSONB, nullable=False, server_default="{}", comment=comment)


def _texts(name: str, comment: str) -> Column[list[str]]:
    return Column(name, ARRAY(Text), nullable=False, server_default="{}", comment=comment)


sync_state = Table(
    "sync_state",
    metadata,
    identity(),
    text("source", "Always 'whatsapp'.", server_default="whatsapp"),
    text("account_id", "The linked account's id, pinned at its first READY."),
    text("account_lid", "The account's LID.", null=True),
    flag("is_active", "1: the account that is being read; 0: replaced by another one."),
    instant("pinned_at", "When it was pinned."),
    instant("replaced_at", "When another account took its place.", null=True),
    instant("last_seen_at", "Time of the newest stored message; never falls.", null=True),
    instant("complete_until", "From then on nothing is missing in any chat that has such a time.", null=True),
    instant("last_success_at", "End of the last successful run.", null=True),
    text("session_status", "The session's state as last recorded.", null=True),
    instant("session_status_at", "Since when.", null=True),
    instant("shield_alarm_at", "When an unread count dropped after our own opening, unexplained.", null=True),
    instant("shield_acknowledged_at", "When a person acknowledged that alarm.", null=True),
    number("feed_hi", "Row of the browser's list up to which all is stored or a known gap.", null=True),
    text("feed_hi_mark", "Hash of that row's id: whether the list is the same one.", null=True),
    number("feed_lo", "Row down to which history came, of which the same is true.", null=True),
    instant("feed_complete_at", "Start of the cycle that came so far.", null=True),
    instant("feed_listed_at", "Start of the last cycle that compared the whole list.", null=True),
    text("feed_scope", "Hash of which chats are read, and how far back.", null=True),
    number("feed_reactions", "Reactions that the browser kept then; null: it does not keep them.", null=True),
    UniqueConstraint("source", "account_id"),
    comment="One row per account that was ever read; one of them is active.",
)
Index("uq_sync_state_active", sync_state.c.source, unique=True, postgresql_where=sql("is_active = 1"))

sync_runs = Table(
    "sync_runs",
    metadata,
    identity(),
    text("account_id", "The account read; null when none was known yet.", null=True),
    text(
        "kind",
        "'sync' (a cycle) or 'backfill' (what lies before the look-back).",
        server_default="sync",
    ),
    text("status", "'running', 'success', 'partial', 'failed' or 'interrupted'."),
    instant("started_at", "Start of the cycle."),
    instant("finished_at", "End of the cycle; null while running.", null=True),
    instant("lookback_begin", "How far back it looked; null: a run of an older program.", null=True),
    text(
        "read_by",
        "What decided which chats were opened: 'metadata' (the browser's storage) or 'chat_list' (that could "
        "not be read, so how many messages there are is not known); null: not known.",
        null=True,
    ),
    Column("pid", Integer, comment="Process that ran it."),
    text("host", "Machine that ran it.", null=True),
    text("session_state", "The session's state at its end.", null=True),
    text("wa_version", "Build of WhatsApp Web.", null=True),
    text("pack_id", "Selector pack in use.", null=True),
    number("chats_listed", "Chats in scope.", default=0),
    number("chats_opened", "Chats opened.", default=0),
    number("seen", "Rows seen on the page.", default=0),
    number("id_found", "Of those, with an id.", default=0),
    number("matched", "Of those, found in the metadata.", default=0),
    number("body_found", "Of those, with a body.", default=0),
    number("written", "Of those, handed to the database.", default=0),
    number("inserted", "Messages inserted.", default=0),
    number("updated", "Messages updated.", default=0),
    number("unchanged", "Messages read and found equal.", default=0),
    number("attachments_saved", "Attachments whose bytes were stored.", default=0),
    number("jobs_enqueued", "Extraction jobs created.", default=0),
    number("rejects", "Rows that were seen and not understood.", default=0),
    number("expected", "Messages that the metadata lists inside the look-back.", default=0),
    number("missing", "Of those, not stored.", default=0),
    instant("newest_listed_at", "When the newest message was sent that the metadata lists.", null=True),
    flag("is_rewound", "1: the browser's storage listed less than it had listed before."),
    _json("chats_skipped", "Chats left alone altogether: rule to number of chats. Names none of them."),
    number("receipts_observed", "Unread counts that dropped after our own opening; must stay 0.", default=0),
    number(
        "disagreements",
        "How often the metadata's list, the stored texts and the page did not say the same of a message.",
        default=0,
    ),
    _json("disagreed", "Of those, fact to number."),
    number("rows_compared", "Rows of the page whose ids were compared with the list.", default=0),
    number("rows_by_store", "Messages that the page's own message store told.", default=0),
    text(
        "store_unavailable",
        "Why the page's message store was left for the page, or not read; null: it was read, or not wanted.",
        null=True,
    ),
    text("store_detail", "Which of its modules, members or columns.", null=True),
    text(
        "listed_by",
        "How it was learned which messages there are: 'increment' (what came since), else why the whole list "
        "was compared; null: it was not.",
        null=True,
    ),
    number("rows_looked_at", "Message rows of the browser's storage, whatever was asked of them.", default=0),
    _texts("lost_facts", "Facts of messages that the storage lists and no row shows any more."),
    _texts("metadata_unreadable", "What of the browser's storage could not be read, and why."),
    _json("stop_reasons", "Why reading of chats ended: reason to number of chats."),
    _json("selector_hits", 'Selector to candidate to hits: `{"name": {"css": 3}}`.'),
    _json("stage_seconds", "Duration per stage, seconds."),
    Column("seconds", Double, comment="Duration of the cycle."),
    text("error", "Class and advice of the error that ended it; no message content.", null=True),
    one_of("kind", ("sync", "backfill")),
    one_of("read_by", ("metadata", "chat_list")),
    one_of("store_unavailable", StoreUnavailable),
    one_of("listed_by", ListedBy),
    keys_of("chats_skipped", SkipRule),
    keys_of("disagreed", DisagreementFact),
    one_of("status", ("running", "success", "partial", "failed", "interrupted")),
    Index("ix_sync_runs_started", "started_at"),
    comment="One row per cycle, and per back-fill.",
)

_EXPECTED = "Ids that the metadata lists inside the look-back; null: it was not readable."
_STORED = "Of those, stored."
_FIRST = (
    "Key of the oldest message that the metadata lists inside the look-back; null: none, or not readable."
)
_LAST = "Key of the newest one."
_HISTORY = (
    "What the browser says about older messages on the phone (`endOfHistoryTransferType`): 0 and 2: it has "
    "more; 1: it has none; null: not known."
)

sync_coverage = Table(
    "sync_coverage",
    metadata,
    text("thread_external_id", "Chat id.", primary_key=True),
    number("expected", _EXPECTED, null=True),
    number("stored", _STORED),
    _json("missing", "Reason to number of messages missing."),
    text("stop_reason", "Why reading of the chat last ended."),
    instant("complete_until", "From then on nothing is missing; null: not known.", null=True),
    Column("history_type", Integer, comment=_HISTORY),
    instant("observed_at", "When these facts were found; equal facts found later leave the row alone."),
    number("run_id", "Run that found them."),
    text("first_external_id", _FIRST, null=True),
    text("last_external_id", _LAST, null=True),
    one_of("stop_reason", StopReason),
    keys_of("missing", MissingReason),
    comment="What is known about each chat's completeness: one current row per chat.",
)

sync_coverage_history = Table(
    "sync_coverage_history",
    metadata,
    identity(),
    text("thread_external_id", "Chat id."),
    number("expected", _EXPECTED, null=True),
    number("stored", _STORED),
    _json("missing", "Reason to number of messages missing."),
    text("stop_reason", "Why reading of the chat ended."),
    instant("observed_at", "From when on this held."),
    number("run_id", "Run that found it."),
    Column("history_type", Integer, comment=_HISTORY),
    text("first_external_id", _FIRST, null=True),
    text("last_external_id", _LAST, null=True),
    one_of("stop_reason", StopReason),
    keys_of("missing", MissingReason),
    Index("ix_sync_coverage_history_thread", "thread_external_id", "observed_at"),
    comment="A row for each time that a chat's gaps, stop reason or history type changed.",
)

backfill_progress = Table(
    "backfill_progress",
    metadata,
    text("thread_external_id", "Chat id.", primary_key=True),
    instant("since", "How far back it was last to be read."),
    number("expected", "Ids from then on that the metadata lists."),
    number("stored", _STORED),
    _json("missing", "Reason to number of messages missing, as last read."),
    text("stop_reason", "Why the last slice of reading ended."),
    flag("is_finished", "1: everything that the browser would show was read; 0: the next back-fill goes on."),
    Column(
        "slices",
        Integer,
        nullable=False,
        comment="Slices in a row that ran out of time; each doubles the next one.",
    ),
    text("unread_digest", "Of the ids before the look-back that stayed unread; '': none."),
    Column("history_type", Integer, comment=_HISTORY),
    instant("phone_asked_at", "When the phone was last asked for more; null: never.", null=True),
    instant("observed_at", "When these facts were found; equal facts found later leave the row alone."),
    number("run_id", "Run that found them."),
    one_of("stop_reason", StopReason),
    keys_of("missing", MissingReason),
    comment="How far back-fill came: one row per chat, written with the messages that it covers.",
)

missing_messages = Table(
    "missing_messages",
    metadata,
    text("external_id", "Message key as the metadata lists it.", primary_key=True),
    text("thread_external_id", "Chat id."),
    text("reason", "Why it is not stored."),
    Column("attempts", Integer, nullable=False, comment="How often it was looked for."),
    instant("first_missed_at", "When it was first found missing."),
    instant("next_try_at", "Not looked for again before."),
    number("run_id", "Run that looked for it last."),
    instant("expires_at", "When it disappears; null: it stays.", null=True),
    one_of("reason", MissingReason),
    Index("ix_missing_messages_thread", "thread_external_id"),
    comment="Messages that the metadata lists and that are not stored (or stored in an older revision), and "
    "those that it listed before and lists no more: 'expired' ones were never stored, 'no_longer_listed' "
    "ones may be.",
)

rejects = Table(
    "rejects",
    metadata,
    identity(),
    text("thread_external_id", "Chat id, where it was known.", null=True),
    text("shown_id_hash", "sha256 of the row's id on the page, first 16 hex digits."),
    text("reason", "What could not be understood."),
    text("pack_id", "Selector pack in use."),
    text("evidence", "The row's HTML with letters as x, digits as 9 and ids hashed."),
    instant("first_seen_at", "When the row was first rejected."),
    instant("last_seen_at", "When it was last rejected."),
    Column("times_seen", Integer, nullable=False, server_default="1", comment="In how many runs."),
    number("first_run_id", "First run that rejected it."),
    number("last_run_id", "Last run that rejected it."),
    Index("ix_rejects_last_run", "last_run_id"),
    comment="Rows of the page that were seen and not understood.",
)
Index(
    "uq_rejects_row",
    rejects.c.shown_id_hash,
    rejects.c.reason,
    rejects.c.pack_id,
    sql("coalesce(thread_external_id, '')"),
    unique=True,
)

disagreements = Table(
    "disagreements",
    metadata,
    identity(),
    text("thread_external_id", "Chat id."),
    text("external_id", "Message key; null: the chat as a whole, or a row that no list names.", null=True),
    text("shown_id_hash", "sha256 of such a row's id on the page, first 16 hex digits.", null=True),
    text(
        "fact",
        "'id': listed and not shown where it belongs, or shown and not listed; 'count': so many are listed "
        "of the stretch that was read, and so many shown; 'time': another minute than the listed one; "
        "'text': another text than the stored one without a sign of an edit. Of the chat list: 'order': the "
        "chat stands above one in which something happened later; 'title', 'unread', and 'preview' and "
        "'last_time' of its newest message.",
    ),
    text(
        "known",
        "What the metadata lists or, of a text, Postgres or the message store holds; of texts and names "
        "length and hash only.",
    ),
    text("shown", "What the page shows, in the same way."),
    instant("first_seen_at", "When it was first seen."),
    instant("last_seen_at", "When it was last seen."),
    Column("times_seen", Integer, nullable=False, server_default="1", comment="In how many runs."),
    number("first_run_id", "First run that saw it."),
    number("last_run_id", "Last run that saw it."),
    one_of("fact", DisagreementFact),
    Index("ix_disagreements_last_seen", "last_seen_at"),
    comment="Where two ways of knowing a message did not say the same. What is stored is what is listed.",
)
Index(
    "uq_disagreements_subject",
    disagreements.c.thread_external_id,
    disagreements.c.fact,
    sql("coalesce(external_id, '')"),
    sql("coalesce(shown_id_hash, '')"),
    unique=True,
)

session_events = Table(
    "session_events",
    metadata,
    identity(),
    text("state", "The session's new state."),
    text("previous", "The state before; null: it was the first.", null=True),
    text("cause", "Why it changed."),
    text("error", "Class of the error that told it; null: none did.", null=True),
    flag("is_unexpected", "1: this state was not known to follow the one before."),
    flag("needs_person", "1: only a person can end this state."),
    instant("occurred_at", "When it was seen."),
    one_of("cause", SessionCause),
    Index("ix_session_events_occurred", "occurred_at"),
    comment="Changes of the session, one row per change of state; what is told of them is in `events`.",
)

change_counter = Table(
    "change_counter",
    metadata,
    only_row(),
    Column(
        "value",
        BigInteger,
        nullable=False,
        comment="The highest change_seq given out. Updated by the transaction that uses it, so that numbers "
        "become visible in their order.",
    ),
    comment="Where change_seq comes from. One row.",
)

tombstones = Table(
    "tombstones",
    metadata,
    Column("change_seq", BigInteger, primary_key=True, autoincrement=False, comment="Its place in the feed."),
    # A key names the chat, which is a number. Its hash tells nothing to those who never had the message: the
    # stanza id in it is random. So it can stay for consumers who come late, and the key itself need not.
    text("key_sha256", "sha256 of the removed message's `external_id` (UTF-8), lowercase hex."),
    text("external_id", "The key itself; null once forgotten or kept long enough.", null=True),
    text("thread_external_id", "Its chat; null once forgotten or kept long enough.", null=True),
    text(
        "reason",
        "'expired' (a disappearing message), 'forgotten' (on request) or 'retention' (kept long enough).",
    ),
    instant("removed_at", "When."),
    one_of("reason", ("expired", "forgotten", "retention")),
    comment="Removed messages, so that consumers of the change feed learn of the removal.",
)
