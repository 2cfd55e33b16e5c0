"""One cycle, from the page to the database. `Cycle._sync` is the story; the rest is bookkeeping."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import structlog

from whatsapp_etl.agent import AgentWish
from whatsapp_etl.alarm import Alarm
from whatsapp_etl.announcing import store_end
from whatsapp_etl.blind_spots import BlindSpots
from whatsapp_etl.captured import CapturedChat
from whatsapp_etl.chat_list_cycle import ChatListCycle
from whatsapp_etl.chat_memory import ChatMemory
from whatsapp_etl.errors import (
    MetadataUnreadableError,
    SessionNeedsPersonError,
    WhatsappEtlError,
)
from whatsapp_etl.extract.source import Source
from whatsapp_etl.fetching import Fetching
from whatsapp_etl.following import follow_agent, follow_agent_unlisted
from whatsapp_etl.increments import Increments
from whatsapp_etl.load.store import Store
from whatsapp_etl.loading import Loading, ReadChat
from whatsapp_etl.mirroring import Mirroring, copy_new_files
from whatsapp_etl.model import (
    Account,
    ApplyResult,
    ChatBatch,
    ChatDiff,
    ChatFacts,
    LoadPlan,
    MessageFacts,
    ParsedRow,
    Reject,
    RunReport,
)
from whatsapp_etl.progress import CycleProgress, NoProgress
from whatsapp_etl.recollection import Recollection
from whatsapp_etl.retaining import retain
from whatsapp_etl.retention import Retention, parse_retention
from whatsapp_etl.row_reading import RowReading
from whatsapp_etl.scope import (
    Directory,
    reactions_in_scope,
    read_directory,
    record_unvisited,
    rules_now,
    standing_of,
    store_people,
)
from whatsapp_etl.screen_check import ScreenChecking
from whatsapp_etl.spool.folder import Spool
from whatsapp_etl.spooling import Spooling
from whatsapp_etl.steps import Announce, Step, no_announcement
from whatsapp_etl.store_first import ReaderChoice, StoreFirst
from whatsapp_etl.tally import Tally, log_fields, may_be_stuck, status_of, told
from whatsapp_etl.transform.parse import signal_counts
from whatsapp_etl.transform.visits import Rules, visiting_order
from whatsapp_etl.unused_files import remove_unused_files
from whatsapp_etl.visiting import Visiting

log = structlog.get_logger(__name__)


@dataclass
class Cycle:
    """Everything that one cycle needs; run it as often as you like."""

    source: Source
    store: Store
    rules: Rules
    lookback: timedelta
    locale: str
    zone: ZoneInfo  #: Of the page.
    clock: Callable[[], datetime]
    remove_file: Callable[[str], None]  #: Takes a path below ATTACHMENTS_DIR.
    asks_phone: bool = False
    retention: Retention = field(default_factory=lambda: parse_retention(""))
    spool: Spool = field(kw_only=True)
    mirroring: Mirroring | None = None  #: Copies files into a second store; None: there is none.
    fetching: Fetching | None = None  #: The direct way to files; None: it is not switched on.
    announce: Announce = no_announcement
    agent: AgentWish = field(default_factory=AgentWish)
    reader: ReaderChoice = "dom"
    cross_check_chats: int = 0  #: So many are compared with the chat list in each cycle.
    _has_chosen_files: bool = False
    _alarm: Alarm = field(init=False)
    _recollection: Recollection = field(init=False)
    _loading: Loading = field(init=False)
    _spooling: Spooling = field(init=False)
    _visiting: Visiting = field(init=False)
    _memory: ChatMemory = field(init=False)
    _rows: RowReading = field(init=False)
    _store_first: StoreFirst = field(init=False)
    _increments: Increments = field(init=False)
    _without_metadata: ChatListCycle = field(init=False)
    _blind_spots: BlindSpots = field(default_factory=BlindSpots)

    def __post_init__(self) -> None:
        self._memory = ChatMemory(self.clock)
        self._recollection = Recollection(self.spool)
        self._alarm = Alarm(self.store, self._recollection, self.clock)
        self._rows = RowReading(self.zone, self.locale)
        self._visiting = Visiting(
            self.source, self._memory, self.clock, self.asks_phone, raise_alarm=self._alarm.sound
        )
        screen = ScreenChecking(self.source, self.cross_check_chats, self.zone, self.clock)
        self._store_first = StoreFirst(
            self.source, self.reader, self.clock, screen, self.store.record_disagreements
        )
        self._increments = Increments(
            self.source, self.store, self._recollection, self.lookback, is_wanted=self.reader != "dom"
        )
        self._loading = Loading(
            self.store,
            self._increments,
            self._recollection,
            self._memory,
            self.clock,
            announce=lambda: self.announce,
            keep=self._keep,
        )
        self._spooling = Spooling(
            self.spool, self.store, self.clock, load_chat=self._loading.load_spooled, announce=self.announce
        )
        self._without_metadata = ChatListCycle(
            self.source,
            self.store,
            self._memory,
            self.clock,
            parse=self._parse,
            apply=self._loading.apply,
            may_ask_phone=self._visiting.may_ask_phone,
        )

    def run(self, progress: CycleProgress | None = None) -> RunReport:
        """Run one cycle. Never raises: what went wrong is in the report."""
        tally = Tally(started_at=self.clock(), hits_before=dict(self.source.hits))
        error: WhatsappEtlError | Exception | None = None
        try:
            self._sync(tally, progress or NoProgress())
        except WhatsappEtlError as known:
            error = known
            log.warning("cycle_failed", error=str(known), kind=type(known).__name__)
        except Exception as unexpected:
            error = unexpected
            log.exception("cycle_failed_unexpectedly", kind=type(unexpected).__name__)
        return self._finish(tally, error)

    def _sync(self, tally: Tally, progress: CycleProgress) -> None:
        progress.stage("opening the page")
        with tally.stage("open"):
            self.source.open()
            self.announce(Step.PAGE_OPENED)
        self._rows.page_opened(self.source.language())
        since = tally.started_at - self.lookback
        tally.run_id = tally.if_there(lambda: self.store.begin_run(tally.started_at, since)) or 0
        self.announce(Step.RUN_BEGUN)
        account = self._pinned_account(tally)
        self.announce(Step.ACCOUNT_CHECKED)
        try:
            self._by_metadata(account, since, tally, progress)
        except MetadataUnreadableError as unreadable:
            tally.raise_if_away()  # without both nothing tells what is new
            self._by_chat_list(unreadable, account, since, tally, progress)
        tally.raise_if_away()
        self._tidy()

    def _by_metadata(self, account: Account, since: datetime, tally: Tally, progress: CycleProgress) -> None:
        looked_before = self.source.storage.rows_looked_at
        progress.stage("reading the list of chats")
        with tally.stage("directory"):
            directory = read_directory(self.source, account, self._rules_now)
            tally.chats_listed = len(directory.chats)
            tally.chats_skipped = directory.skipped
            tally.if_there(lambda: self._load_people(directory, tally))
            tally.if_there(lambda: self._choose_files(tally))
            self.announce(Step.PEOPLE_STORED)

        progress.stage("loading what was kept")
        with tally.stage("unspool"):
            tally.if_there(lambda: self._spooling.load(directory, tally))

        progress.stage("comparing")
        with tally.stage("compare"):
            unreadable_before = self.source.unreadable_rows
            diffs = self._increments.diff(directory, since, tally)
            tally.compared(diffs, unreadable=self.source.unreadable_rows - unreadable_before)
            self.announce(Step.COMPARED)

        order = replace(directory.rules, first=self._memory.first, last=self._memory.last)
        queue = visiting_order(diffs, directory.chats, order)
        with tally.stage("read_store"):
            progress.stage("reading the message store")
            load = partial(self._loading.load_or_keep, rules=directory.rules, tally=tally)
            if not queue:
                tally.if_there(self._increments.settle)
            left = self._store_first.read(queue, directory, diffs, since=since, tally=tally, load=load)

        with tally.stage("read"):
            queue = tuple(chat for chat in queue if chat.id in left)
            progress.stage("reading chats")
            progress.chats(len(queue))
            for chat in queue:
                if tally.away:
                    self._spooling.require_room()
                captured = self._capture(chat, directory, left[chat.id], since, tally)
                if captured.facts is None:
                    self._increments.spoil()  # what it lacks is noted nowhere
                (plan,) = load([ReadChat(captured)], is_last=chat is queue[-1])
                progress.chat_done(len(plan.messages))
                tally.stop_if_interrupted(captured.batch)
            self._store_first.note(tally)

        self._complete(directory, diffs, since, tally, progress)
        tally.unreadable_parts.update(self.source.unreadable_parts)
        tally.rows_looked_at = self.source.storage.rows_looked_at - looked_before

    def _complete(
        self,
        directory: Directory,
        diffs: Mapping[str, ChatDiff],
        since: datetime,
        tally: Tally,
        progress: CycleProgress,
    ) -> None:
        """Store what belongs to the messages and to the chats that were not opened."""
        if tally.away is None and self.fetching is not None:
            progress.stage("fetching files")
            with tally.stage("fetch"):
                self._fetch(self.fetching, directory, since, tally)

        if tally.away is None:
            progress.stage("reactions")
            with tally.stage("directory_load"):
                self._load_reactions(directory, since, tally)
                self.announce(Step.REACTIONS_STORED)
                record_unvisited(
                    self.store, directory, diffs, since=since, now=self.clock(), run_id=tally.run_id
                )
                self.announce(Step.COVERAGE_STORED)

    def _by_chat_list(
        self,
        unreadable: MetadataUnreadableError,
        account: Account,
        since: datetime,
        tally: Tally,
        progress: CycleProgress,
    ) -> None:
        """Go on without the browser's storage; its story is `chat_list_cycle`."""
        if self.rules.disappearing == "skip":
            raise unreadable  # which messages disappear is only told there
        self.source.check_ready()  # a logout takes the storage away
        log.warning("metadata_unreadable", part=unreadable.part, reason=unreadable.reason)
        tally.falls_back(unreadable)
        rules = self._rules_now()
        tally.unreadable_parts.update(self.source.unreadable_parts)
        follow_agent_unlisted(self.store, self.agent, account, run_id=tally.run_id, now=self.clock())
        self._without_metadata.run(account, rules, since, tally, progress)

    # --- the steps ------------------------------------------------------------------------------

    def _pinned_account(self, tally: Tally) -> Account:
        """Return the account, when it is the one that is read; while Postgres is away, as it said last."""
        account = self.source.account()
        tally.if_there(self._alarm.tell)
        known = self._recollection
        if standing := tally.if_there(lambda: standing_of(self.store, account, self.clock())):
            known.standing = standing
        else:
            known.recall(account)
            if known.standing is None:
                tally.raise_if_away()
        if known.standing is None or known.standing.account_id != account.id:
            self.source.reject_account()
            raise SessionNeedsPersonError(
                "The browser is linked to another account than the one in the database.",
                "Nothing was read. Link the right account, or give this one its own profile and PG_SCHEMA.",
            )
        return account

    def _rules_now(self) -> Rules:
        assert self._recollection.standing is not None
        return rules_now(self.source, self._recollection.standing, self.rules)

    def _capture(
        self, chat: ChatFacts, directory: Directory, diff: ChatDiff, since: datetime, tally: Tally
    ) -> CapturedChat:
        """Read one chat and understand its rows; what is stored of it is asked later."""
        facts, batch = self._visiting.visit(chat, directory, diff, since, tally)
        parsed, rejects = self._parse(batch, directory.account, facts)
        tally.parsed(batch, parsed, signal_counts(parsed))
        dissents = self._rows.time_dissents(parsed, self.source.session.pack, facts)
        tally.times_differ(len(dissents))
        return CapturedChat(
            chat=chat,
            account=directory.account,
            since=since,
            diff=diff,
            facts=None if facts is None else tuple(facts),
            batch=batch,
            parsed=tuple(parsed),
            rejects=tuple(rejects),
            dissents=dissents,
            participant_ids=directory.participants(chat.id),
            phone_ids=directory.rules.phone_ids,
        )

    def _parse(
        self, batch: ChatBatch, account: Account, facts: Sequence[MessageFacts] | None = None
    ) -> tuple[Sequence[ParsedRow], Sequence[Reject]]:
        return self._rows.parse(batch, self.source.session.pack, account, facts)

    def _keep(self, captured: CapturedChat, plan: LoadPlan, tally: Tally) -> None:
        self._spooling.keep(captured, plan, tally)

    def _load_people(self, directory: Directory, tally: Tally) -> None:
        """Chats and people; before any message, since their ids tell which messages are stored already.

        Which chat is the agent's is told by them, too.
        """
        store_people(self.store, directory, run_id=tally.run_id, now=self.clock())
        unreadable = self.source.unreadable_parts
        follow_agent(self.store, self.agent, directory, unreadable, run_id=tally.run_id, now=self.clock())

    def _choose_files(self, tally: Tally) -> None:
        """Look for files again that other settings left out; once, since settings do not change meanwhile."""
        if not self._has_chosen_files:
            self.store.attachments.choose_again(self.rules.downloads.most_bytes, tally.run_id, self.clock())
            self._has_chosen_files = True

    def _fetch(self, fetching: Fetching, directory: Directory, since: datetime, tally: Tally) -> None:
        """Fetch files from the server; last, since it may take long and the messages are stored by now."""
        came = fetching.run(directory.chats, directory.account, since, tally.run_id)
        tally.applied += ApplyResult(attachments_saved=came.files, jobs_enqueued=came.jobs)

    def _load_reactions(self, directory: Directory, since: datetime, tally: Tally) -> None:
        """Reactions; after the messages that they belong to."""
        reactions = reactions_in_scope(self._increments.reactions(since), directory)
        self.store.apply_directory((), (), (), reactions, run_id=tally.run_id, now=self.clock())

    def _tidy(self) -> None:
        """Let disappear what WhatsApp lets disappear, and end what was kept long enough."""
        now = self.clock()
        if self.rules.disappearing == "expire":
            self.store.expire_messages(now)
        retain(self.store, self.retention, now)
        self.announce(Step.MESSAGES_EXPIRED)
        for reason in remove_unused_files(self.store, self._remove_file, self.spool.file_paths()).values():
            log.warning("file_not_removed", reason=reason)
        self.announce(Step.FILES_REMOVED)
        copy_new_files(self.mirroring)
        self._spooling.tidy()

    def _remove_file(self, path: str) -> None:
        self.remove_file(path)
        self.announce(Step.FILE_REMOVED)

    # --- the end --------------------------------------------------------------------------------

    def _finish(self, tally: Tally, error: Exception | None) -> RunReport:
        """Store the run and the session's state; renew a page that may be stuck."""
        self._recollection.keep()
        self._blind_spots.note(tally.agreement)
        if lost := self._blind_spots.facts:
            log.warning("facts_lost", facts=list(lost))
        self.source.note_end(error)
        report = tally.report(
            # A clock that was set back meanwhile must not end a cycle before it began.
            finished_at=max(self.clock(), tally.started_at),
            status=status_of(tally, error),
            session=self.source.snapshot(),
            pack_id=self.source.pack.id if self.source.pack else None,
            hits=self.source.hits,
            error=told(error),
            lost_facts=lost,
            spool=self.spool.facts(),
        )
        try:
            store_end(self.store, report, self.source.transitions)
            self.announce(Step.RUN_STORED)
        except WhatsappEtlError as refused:
            log.warning("run_not_stored", error=str(refused))
        if may_be_stuck(tally, error):
            self.source.close(is_last=False)
        log.info("cycle_finished", **log_fields(report), seconds=round(tally.seconds, 2))
        return report
