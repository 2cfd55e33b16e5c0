"""The session: WhatsApp Web in the shielded browser, and where it stands.

States are polled, since the page's own events are missed during navigation. Each look is one script
that returns when something changed or its time is over, so nothing here sleeps.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from playwright.sync_api import Page

from whatsapp_etl.errors import (
    BrowserCrashedError,
    ExtractError,
    PageRefusedError,
    PageScriptError,
    PageTimeoutError,
    StopRequestedError,
)
from whatsapp_etl.extract.browser import Browser
from whatsapp_etl.extract.dialogs import UNKNOWN_ALLOWED, Dialogs
from whatsapp_etl.extract.fitting import SETTLE_ALLOWED, PageFit
from whatsapp_etl.extract.packs import AUTO, HitCounter, merge_packs, page_parts, usable_packs
from whatsapp_etl.extract.page_script import read_answer
from whatsapp_etl.extract.person import person_needed
from whatsapp_etl.extract.phone_link import PhoneLink
from whatsapp_etl.extract.qr_life import qr_expires_at
from whatsapp_etl.extract.scripts import read_script
from whatsapp_etl.extract.shield import verify_shield
from whatsapp_etl.extract.snapshot import place_of, write_picture, write_snapshot
from whatsapp_etl.extract.states import BEFORE_READY, STATE_LABELS, PageFacts, next_state
from whatsapp_etl.extract.watchdog import Watchdog
from whatsapp_etl.model import (
    COMPUTED_ALIGNMENT,
    NEEDS_PERSON,
    Account,
    SeenPage,
    SelectorPack,
    SessionSnapshot,
    SessionState,
)
from whatsapp_etl.transitions import SessionCause, TransitionLog

log = structlog.get_logger(__name__)

__all__ = ["PageFacts", "Session", "next_state", "person_needed"]

_OPEN_ALLOWED = timedelta(seconds=60)
#: What a script gets beyond its own waiting before the browser counts as hung.
_GRACE = timedelta(seconds=20)
_LOOK = timedelta(seconds=1)
_CLICK_ALLOWED = timedelta(seconds=5)
#: Introductions come one after another, but not without end.
_DIALOGS_AT_ONCE = 5
_NAVIGATIONS_AT_ONCE = 4

_DATABASE = "model-storage"


class Session:
    """WhatsApp Web, opened once. Belongs to the thread that owns the browser.

    Args:
        browser: Open, on an empty page.
        packs: All selector packs.
        url: Where WhatsApp Web is.
        clock: The program's clock; aware UTC.
        redact: Turns a page into a snapshot in which nobody can be read.
        snapshots: Folder for redacted snapshots of pages that were not understood.
        forced_pack: The id of the pack to use, or "auto".
        transitions: Takes each change of the state.
        stop: Set when the program is asked to stop; waiting for the chats ends then.
    """

    def __init__(
        self,
        browser: Browser,
        packs: Sequence[SelectorPack],
        *,
        url: str,
        clock: Callable[[], datetime],
        redact: Callable[[SeenPage], str],
        snapshots: Path,
        forced_pack: str = AUTO,
        transitions: TransitionLog | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        self._browser = browser
        self._packs = usable_packs(packs, forced_pack)
        self._forced_pack = forced_pack
        self._any_pack = merge_packs(self._packs)
        self._state_parts = page_parts(self._any_pack, STATE_LABELS)
        self._url = url
        self._stop = stop or threading.Event()
        self._transitions = transitions or TransitionLog()
        self._clock = clock
        self._redact = redact
        self._snapshots = snapshots
        self._pack: SelectorPack | None = None
        self._seen: Mapping[str, object] | None = None
        self._is_other_account = False
        self._was_left = False  #: The page went back to a screen before the chat list.
        self._facts = PageFacts()
        self._snapshot = SessionSnapshot(since=clock())
        self.hits = HitCounter()
        self._covered_since: float | None = None  #: By a dialog that is not known.
        self._dialogs = Dialogs(
            browser,
            self._any_pack,
            lambda png: place_of(lambda: write_picture(png, snapshots, "unknown-dialog", clock())),
        )
        self._fit = PageFit(browser, self.hits, self.keep_snapshot, SETTLE_ALLOWED)

    # --- what others need of it ---------------------------------------------------------------

    @property
    def page(self) -> Page:
        return self._browser.page

    @property
    def watchdog(self) -> Watchdog:
        return self._browser.watchdog

    @property
    def state(self) -> SessionState:
        """The state at the last look."""
        return self._snapshot.state

    @property
    def qr_payload(self) -> str | None:
        """What the QR code says, while one is shown that can still be scanned."""
        return self._snapshot.qr_payload

    @property
    def is_qr_expired(self) -> bool:
        """Whether the code waits behind its reload button."""
        return self._facts.is_qr_expired

    @property
    def loading_percent(self) -> int | None:
        """How far the chats are loaded, where the page says it."""
        return self._facts.loading_percent

    @property
    def wa_version(self) -> str | None:
        """The build of WhatsApp Web; None before it is ready, or where the page hides it."""
        return self._snapshot.wa_version

    @property
    def pack(self) -> SelectorPack:
        """The pack chosen for this page; there is one once the session is ready."""
        assert self._pack is not None, "the session is not ready"
        return self._pack

    def snapshot(self) -> SessionSnapshot:
        """Return the session as it may be shown: a value that other threads can keep."""
        return self._snapshot

    # --- what it does -------------------------------------------------------------------------

    def open(self) -> SessionState:
        """Load WhatsApp Web and look at it once.

        Raises:
            ShieldError: The focus shield does not hold; the page is left again.
            PageTimeoutError: The page did not load.
            PageRefusedError: The server answered with an error instead of the page.
        """
        self._pack = None
        self._seen = None
        try:
            self._load()
            self._shield_or_leave()
            return self.poll()
        except BrowserCrashedError as crash:
            self.note_end(crash)
            raise

    def poll(self, wait: timedelta = timedelta(0)) -> SessionState:
        """Look at the page, waiting up to `wait` for a change, and return the state.

        Dialogs that only inform are closed on the way.

        Raises:
            BrowserCrashedError: The browser is gone; the state is then CRASHED.
        """
        try:
            self._look(wait)
            for _ in range(_DIALOGS_AT_ONCE):
                if not (self._facts.has_dialog and self.state is SessionState.UNKNOWN):
                    break
                if not self.dismiss_dialogs():
                    break
                self._look(_LOOK)
        except BrowserCrashedError as crash:
            self.note_end(crash)
            raise
        return self.state

    def wait_until_ready(self, timeout: timedelta) -> None:
        """Return once the chat list is shown, its pack is chosen and all it requires is there.

        Raises:
            SessionNeedsPersonError: A person has to do something first; `state` says what.
            PageTimeoutError: The chat list did not appear.
            SelectorDriftError: No pack fits, a required selector matches nothing, or nothing known is shown.
            ShieldError: The focus shield does not hold.
            UnknownDialogError: A dialog that is not known covers the page.
        """
        deadline = time.monotonic() + timeout.total_seconds()
        wait = timedelta(0)
        while self.poll(wait) is not SessionState.READY:
            wait = _LOOK
            self.require_going_on()
            if self.state in NEEDS_PERSON:
                raise person_needed(self.state)
            if self.state is SessionState.UNSUPPORTED:
                raise ExtractError("WhatsApp Web does not support this browser.", "Update Chromium.")
            if self._is_covered_for_long():
                raise self._dialogs.unknown()
            if time.monotonic() >= deadline and self._facts.is_strange:
                raise self._fit.strange(self._any_pack)
            if time.monotonic() >= deadline:
                raise PageTimeoutError(
                    f"The chat list did not appear within {timeout.total_seconds():g} s; "
                    f"the page is {self.state}."
                )
        if self._pack is None or self._was_left:
            self._shield_or_leave()
            self._pack = self._fit.choose(self._packs, self._forced_pack)
            self.require("ready")
            self._was_left = False
            self._browser.profile.note_linked()
            self._replace(wa_version=self._version())

    def require_going_on(self) -> None:
        """Raise StopRequestedError when the program is asked to stop."""
        if self._stop.is_set():
            raise StopRequestedError("The program was asked to stop before the chats were shown.")

    def _is_covered_for_long(self) -> bool:
        """Return whether a dialog that is not known has stood there for longer than introductions take."""
        if not (self.state is SessionState.UNKNOWN and self._facts.has_dialog):
            self._covered_since = None
            return False
        now = time.monotonic()
        self._covered_since = self._covered_since or now
        return now - self._covered_since >= UNKNOWN_ALLOWED.total_seconds()

    def require(self, page: str) -> None:
        """Return once every selector that the pack requires on `page` matches.

        Args:
            page: "ready" or "conversation".

        Raises:
            SelectorDriftError: One matches nothing; names the pack and the selector.
        """
        self._fit.require(self.pack, page)

    def dismiss_dialogs(self) -> bool:
        """Close one dialog that only informs; False when there is none."""
        return self._dialogs.dismiss()

    def take_over(self) -> bool:
        """Take the session over from the window that uses it; False when the page does not offer that."""
        if self.state is not SessionState.CONFLICT or not self._dialogs.take_over():
            return False
        self._note(PageFacts(has_splash=True), SessionCause.TAKEN_OVER)
        self._look(_CLICK_ALLOWED)
        return True

    def note_end(self, error: Exception | None = None) -> None:
        """Note that the browser or its page is gone, where no look has told it."""
        if self.state is not SessionState.CRASHED:
            cause = SessionCause.HUNG if self.watchdog.has_ended_it else SessionCause.CRASHED
            self._note(PageFacts(is_alive=False), cause, error)

    def check_ready(self) -> None:
        """Return while the chats are shown and nothing stands before them.

        Raises:
            SessionNeedsPersonError: A person has to do something first.
            UnknownDialogError: A dialog that is not known covers the page.
        """
        if self.poll() in NEEDS_PERSON:
            raise person_needed(self.state)
        if self.state is SessionState.UNKNOWN and self._facts.has_dialog:
            raise self._dialogs.unknown()

    def reload_qr(self) -> bool:
        """Ask for fresh codes after the last one expired; False when there is no button for that."""
        with self.watchdog.step("reloading the QR code", _CLICK_ALLOWED + _GRACE):
            for css in self._any_pack["qr_reload"].candidates:
                button = self.page.query_selector(css)
                if button is not None:
                    button.click(timeout=_CLICK_ALLOWED.total_seconds() * 1000)
                    return True
        return False

    def phone_link(self) -> PhoneLink:
        """Return the login screen's form for a phone number."""
        return PhoneLink(self.page, self.watchdog, self._any_pack)

    def now(self) -> datetime:
        """Return the program's time."""
        return self._clock()

    def account(self) -> Account:
        """Return the linked account, as the client itself remembers it.

        Raises:
            ExtractError: The client keeps no account id where it is known to.
        """
        with self.watchdog.step("reading the account", _GRACE):
            told = read_answer(self.page.evaluate(read_script("account"), {"database": _DATABASE}))
        if told is None:
            raise ExtractError(
                "WhatsApp Web keeps no account id in its local storage.",
                "Wait for the next cycle; if it stays so, WhatsApp Web has changed.",
            )
        return Account(id=told["id"], lid=told["lid"], push_name=told["push_name"])

    def language(self) -> str | None:
        """Return the language in which the page says it is, such as "en"; None where it says none."""
        with self.watchdog.step("reading the language", _GRACE):
            told = self.page.evaluate(read_script("language"))
        return told if isinstance(told, str) else None

    def reject_account(self) -> None:
        """Note that the account is not the pinned one: the state is WRONG_ACCOUNT from now on."""
        self._is_other_account = True
        self.poll()

    def verify_shield(self) -> None:
        """Return when the focus shield holds in every frame.

        Raises:
            ShieldError: It does not.
        """
        verify_shield(self.page, self.watchdog)

    def _load(self) -> None:
        allowed = _OPEN_ALLOWED.total_seconds() * 1000
        try:
            with self.watchdog.step("opening WhatsApp Web", _OPEN_ALLOWED + _GRACE):
                response = self.page.goto(self._url, wait_until="domcontentloaded", timeout=allowed)
        except (PageScriptError, PageTimeoutError) as error:
            raise PageTimeoutError(
                "WhatsApp Web could not be loaded.", "Check the network, and that WHATSAPP_URL is right."
            ) from error
        if response is not None and not response.ok:
            raise PageRefusedError(
                f"WhatsApp Web answered with HTTP status {response.status}.",
                "The next cycle tries again; if it stays so, check that WHATSAPP_URL is right.",
            )

    # --- looking ------------------------------------------------------------------------------

    def _look(self, wait: timedelta) -> None:
        argument = {
            **self._state_parts,
            "last": self._seen,
            "wait_ms": wait.total_seconds() * 1000,
        }
        answer = self._look_through_navigation(argument, wait)
        self._seen = answer["facts"]
        for name, index in answer["hits"].items():
            self.hits.hit(name, self._any_pack[name].candidates[index])
        self._note(PageFacts.from_json(answer["facts"], is_other_account=self._is_other_account))

    def _look_through_navigation(self, argument: Mapping[str, object], wait: timedelta) -> Any:  # noqa: ANN401 - JSON
        for _ in range(_NAVIGATIONS_AT_ONCE):
            try:
                return self._evaluate("page_facts", "looking at the page", argument, wait)
            except PageScriptError:
                # The client reloads itself, for example after a logout, and takes the script with it.
                with self.watchdog.step("waiting for the page", _OPEN_ALLOWED):
                    self.page.wait_for_load_state("domcontentloaded")
        return self._evaluate("page_facts", "looking at the page", argument, wait)

    def _note(
        self,
        facts: PageFacts,
        cause: SessionCause = SessionCause.SHOWN,
        error: BaseException | None = None,
    ) -> None:
        """Take over what was seen."""
        self._facts = facts
        state = next_state(self.state, facts, was_ready=self._browser.profile.was_linked)
        self._was_left = self._was_left or state in BEFORE_READY
        payload = None if facts.is_qr_expired else facts.qr_payload
        if state is SessionState.WRONG_ACCOUNT:
            cause = SessionCause.OTHER_ACCOUNT
        noted = self._transitions.note(state, cause, self._clock(), error)
        if noted is not None and not noted.is_expected:
            log.warning("session_transition_unexpected", previous=noted.previous, state=noted.state)
        if state is not self.state:
            self._replace(
                state=state, since=self._clock(), unexpected_transitions=self._transitions.unexpected
            )
        if payload != self._snapshot.qr_payload:
            now = self._clock()
            is_first = self._snapshot.qr_payload is None
            self._replace(
                qr_payload=payload,
                qr_seen_at=now if payload else None,
                qr_expires_at=qr_expires_at(now, is_first=is_first) if payload else None,
            )

    def _evaluate(self, script: str, step: str, argument: Mapping[str, object], wait: timedelta) -> Any:  # noqa: ANN401 - JSON
        with self.watchdog.step(step, wait + _GRACE):
            return read_answer(self.page.evaluate(read_script(script), argument))

    def _version(self) -> str | None:
        with self.watchdog.step("reading the version", _GRACE):
            told = self.page.evaluate(read_script("version"))
        return told if isinstance(told, str) else None

    def _shield_or_leave(self) -> None:
        try:
            self.verify_shield()
        except ExtractError:
            # A page that has lost its shield may not stay open: it could send what it held back.
            self._browser.kill()
            raise

    def keep_snapshot(self, reason: str) -> str:
        """Write a redacted snapshot of the page; return its path, or why there is none."""
        with self.watchdog.step("saving a snapshot", _GRACE):
            argument = {"alignment": COMPUTED_ALIGNMENT}
            seen = read_answer(self.page.evaluate(read_script("snapshot"), argument))
        page = SeenPage(seen["html"], seen["language"], self._version(), self._clock())
        redacted = self._redact(page)
        return place_of(lambda: write_snapshot(redacted, self._snapshots, reason, self._clock()))

    def _replace(self, **changes: object) -> None:
        self._snapshot = replace(self._snapshot, **changes)  # type: ignore[arg-type]
