"""The store: the database as the pipeline sees it. Each public method is one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

import psycopg
from psycopg import Cursor
from psycopg.rows import TupleRow

from whatsapp_etl.forgotten import Erasure, Forgotten, Wish
from whatsapp_etl.happenings import OutboxFacts, Tells
from whatsapp_etl.load import account as accounts
from whatsapp_etl.load import apply as plans
from whatsapp_etl.load import (
    backfill,
    diff,
    directory,
    forget,
    health,
    known,
    ledger,
    outbox,
    privacy,
    runs,
    threads,
    whereabouts,
)
from whatsapp_etl.load import retention as retaining
from whatsapp_etl.load.attachment_store import AttachmentStore
from whatsapp_etl.load.database import Database, translated
from whatsapp_etl.load.deliveries import Outbox
from whatsapp_etl.load.directory import DirectoryCounts
from whatsapp_etl.load.patience import Connection
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
    CoverageSummary,
    DayCount,
    GroupFacts,
    KnownMessage,
    LoadPlan,
    MessageIndexEntry,
    MissingMessage,
    Reaction,
    RunKind,
    RunReport,
    RunSummary,
    SessionState,
    StoreFacts,
    Thread,
)
from whatsapp_etl.records import RunDetails, RunRecord, Whereabouts
from whatsapp_etl.retention import Retention
from whatsapp_etl.steps import Announce, Step, no_announcement
from whatsapp_etl.transitions import Transition

#: A load of at least this many new rows is settled at once instead of by the next reader, who
#: would have to write every page again.
_TIDY_FROM = 5000


class Store:
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
        announce: Announce = no_announcement,
    ) -> None:
        """Prepare; nothing is opened.

        Args:
            database: Where.
            patience: How long a killed predecessor's session may take to end.
            targets: Names of those to whom events are delivered.
            announce: Told of each step.
        """
        self._announce = announce
        self._database = database
        self._targets = tuple(targets)
        self._writer = Writer(database, patience)
        self._reader: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back the lock and both connections."""
        self._writer.close()
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    @contextmanager
    def _reading(self) -> Iterator[Cursor[TupleRow]]:
        with translated(self._database.place):
            if self._reader is not None:
                try:
                    self._reader.execute("SELECT 1")  # an idle connection may have been cut
                except psycopg.OperationalError:
                    self._reader.close()
                    self._reader = None
            if self._reader is None:
                self._reader = self._database.connect()
            with self._reader.transaction(), self._reader.cursor() as cursor:
                yield cursor

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

    def checkpoint(self, chat_id: str) -> Checkpoint | None:
        """Return one chat's checkpoint."""
        with self._reading() as cursor:
            return threads.checkpoint(cursor, chat_id)

    # --- loading ---

    def apply(self, plan: LoadPlan, run_id: int) -> ApplyResult:
        """Store one chat's plan, its checkpoint and its coverage, all of it or nothing.

        The same plan again touches no row.
        """
        with self._writer.staging() as cursor:
            result = plans.apply_plan(cursor, plan, run_id, self._announce)
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
        return AttachmentStore(self._writer.staging, self._reading)

    def health_facts(self, now: datetime) -> StoreFacts:
        with self._reading() as cursor:
            return health.store_facts(cursor, now)

    def outbox(self) -> Outbox:
        """Return the outbox with a connection of its own, beside the writer: for those who deliver."""
        return Outbox(self._database, self._targets)

    def outbox_facts(self) -> OutboxFacts:
        """Return how delivery of events stands."""
        with self._reading() as cursor:
            return outbox.outbox_facts(cursor, self._targets)

    def coverage_summary(self, now: datetime, grace: timedelta = timedelta(0)) -> CoverageSummary:
        """Sum up the coverage of all chats; gaps younger than `grace` are counted as recent."""
        with self._reading() as cursor:
            return health.coverage_summary(cursor, now, grace)

    def rejects_of_last_run(self) -> int:
        with self._reading() as cursor:
            return health.rejects_of_last_run(cursor)

    def recent_runs(self, count: int) -> tuple[RunSummary, ...]:
        """Return the last finished cycles, newest first."""
        with self._reading() as cursor:
            return runs.recent_runs(cursor, count)

    def last_runs(self, count: int) -> tuple[RunRecord, ...]:
        """Return the last cycles in full, newest first, one that still runs among them."""
        with self._reading() as cursor:
            return ledger.last_runs(cursor, count)

    def last_cycle(self) -> RunRecord | None:
        """Return the newest cycle that has ended."""
        with self._reading() as cursor:
            return ledger.last_cycle(cursor)

    def kept_runs(self) -> tuple[int, int] | None:
        """Return the numbers of the first and last cycle that are kept; None without any."""
        with self._reading() as cursor:
            return ledger.kept_runs(cursor)

    def run_details(self, run_id: int) -> RunDetails | None:
        """Return a cycle and what it changed; None when it is not there."""
        with self._reading() as cursor:
            return ledger.run_details(cursor, run_id)

    def whereabouts(
        self, keys: Sequence[str], chat_id: str, shown_id_hashes: Collection[str], *, with_text: bool
    ) -> Whereabouts:
        """Return everything that is known of one message; see `load.whereabouts`."""
        with self._reading() as cursor:
            return whereabouts.whereabouts(cursor, keys, chat_id, shown_id_hashes, with_text=with_text)

    def messages_per_day(self, days: int, zone: ZoneInfo, now: datetime) -> tuple[DayCount, ...]:
        """Count messages by day in `zone`, oldest first, today last."""
        with self._reading() as cursor:
            return health.messages_per_day(cursor, days, zone, now)

    def table_counts(self) -> Mapping[str, int]:
        """Return the number of rows by table."""
        with self._reading() as cursor:
            return health.table_counts(cursor)
