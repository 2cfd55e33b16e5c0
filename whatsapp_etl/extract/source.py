"""WhatsApp Web as a cycle sees it: one object that opens the page and answers questions.

It keeps the browser open between cycles and renews it when it is old or gone. All of it belongs to
the one thread that runs cycles.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from whatsapp_etl.errors import SessionNeedsPersonError, WhatsappEtlError
from whatsapp_etl.extract.browser import Browser, BrowserOptions
from whatsapp_etl.extract.limits import Limits
from whatsapp_etl.extract.list_reader import ListedVisit, ListReader
from whatsapp_etl.extract.reader import BUDGET
from whatsapp_etl.extract.session import Session
from whatsapp_etl.extract.storage import Storage
from whatsapp_etl.model import (
    Account,
    CapturedFile,
    ChatBatch,
    ChatFacts,
    ChatKind,
    ChatVisit,
    ContactFacts,
    GroupFacts,
    ListedChat,
    MessageFacts,
    MessageIndexEntry,
    MessageType,
    ReactionFacts,
    SeenPage,
    SelectorPack,
    SessionSnapshot,
    SessionState,
)
from whatsapp_etl.steps import Announce, Step, no_announcement
from whatsapp_etl.transitions import SessionCause, TransitionLog

#: Batches of QR codes that are asked for while nobody scans; then the page rests until it is opened anew.
_QR_RENEWALS = 5
_QR_ARRIVES = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """Where the page is and how it is read."""

    profile: Path
    browser: BrowserOptions
    url: str
    packs: tuple[SelectorPack, ...]
    snapshots: Path  #: Folder for redacted snapshots of pages that were not understood.
    forced_pack: str = "auto"
    max_age: timedelta = timedelta(hours=1)  #: The browser is closed and opened again after this.
    ready_within: timedelta = timedelta(minutes=3)  #: Loading the chats may take so long.
    chats_per_minute: float = 20  #: 0 for no limit.
    scrolls_per_second: float = 4  #: 0 for no limit.


@dataclass(frozen=True, slots=True)
class Judgement:
    """The pure functions that reading needs; `extract` imports no other package."""

    classify: Callable[[str, str | None], MessageType]  #: WhatsApp's type and subtype to ours.
    kind_of: Callable[[str, str], ChatKind]  #: A chat id and the own id to the chat's kind.
    redact: Callable[[SeenPage], str]  #: Turns a page into a snapshot in which nobody can be read.
    save_file: Callable[[bytes], CapturedFile]  #: Keeps a picture's bytes.


class SessionKeeper(Protocol):
    """Who keeps the profile outside of this machine; called while no browser is open."""

    @property
    def has_failed(self) -> bool: ...
    def before_start(self) -> None: ...
    def after_close(self, *, is_worth_keeping: bool, is_last: bool) -> None: ...


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
        self._judgement = judgement
        self._clock = clock
        self._publish = publish
        self._limits = Limits.of(
            chats_per_minute=options.chats_per_minute,
            scrolls_per_second=options.scrolls_per_second,
            stop=stop,
        )
        self._browser: Browser | None = None
        self._session: Session | None = None
        self._storage: Storage | None = None
        self._reader: ListReader | None = None
        self._opened_at = clock()
        self._qr_renewals = 0
        self.transitions = TransitionLog()

    # --- the session --------------------------------------------------------------------------

    def open(self) -> None:
        """Return when the chat list is shown, in a browser that is not older than `max_age`.

        Raises:
            WhatsappEtlError: As `Browser` and `Session.wait_until_ready` say.
        """
        cause = SessionCause.OPENED
        if self._browser is not None and self._is_worn():
            cause = SessionCause.RESET if self._browser.is_alive else SessionCause.CRASHED
            self.close(is_last=False)
        if self._browser is None:
            self._start(cause)
        try:
            self.session.wait_until_ready(self._options.ready_within)
            self._qr_renewals = 0
        except SessionNeedsPersonError:
            self._renew_qr()
            raise
        finally:
            self._publish(self.session.snapshot())
        if self._reader is None:
            self._reader = ListReader(
                self.session,
                self.storage,
                save_file=self._judgement.save_file,
                limits=self._limits,
                clock=self._clock,
            )

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

    def close(self, *, is_last: bool = True) -> None:
        """Close the browser; nothing of it stays. Another one may be opened unless this was the last."""
        browser, self._browser = self._browser, None
        is_linked = self.snapshot().state is SessionState.READY
        self._session = self._storage = self._reader = None
        if browser is not None:
            browser.close()
        if self._keeper is not None and (browser is not None or is_last):
            is_whole = browser is not None and browser.has_closed_cleanly
            self._keeper.after_close(is_worth_keeping=is_whole and is_linked, is_last=is_last)

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
        return self._session.snapshot() if self._session else SessionSnapshot()

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

    def messages(self, chat: ChatFacts, since: datetime) -> tuple[MessageFacts, ...]:
        return self.storage.messages(chat.ids, since)

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

    def read_listed(self, visit: ListedVisit) -> ChatBatch:
        """Open the chat of one row of the list and read it; see `ListReader.read_listed`."""
        assert self._reader is not None, "the source is not open"
        return self._reader.read_listed(visit)

    # --- helpers ----------------------------------------------------------------------------------

    def _start(self, cause: SessionCause = SessionCause.OPENED) -> None:
        options = self._options
        if self._keeper is not None:
            self._keeper.before_start()
        browser = Browser(options.profile, options.browser)
        self.transitions.note(SessionState.STARTING, cause, self._clock())
        try:
            browser.__enter__()
        except WhatsappEtlError as error:
            self.transitions.note(SessionState.STARTING, cause, self._clock(), error)
            raise
        self._browser = browser
        self._announce(Step.BROWSER_STARTED)
        self._opened_at = self._clock()
        self._session = Session(
            browser,
            options.packs,
            url=options.url,
            clock=self._clock,
            redact=self._judgement.redact,
            snapshots=options.snapshots,
            forced_pack=options.forced_pack,
            transitions=self.transitions,
        )
        self._storage = Storage(
            browser.page,
            browser.watchdog,
            classify=self._judgement.classify,
            kind_of=self._judgement.kind_of,
        )
        self._session.open()

    def _renew_qr(self) -> None:
        """Ask for fresh codes when the last one has expired; after some batches nobody is there to scan."""
        if self.session.is_qr_expired and self._qr_renewals < _QR_RENEWALS and self.session.reload_qr():
            self._qr_renewals += 1
            self.session.poll(_QR_ARRIVES)

    def _is_worn(self) -> bool:
        assert self._browser is not None
        return not self._browser.is_alive or self._clock() - self._opened_at >= self._options.max_age
