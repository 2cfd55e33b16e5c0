"""WhatsApp Web as a cycle sees it: one object that opens the page and answers questions.

It keeps the browser open between cycles and renews it when it is old or gone. All of it belongs to
the one thread that runs cycles.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from whatsapp_etl.errors import (
    BrowserCrashedError,
    SessionNeedsPersonError,
    StopRequestedError,
    WhatsappEtlError,
)
from whatsapp_etl.extract.browser import Browser
from whatsapp_etl.extract.list_reader import ListedVisit, ListReader
from whatsapp_etl.extract.noted import take_noted
from whatsapp_etl.extract.person import person_needed
from whatsapp_etl.extract.qr_life import QR_ARRIVES, QR_RENEWALS
from whatsapp_etl.extract.reader import BUDGET
from whatsapp_etl.extract.restarts import Restarts, snapshot_without_browser
from whatsapp_etl.extract.resting import LinkRest
from whatsapp_etl.extract.session import Session
from whatsapp_etl.extract.source_options import Judgement, SessionKeeper, SourceOptions
from whatsapp_etl.extract.storage import Storage
from whatsapp_etl.extract.upkeep import BrowserFacts, UpkeepRules, renewal_due
from whatsapp_etl.model import (
    Account,
    ChatBatch,
    ChatFacts,
    ChatVisit,
    ContactFacts,
    GroupFacts,
    ListedChat,
    MessageFacts,
    MessageIndexEntry,
    ReactionFacts,
    SelectorPack,
    SessionSnapshot,
    SessionState,
    ShownChat,
)
from whatsapp_etl.steps import Announce, Step, no_announcement
from whatsapp_etl.transitions import SessionCause, TransitionLog

log = structlog.get_logger(__name__)


class Source:
    """The account behind one browser profile.

    Args:
        options: Where and how.
        judgement: What `extract` asks of others.
        clock: The program's clock; aware UTC.
        stop: Set when the program is asked to stop; waits end at once.
        publish: Takes the session's snapshot whenever it was looked at.
        announce: Told of each step.
        keeper: Is told before a browser starts and after one was closed.
    """

    def __init__(
        self,
        options: SourceOptions,
        judgement: Judgement,
        *,
        clock: Callable[[], datetime],
        stop: threading.Event,
        publish: Callable[[SessionSnapshot], None] = lambda _: None,
        announce: Announce = no_announcement,
        keeper: SessionKeeper | None = None,
    ) -> None:
        self._announce = announce
        self._keeper = keeper
        self._options = options
        self.judgement = judgement
        self._clock = clock
        self._publish = publish
        self.stop = stop
        self._limits = options.limits(stop)
        self._browser: Browser | None = None
        self._session: Session | None = None
        self._storage: Storage | None = None
        self._reader: ListReader | None = None
        self._opened_at = clock()
        self._was_reloaded = False
        self._restarts = Restarts(clock)
        self._qr_renewals = 0
        self._rest = LinkRest(options.profile)
        self.transitions = TransitionLog()

    # --- the session --------------------------------------------------------------------------

    def open(self) -> None:
        """Return when the chat list is shown, in a browser that is not worn out.

        Raises:
            BrowserRestingError: It ended again and again.
            WhatsappEtlError: As `Browser` and `Session.wait_until_ready` say.
        """
        if self._rest.goes_on():
            raise person_needed(SessionState.LINK_RESTING)
        self._renew()
        if self._browser is None:
            self._start()
        try:
            self._wait_until_ready()
            self._qr_renewals = 0
            if self.transitions.has_asked_for_link:
                self._renew()
                self._wait_until_ready()
        except SessionNeedsPersonError:
            self._renew_qr()
            raise
        finally:
            self._publish(self.snapshot())
        if self._reader is None:
            self._reader = ListReader(
                self.session,
                self.storage,
                save_file=self.judgement.save_file,
                limits=self._limits,
                clock=self._clock,
                downloads=self._options.downloads,
            )

    def check(self) -> None:
        """Look at the page between cycles, and renew what is worn out; a closed browser waits for a cycle.

        Raises:
            BrowserRestingError: It ended again and again.
            WhatsappEtlError: The page could not be opened anew.
        """
        if self._browser is None:
            return
        try:
            self._look()
            self._renew()
        finally:
            self._publish(self.snapshot())

    def reset(self) -> None:
        """Close a browser that has been open for about its time, and open another one.

        Raises:
            WhatsappEtlError: The page could not be opened anew.
        """
        if self._browser is None:
            return
        # Its time comes round at fixed hours, wherever in between it was opened.
        age = self._options.upkeep.max_age / 2
        try:
            self._look()
            self._renew(replace(self._options.upkeep, max_age=age))
        finally:
            self._publish(self.snapshot())

    def note_end(self, error: Exception | None = None) -> None:
        """Note that the browser or its page ended in the middle of something, so that the state tells it."""
        if self._session is None or self._browser is None:
            return
        if isinstance(error, BrowserCrashedError) or self._browser.has_failed:
            self._session.note_end(error)

    def check_ready(self) -> None:
        """Return when the chat list is shown, also after the page has reloaded itself.

        Raises:
            WhatsappEtlError: As `Session.wait_until_ready` says.
        """
        try:
            self.session.wait_until_ready(self._options.ready_within)
        finally:
            self._publish(self.session.snapshot())

    def start(self) -> Session:
        """Open the page without waiting until it is ready, for a person who is about to link it."""
        if self._browser is None:
            self._start()
        return self.session

    def close(self, *, is_last: bool = True) -> bool:
        """Close the browser; nothing of it stays. Another one may be opened unless this was the last.

        Returns:
            Whether a browser was open and ended by itself, so that all that its page wrote is on the disk.
        """
        self.note_end()
        browser, self._browser = self._browser, None
        if (state := self.snapshot().state) is SessionState.CRASHED and self._session is not None:
            self._restarts.note_end()
        self._session = self._storage = self._reader = None
        if browser is not None:
            browser.close()
        is_whole = browser is not None and browser.has_closed_cleanly
        if self._keeper is not None and (browser is not None or is_last):
            is_worth_keeping = is_whole and state is SessionState.READY
            self._keeper.after_close(is_worth_keeping=is_worth_keeping, is_last=is_last)
        return is_whole

    def ask_for_codes(self) -> None:
        """Let QR codes be shown again after linking rested. From any thread."""
        self._rest.ask()

    def abandon(self) -> None:
        """End the browser's process at once, from any thread."""
        if (browser := self._browser) is not None:
            browser.kill()

    def step_aside(self) -> None:
        """End the browser, from any thread, because the session is not this machine's any more."""
        if (browser := self._browser) is not None:
            browser.end_gently()

    @property
    def is_unkept(self) -> bool:
        """Whether the session should have been kept outside of this machine and could not be."""
        return self._keeper is not None and self._keeper.has_failed

    @property
    def session(self) -> Session:
        assert self._session is not None, "the source is not open"
        return self._session

    @property
    def storage(self) -> Storage:
        assert self._storage is not None, "the source is not open"
        return self._storage

    def snapshot(self) -> SessionSnapshot:
        """Return the session as it was last seen."""
        if self._session is not None:
            return self._session.snapshot()
        pause = self._restarts.pause(self._options.upkeep)
        return snapshot_without_browser(self.transitions, pause, resting=self._rest.snapshot)

    @property
    def pack(self) -> SelectorPack | None:
        """The pack in use; None before the page was ready."""
        return self.session.pack if self._reader else None

    @property
    def hits(self) -> Mapping[tuple[str, str], int]:
        """How often each candidate of each selector served since the browser was opened."""
        return self.session.hits.counts() if self._session else {}

    @property
    def unreadable_rows(self) -> int:
        """Rows of the browser's storage without a key or time of a known shape, since it was opened."""
        return self._storage.unreadable_rows if self._storage else 0

    @property
    def unreadable_parts(self) -> Mapping[str, str]:
        """What of the browser's storage was not readable since it was last asked for, and why."""
        return self._storage.unreadable_parts if self._storage else {}

    def account(self) -> Account:
        """Return the linked account, and let the storage complete own keys with it."""
        account = self.session.account()
        self.storage.own = account
        return account

    def language(self) -> str | None:
        """Return the language in which the page says it is; None where it says none."""
        return self.session.language()

    def reject_account(self) -> None:
        """Note that this account is not the pinned one."""
        self.session.reject_account()
        self._publish(self.session.snapshot())

    # --- what the browser's own storage lists ---------------------------------------------------

    def chats(self, account: Account) -> tuple[ChatFacts, ...]:
        return self.storage.chats(account)

    def contacts(self) -> tuple[ContactFacts, ...]:
        return self.storage.contacts()

    def groups(self) -> tuple[GroupFacts, ...]:
        return self.storage.groups()

    def lid_map(self) -> Mapping[str, str]:
        return self.storage.lid_map()

    def reactions(self, since: datetime) -> Iterator[ReactionFacts]:
        return self.storage.reactions(since)

    def index(self, since: datetime) -> Iterator[Sequence[MessageIndexEntry]]:
        return self.storage.index(since)

    def messages(
        self, chat: ChatFacts, since: datetime, wanted: Collection[str] | None = None
    ) -> tuple[MessageFacts, ...]:
        return self.storage.messages(chat.ids, since, wanted)

    # --- what the page shows ---------------------------------------------------------------------

    def read(
        self, visit: ChatVisit, *, since: datetime, budget: timedelta = BUDGET, asks_phone: bool = False
    ) -> ChatBatch:
        """Open one chat and read what the visit wants of it; see `Reader.read`."""
        assert self._reader is not None, "the source is not open"
        return self._reader.read(visit, since=since, budget=budget, asks_phone=asks_phone)

    def listed(self) -> tuple[ListedChat, ...]:
        """Return the rows of the chat list and of the archive; see `ListReader.listed`."""
        assert self._reader is not None, "the source is not open"
        return self._reader.listed()

    def look_at(self, place: int) -> tuple[ShownChat, ...]:
        """Return what the rows around a place of the chat list show; see `ListReader.look_at`."""
        assert self._reader is not None, "the source is not open"
        return self._reader.look_at(place)

    def read_listed(self, visit: ListedVisit) -> ChatBatch:
        """Open the chat of one row of the list and read it; see `ListReader.read_listed`."""
        assert self._reader is not None, "the source is not open"
        return self._reader.read_listed(visit)

    def _start(self, cause: SessionCause = SessionCause.OPENED) -> None:
        options = self._options
        self._require_rested()
        if self._keeper is not None:
            self._keeper.before_start()
        browser = Browser(options.profile, options.browser)
        self.transitions.note(SessionState.STARTING, cause, self._clock())
        self._enter(browser, cause)
        self.transitions.go_on_from(take_noted(browser.profile.folder))
        self._announce(Step.BROWSER_STARTED)
        self._opened_at, self._was_reloaded = self._clock(), False
        self._session = Session(
            browser,
            options.packs,
            url=options.url,
            clock=self._clock,
            redact=self.judgement.redact,
            snapshots=options.snapshots,
            forced_pack=options.forced_pack,
            transitions=self.transitions,
            stop=self.stop,
        )
        self._storage = Storage(
            browser.page,
            browser.watchdog,
            classify=self.judgement.classify,
            kind_of=self.judgement.kind_of,
        )
        self._session.open()

    def _enter(self, browser: Browser, cause: SessionCause) -> None:
        self._browser = browser  # before it is open: who ends the program does not wait for its start
        try:
            browser.__enter__()
        except WhatsappEtlError as error:
            self._browser = None
            has_crashed = isinstance(error, BrowserCrashedError)
            if has_crashed and self.stop.is_set():
                raise StopRequestedError("It was asked to stop while its browser started.") from error
            self.transitions.note(SessionState.STARTING, cause, self._clock(), error)
            if has_crashed:
                self._restarts.note_end()
            raise

    def _renew_qr(self) -> None:
        """Ask for fresh codes when the last one has expired; after some batches nobody is there to scan.

        Raises:
            SessionNeedsPersonError: Linking rests from now on; the browser is closed.
        """
        if not self.session.is_qr_expired:
            return
        if self._qr_renewals >= QR_RENEWALS:
            now = self._clock()
            self._qr_renewals = 0
            self.transitions.note(SessionState.LINK_RESTING, SessionCause.SHOWN, now)
            self._rest.begin(now)
            # Closed, so that `whatsapp-etl login` can have the profile meanwhile.
            self.close(is_last=False)
            raise person_needed(SessionState.LINK_RESTING)
        if self.session.reload_qr():
            self._qr_renewals += 1
            self.session.poll(QR_ARRIVES)

    def _wait_until_ready(self) -> None:
        """Wait for the chats; take the session over once, where that is wanted."""
        try:
            self.session.wait_until_ready(self._options.ready_within)
        except SessionNeedsPersonError:
            if not (self._options.takes_over and self.session.take_over()):
                raise
            log.warning("session_taken_over")
            self.session.wait_until_ready(self._options.ready_within)

    def _look(self) -> None:
        """Look at the page once; that it is gone is a fact, and no failure."""
        try:
            self.session.poll()
        except BrowserCrashedError as crash:
            log.warning("browser_ended", error=str(crash))

    def _renew(self, rules: UpkeepRules | None = None) -> None:
        """Open the browser anew, or load its page again, where it is due."""
        if self._browser is None or self._session is None:
            return
        seen = self._session.snapshot()
        facts = BrowserFacts(
            is_alive=self._browser.is_alive and seen.state is not SessionState.CRASHED,
            state=seen.state,
            state_since=seen.since or self._opened_at,
            opened_at=self._opened_at,
            was_hung=self._browser.watchdog.has_ended_it,
            was_reloaded=self._was_reloaded,
            has_asked_for_link=self.transitions.has_asked_for_link,
            memory_bytes=self._browser.memory_bytes if self._options.upkeep.max_memory_bytes else None,
        )
        cause = renewal_due(facts, rules or self._options.upkeep, self._clock())
        if cause is None:
            return
        log.info("browser_renewed", cause=cause, memory_bytes=facts.memory_bytes)
        if cause is SessionCause.RELOADED:
            self._was_reloaded = True
            self._reader = None
            self.transitions.note(SessionState.STARTING, cause, self._clock())
            self._session.open()
            return
        if cause is SessionCause.MEMORY:
            self._restarts.note_end()
            self.transitions.note(SessionState.CRASHED, cause, self._clock())
        self.close(is_last=False)
        self._start(cause)

    def _require_rested(self) -> None:
        """Raise while a browser that ended again and again has to stay closed."""
        pause = self._restarts.pause(self._options.upkeep)
        if pause is None:
            return
        resting = self._restarts.resting(pause)
        if pause.is_rest:
            self.transitions.note(SessionState.CRASHED, SessionCause.RESTED, self._clock(), resting)
        self._publish(self.snapshot())
        raise resting
