"""The store: the database as the pipeline sees it. Each public method is one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Self

from psycopg import Cursor
from psycopg.rows import TupleRow

from whatsapp_etl.agent import AgentMessage
from whatsapp_etl.cursors import FeedCursors
from whatsapp_etl.forgotten import Erasure, Forgotten, Wish
from whatsapp_etl.happenings import OutboxFacts, Tells
from whatsapp_etl.load import account as accounts
from whatsapp_etl.load import apply as plans
from whatsapp_etl.load import (
    backfill,
    boxes,
    diff,
    directory,
    feed_cursors,
    forget,
    health,
    increment,
    known,
    outbox,
    privacy,
    runs,
    threads,
)
from whatsapp_etl.load import retention as retaining
from whatsapp_etl.load.agent import AgentStore
from whatsapp_etl.load.agent_messages import AGENT_MESSAGES
from whatsapp_etl.load.agent_proposals import Proposals
from whatsapp_etl.load.attachment_store import AttachmentStore
from whatsapp_etl.load.database import Database
from whatsapp_etl.load.deliveries import EventOutbox, Outbox
from whatsapp_etl.load.directory import DirectoryCounts
from whatsapp_etl.load.stored_facts import StoredFacts
from whatsapp_etl.load.unlisted import Judge, Listing
from whatsapp_etl.load.writer import PATIENCE, Writer
from whatsapp_etl.model import (
    Account,
    ApplyResult,
    BackfillProgress,
    ChatDiff,
    Checkpoint,
    ContactFacts,
    Coverage,
    Disagreement,
    GroupFacts,
    KnownMessage,
    LoadPlan,
    MessageIndexEntry,
    MissingMessage,
    Reaction,
    RunKind,
    RunReport,
    SessionState,
    StoreFacts,
    Thread,
)
from whatsapp_etl.retention import Retention
from whatsapp_etl.steps import Announce, Step, no_announcement
from whatsapp_etl.transitions import Transition

#: A load of at least this many new rows is settled at once instead of by the next reader, who
#: would have to write every page again.
_TIDY_FROM = 5000


class Store(StoredFacts):
    """Reads with a connection of its own; writes as the account's only writer.

    The first method that writes takes the writer's lock, which is kept until `close`.

    Raises (every method):
        WriterBusyError: Writing, while another process holds the account's lock.
        DatabaseUnreachableError: The connection was lost; the next call opens a new one.
        DatabaseRefusedError: A statement failed; its transaction is rolled back.
    """

    def __init__(
        self,
        database: Database,
        *,
        patience: timedelta = PATIENCE,
        targets: Sequence[str] = (),
        agent_targets: Sequence[str] = (),
        announce: Announce = no_announcement,
    ) -> None:
        """Prepare; nothing is opened.

        Args:
            database: Where.
            patience: How long a killed predecessor's session may take to end.
            targets: Names of those to whom events are delivered.
            agent_targets: Names of those to whom the agent's messages are.
            announce: Told of each step.
        """
        super().__init__(database)
        self._announce = announce
        self._targets, self._agent_targets = tuple(targets), tuple(agent_targets)
        self._writer = Writer(database, patience)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back the lock and both connections."""
        self._writer.close()
        super().close()

    # --- runs ---

    def begin_run(
        self, started_at: datetime, lookback_begin: datetime | None = None, kind: RunKind = "sync"
    ) -> int:
        """Open a run that looks so far back; runs that a killed process left open become 'interrupted'."""
        with self._writer.transaction() as cursor:
            return runs.begin_run(cursor, started_at, lookback_begin, kind)

    def finish_run(self, report: RunReport, tells: Tells | None = None) -> None:
        """Close a run with its report and what is told of it; a success moves `last_success_at`."""
        with self._writer.transaction() as cursor:
            # Told first: what was told before stands against the runs before this one.
            self._tell(cursor, tells, report.finished_at)
            runs.finish_run(cursor, report)

    def tell(self, tells: Tells, now: datetime) -> int:
        """Write what is to be told of something that leaves no row; return how many events."""
        with self._writer.transaction() as cursor:
            return self._tell(cursor, tells, now)

    def _tell(self, cursor: Cursor[TupleRow], tells: Tells | None, now: datetime) -> int:
        return outbox.tell(cursor, tells, self._targets, now) if tells else 0

    def retain(self, retention: Retention, now: datetime) -> Mapping[str, int]:
        """Delete one batch of what is older than it is kept; return how many rows, by table."""
        with self._writer.transaction() as cursor:
            return retaining.retain(cursor, retention, now)

    # --- planning ---

    def diff(
        self,
        pages: Iterable[Sequence[MessageIndexEntry]],
        since: datetime,
        now: datetime,
        run_id: int,
        *,
        chats: Mapping[str, str] | None = None,
        fleeting: frozenset[str] = frozenset(),
        is_rewound: Judge = lambda _before: False,
    ) -> Mapping[str, ChatDiff]:
        """Compare the metadata's list of ids with Postgres, by chat. Streams; see `load.diff`."""
        with self._writer.staging() as cursor:
            return diff.diff_index(
                Listing(cursor, chats or {}, since, now, run_id, fleeting), pages, is_rewound
            )

    def diff_before(
        self,
        pages: Iterable[Sequence[MessageIndexEntry]],
        since: datetime,
        *,
        edge: datetime,
        now: datetime,
        run_id: int,
    ) -> tuple[Mapping[str, ChatDiff], Mapping[str, Sequence[str]]]:
        """Compare further back than the look-back, whose gaps and coverage stay; see `load.diff`."""
        with self._writer.staging() as cursor:
            return diff.diff_before(cursor, pages, since, edge=edge, now=now, run_id=run_id)

    def diff_increment(
        self,
        pages: Iterable[Sequence[MessageIndexEntry]],
        since: datetime,
        now: datetime,
        run_id: int,
        *,
        chats: Mapping[str, str],
    ) -> Mapping[str, ChatDiff]:
        """Compare what came since the last cycle with Postgres, by chat; see `load.increment`."""
        with self._writer.staging() as cursor:
            return increment.diff_increment(Listing(cursor, chats, since, now, run_id), pages)

    def move_cursors(self, to: FeedCursors) -> None:
        """Note how far the list was read, where nothing of it was to be stored."""
        with self._writer.transaction() as cursor:
            feed_cursors.move(cursor, to)

    def known(self, external_ids: Collection[str]) -> Mapping[str, KnownMessage]:
        """Return what is stored of given messages, by the key asked for (aliases count)."""
        with self._reading() as cursor:
            return known.known_messages(cursor, external_ids)

    def known_missing(self, external_ids: Collection[str]) -> Mapping[str, MissingMessage]:
        """Return what is known of given gaps, by key."""
        with self._reading() as cursor:
            return known.known_missing(cursor, external_ids)

    def checkpoints(self) -> Mapping[str, Checkpoint]:
        """Return the chats' checkpoints, by chat id."""
        with self._reading() as cursor:
            return threads.checkpoints(cursor)

    def checkpoints_of(self, chat_ids: Sequence[str]) -> Mapping[str, Checkpoint]:
        """Return the checkpoints of given chats, by chat id."""
        with self._reading() as cursor:
            return threads.checkpoints_of(cursor, chat_ids)

    def checkpoint(self, chat_id: str) -> Checkpoint | None:
        """Return one chat's checkpoint."""
        return self.checkpoints_of([chat_id]).get(chat_id)

    # --- loading ---

    def apply(self, plan: LoadPlan, run_id: int) -> ApplyResult:
        """Store one chat's plan, its checkpoint and its coverage, all of it or nothing.

        The same plan again touches no row.
        """
        return self.apply_together([plan], run_id)

    def apply_together(self, chats: Sequence[LoadPlan], run_id: int) -> ApplyResult:
        """Store the plans of several chats in one transaction: all of them, or nothing."""
        with self._writer.staging() as cursor:
            result = plans.apply_plans(cursor, chats, run_id, self._announce, self._agent_targets)
            self._announce(Step.CHAT_WRITTEN)
        if result.inserted >= _TIDY_FROM:
            self._writer.tidy("messages")
        return result

    def apply_directory(
        self,
        threads: Sequence[Thread],
        contacts: Iterable[ContactFacts],
        groups: Iterable[GroupFacts],
        reactions: Iterable[Reaction],
        *,
        run_id: int,
        now: datetime,
    ) -> DirectoryCounts:
        """Store chats, people and reactions that changed; touch no other row."""
        with self._writer.transaction() as cursor:
            return directory.apply_directory(
                cursor, threads, contacts, groups, reactions, run_id=run_id, now=now
            )

    def record_coverage(self, coverages: Sequence[Coverage], run_id: int) -> int:
        """Store the coverage of chats that were not opened; return how many rows changed."""
        with self._writer.transaction() as cursor:
            return plans.write_coverage(cursor, coverages, run_id)

    def record_disagreements(self, disagreements: Sequence[Disagreement], run_id: int) -> None:
        """Store what the chat list shows otherwise than the message store tells it."""
        with self._writer.transaction() as cursor:
            plans.write_disagreements(cursor, disagreements, run_id)

    def record_backfill(self, progress: Sequence[BackfillProgress], run_id: int) -> int:
        """Store how far back-fill came in chats that needed no reading; return how many rows changed."""
        with self._writer.transaction() as cursor:
            return backfill.write_progress(cursor, progress, run_id)

    def backfill_progress(self) -> Mapping[str, BackfillProgress]:
        """Return how far back-fill came, by chat id."""
        with self._reading() as cursor:
            return backfill.progress_by_chat(cursor)

    def oldest_stored(self, chat_ids: Collection[str]) -> Mapping[str, datetime]:
        """Return when the oldest stored message of each chat was sent."""
        with self._reading() as cursor:
            return backfill.oldest_stored(cursor, chat_ids)

    # --- removing ---

    def expire_messages(self, now: datetime) -> int:
        """Remove messages that have disappeared; return how many."""
        with self._writer.transaction() as cursor:
            return privacy.expire_messages(cursor, now)

    def foresee_erasure(self, wish: Wish, now: datetime) -> Erasure:
        """Return what `erase` would remove: it is done, counted and rolled back."""
        with self._writer.transaction(is_rehearsal=True) as cursor:
            return forget.erase(cursor, wish, now)

    def erase(
        self,
        wish: Wish,
        now: datetime,
        waiting_keys: Collection[str] = (),
        waiting_texts: Collection[str] = (),
    ) -> Erasure:
        """Remove a message, a chat or a person for good; files are left to `unused_files`.

        `waiting_keys` and `waiting_texts`: of messages of it that are not stored yet.
        """
        with self._writer.transaction() as cursor:
            return forget.erase(cursor, wish, now, waiting_keys, waiting_texts)

    def forgotten(self) -> Forgotten:
        """Return what was erased on request, to be left out."""
        with self._reading() as cursor:
            return forget.forgotten(cursor)

    def note_unused(self, file_paths: Collection[str], now: datetime) -> None:
        """Note files that no message will have; one that a message has stays all the same."""
        with self._writer.transaction() as cursor:
            privacy.note_unused(cursor, file_paths, now)

    def unused_files(self) -> tuple[str, ...]:
        """Return paths of files whose messages were removed."""
        with self._writer.transaction() as cursor:
            return privacy.unused_files(cursor)

    def note_removed(self, file_paths: Collection[str]) -> None:
        """Note that unused files are gone."""
        with self._writer.transaction() as cursor:
            privacy.note_removed(cursor, file_paths)

    # --- account and session ---

    def pin_account(self, account: Account, now: datetime) -> bool:
        """Pin the first account seen; later return whether `account` is the pinned one."""
        with self._writer.transaction() as cursor:
            return accounts.pin_account(cursor, account, now)

    def replace_account(self, account: Account, now: datetime) -> None:
        """Make `account` the one that is read from now on."""
        with self._writer.transaction() as cursor:
            accounts.replace_account(cursor, account, now)

    def account(self) -> Account | None:
        """Return the pinned account."""
        with self._reading() as cursor:
            return accounts.account(cursor)

    def record_transition(self, transition: Transition, tells: Tells | None = None) -> bool:
        """Note a change of state and what is told of it; return False when it is what was noted last."""
        with self._writer.transaction() as cursor:
            has_changed = accounts.record_transition(cursor, transition)
            if has_changed:
                self._tell(cursor, tells, transition.at)
            return has_changed

    def last_transitions(self, count: int) -> tuple[Transition, ...]:
        """Return the last changes of the session, newest first."""
        with self._reading() as cursor:
            return accounts.last_transitions(cursor, count)

    def session_state(self) -> tuple[SessionState, datetime] | None:
        """Return the state noted last, and since when."""
        with self._reading() as cursor:
            return health.session_state(cursor)

    def raise_shield_alarm(self, now: datetime) -> None:
        """Note that an unread count dropped unexplained."""
        with self._writer.transaction() as cursor:
            accounts.raise_shield_alarm(cursor, now)

    def acknowledge_shield_alarm(self, now: datetime) -> bool:
        """End the alarm; return False when there was none."""
        with self._writer.transaction() as cursor:
            return accounts.acknowledge_shield_alarm(cursor, now)

    def has_shield_alarm(self) -> bool:
        with self._reading() as cursor:
            return accounts.has_shield_alarm(cursor)

    # --- facts ---

    @property
    def attachments(self) -> AttachmentStore:
        """Return the part that knows files."""
        return AttachmentStore(self._writer.staging, self._reading, self._agent_targets)

    def health_facts(self, now: datetime) -> StoreFacts:
        with self._reading() as cursor:
            return health.store_facts(cursor, now)

    def outbox(self) -> EventOutbox:
        """Return the outbox with a connection of its own, beside the writer: for those who deliver."""
        return EventOutbox(self._database, self._targets)

    def agent_outbox(self) -> Outbox[AgentMessage]:
        """Return the same of the agent's messages."""
        return Outbox(self._database, self._agent_targets, AGENT_MESSAGES)

    def agent_proposals(self) -> Proposals:
        """Return where proposals are handed in, with a connection of its own."""
        return Proposals(self._database)

    @property
    def agent(self) -> AgentStore:
        """Return what is kept of the agent's thread."""
        return AgentStore(self._writer.transaction, self._reading)

    def outbox_facts(self) -> OutboxFacts:
        """Return how delivery of events stands."""
        with self._reading() as cursor:
            return boxes.facts(cursor, outbox.EVENTS, self._targets)

    def agent_outbox_facts(self) -> OutboxFacts:
        """Return how delivery of the agent's messages stands."""
        with self._reading() as cursor:
            return boxes.facts(cursor, AGENT_MESSAGES, self._agent_targets)
