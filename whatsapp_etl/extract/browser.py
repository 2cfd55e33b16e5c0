"""Chromium on a persistent profile: found, started, and ended without a trace.

One thread owns a `Browser` from `__enter__` to `close`; only `kill` may be called from another.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
from playwright.sync_api import BrowserContext, Page, Playwright, ViewportSize
from playwright.sync_api import Error as PlaywrightError

from whatsapp_etl.errors import BrowserCrashedError, BrowserMissingError, WhatsappEtlError
from whatsapp_etl.extract.launching import Driver
from whatsapp_etl.extract.processes import (
    end_browser,
    end_family,
    find_browsers,
    is_zombie,
    memory_of,
    wait_until_gone,
)
from whatsapp_etl.extract.profile import Profile
from whatsapp_etl.extract.shield import shield_script, verify_shield
from whatsapp_etl.extract.temporary import TemporaryFolder, temporary_base
from whatsapp_etl.extract.watchdog import Watchdog

_SYSTEM_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")

_VIEWPORT = ViewportSize(width=1280, height=900)
_LAUNCH_ALLOWED = timedelta(seconds=60)
_CLOSE_ALLOWED = timedelta(seconds=5)
_END_ALLOWED = timedelta(seconds=5)
_VERSION_ALLOWED = timedelta(seconds=20)

#: Beside Playwright's own flags: nothing is fetched that no page asked for.
_QUIET_FLAGS = ("--no-pings", "--disable-domain-reliability", "--safebrowsing-disable-auto-update")


def find_browser(setting: Path | None) -> Path:
    """Return the Chromium to drive: the setting's, Playwright's own, the system's.

    Raises:
        BrowserMissingError: There is none; the message says what to run.
    """
    if setting is not None:
        found = shutil.which(setting.expanduser())
        if found is None:
            raise BrowserMissingError(
                f"BROWSER_EXECUTABLE names no program: {setting}.", "Correct it, or leave it empty."
            )
        return Path(found)
    for path in _playwright_browsers():
        return path
    for name in _SYSTEM_NAMES:
        if found := shutil.which(name):
            return Path(found)
    raise BrowserMissingError(
        "No Chromium or Chrome was found.",
        "Run `playwright install chromium`, install your distribution's chromium, or set BROWSER_EXECUTABLE.",
    )


@dataclass(frozen=True, slots=True)
class BrowserOptions:
    """How the browser presents itself to the page."""

    executable: Path
    locale: str = "en-US"
    timezone: str = "UTC"
    is_headless: bool = True
    extra_flags: tuple[str, ...] = ()
    origin: str | None = None  #: Allowed to keep its storage; without that the client may hang at loading.


class Browser:
    """A Chromium that owns its profile, has one page, and shields it from focus."""

    def __init__(self, profile: Path, options: BrowserOptions) -> None:
        self.profile = Profile(profile)
        self.watchdog = Watchdog(self._end_browser, self._end_driver)
        self.options = options
        self._stack = ExitStack()
        self._driver: Driver | None = None
        self._process: psutil.Process | None = None
        self._page: Page | None = None
        self.has_closed_cleanly = False  #: It ended by itself, so that its storage is whole.
        self._was_ended = False  #: Somebody here wanted that.

    def __enter__(self) -> Self:
        """Lock the profile and start the browser on an empty page.

        Raises:
            ProfileLockedError: Another process has the profile.
            BrowserCrashedError: Chromium did not start.
            ShieldError: The focus shield does not hold in this browser.
        """
        assert self._page is None, "the browser is open already"
        try:
            self._open()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def page(self) -> Page:
        """The only page. WhatsApp Web allows one for each profile."""
        assert self._page is not None, "the browser is not open"
        return self._page

    @property
    def pid(self) -> int:
        """The browser's own process, which leads a process group of its own."""
        assert self._process is not None, "the browser is not open"
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the browser and its page are still there."""
        return (
            self._process is not None
            and self._process.is_running()
            and not is_zombie(self._process)
            and self._page is not None
            and not self._page.is_closed()
        )

    @property
    def has_failed(self) -> bool:
        """Whether it ended and nobody wanted that: by itself, or because its page did not answer."""
        return not self.is_alive and (self.watchdog.has_ended_it or not self._was_ended)

    @property
    def memory_bytes(self) -> int:
        """What all its processes take of the machine's memory."""
        return 0 if self._process is None else memory_of(self._process)

    def kill(self) -> None:
        """End the browser and its driver at once, from any thread; a step that waits in it then fails."""
        self._end_driver()  # first: it waits for nothing, and it has the program's standard error
        self._end_browser()

    def end_gently(self) -> None:
        """Let the browser end by itself, from any thread, so that its storage is whole; else kill it."""
        self._was_ended = True
        if self._process is not None:
            with suppress(psutil.NoSuchProcess):
                self._process.terminate()
            if not wait_until_gone([self._process], _END_ALLOWED):
                self.kill()
        else:
            self.kill()

    def close(self) -> None:
        """Close the browser so that the page's storage is intact; kill what remains.

        Returns within some ten seconds whatever the page does. Safe to call again.
        """
        self._page = None
        self._stack.close()
        self._driver = None  # from here on the profile may be another program's
        self.watchdog.close()

    def _open(self) -> None:
        options = self.options
        self._stack.enter_context(self.profile)
        temporary = self._stack.enter_context(TemporaryFolder(temporary_base(os.environ))).path
        version = browser_version(options.executable)
        self._driver = Driver()
        self._driver.start()
        self._stack.callback(self._driver.stop)
        # Before the context: a launch that hangs has a process without a context.
        self._stack.callback(self._end_remains)
        try:
            with self._driver.launching(self.profile.folder):
                context = self._launch(self._driver.playwright, version, temporary)
        except PlaywrightError as error:
            raise BrowserCrashedError(
                f"Chromium did not start ({options.executable}).",
                "Run `whatsapp-etl doctor`; as another user than root its sandbox needs user namespaces.",
            ) from error
        self._stack.callback(self._close_context, context)
        self._process = self._find_process()
        if self._was_ended:
            raise BrowserCrashedError("The browser was ended while it started.")
        if options.origin is not None:
            self._allow_storage(context, options.origin)
        with self.watchdog.step("opening an empty page", _LAUNCH_ALLOWED):
            self._page = _only_page(context)
        self._install_shield(context)

    def _launch(self, playwright: Playwright, version: str, temporary: Path) -> BrowserContext:
        options = self.options
        return playwright.chromium.launch_persistent_context(
            self.profile.folder,
            executable_path=options.executable,
            env={**os.environ, "TMPDIR": str(temporary)},
            artifacts_dir=temporary,
            headless=options.is_headless,
            # Playwright leaves the sandbox out unless asked; root cannot have one.
            chromium_sandbox=os.geteuid() != 0,
            args=[f"--lang={options.locale}", *_QUIET_FLAGS, *options.extra_flags],
            user_agent=ordinary_user_agent(version),
            locale=options.locale,
            timezone_id=options.timezone,
            viewport=_VIEWPORT,
            accept_downloads=False,
            # The program decides what a signal means; the browser is closed, not torn down.
            handle_sigint=False,
            handle_sigterm=False,
            handle_sighup=False,
            timeout=_LAUNCH_ALLOWED.total_seconds() * 1000,
        )

    def _install_shield(self, context: BrowserContext) -> None:
        """Shield every page to come, and prove it on an empty one before WhatsApp Web is opened."""
        with self.watchdog.step("shielding an empty page", _LAUNCH_ALLOWED):
            context.add_init_script(shield_script())
            self.page.goto("about:blank")
        verify_shield(self.page, self.watchdog)

    def _find_process(self) -> psutil.Process:
        found = find_browsers(self.profile.folder)
        if len(found) != 1:
            raise BrowserCrashedError(f"Expected one browser process on the profile, found {len(found)}.")
        return found[0]

    def _allow_storage(self, context: BrowserContext, origin: str) -> None:
        if context.browser is None:
            return
        with self.watchdog.step("allowing persistent storage", _LAUNCH_ALLOWED):
            # The permission lasts as long as the session that gave it, so it stays attached.
            session = context.browser.new_browser_cdp_session()
            # A refusal costs nothing: the page then keeps its storage as long as the disk has room.
            with suppress(PlaywrightError):
                session.send(
                    "Browser.setPermission",
                    {
                        "permission": {"name": "persistent-storage"},
                        "setting": "granted",
                        "origin": origin,
                    },
                )

    def _close_context(self, context: BrowserContext) -> None:
        # A browser that died, or is ended here because it does not answer, has nothing to close.
        with suppress(WhatsappEtlError):
            with self.watchdog.step("closing the browser", _CLOSE_ALLOWED):
                try:
                    # To Playwright 1.60 closing a dead browser is no error; asking it is (2026-11-28).
                    context.cookies("https://localhost")
                finally:
                    context.close()
            self.has_closed_cleanly = True

    def _end_browser(self) -> None:
        self._was_ended = True
        if self._process is not None:
            end_browser(self._process, _END_ALLOWED)
        elif self._driver is not None:  # it is just being started on the profile that is locked for it
            end_family(self.profile.folder, _END_ALLOWED)

    def _end_driver(self) -> None:
        if (driver := self._driver) is not None:
            driver.kill()

    def _end_remains(self) -> None:
        """Leave no process of this profile behind."""
        if self._process is not None and not wait_until_gone([self._process], _END_ALLOWED):
            self.has_closed_cleanly = False
        end_family(self.profile.folder, _END_ALLOWED)


def browser_version(executable: Path) -> str:
    """Return the browser's version, such as "156.0.8078.79".

    Raises:
        BrowserMissingError: The program does not tell one.
    """
    try:
        told = subprocess.run(  # noqa: S603 - the program that the user configured
            [executable, "--version"],
            capture_output=True,
            check=True,
            text=True,
            timeout=_VERSION_ALLOWED.total_seconds(),
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise BrowserMissingError(f"{executable} does not start.", "Set BROWSER_EXECUTABLE.") from error
    version = re.search(r"\d+(\.\d+)+", told)
    if version is None:
        raise BrowserMissingError(f"{executable} tells no version.", "Set BROWSER_EXECUTABLE.")
    return version[0]


def ordinary_user_agent(version: str) -> str:
    """Return what the same browser says of itself with a window.

    Chromium without a window says "HeadlessChrome", and WhatsApp Web then shows its page for
    unsupported browsers. Like Chrome's own, the text has the major version only; the client hints
    tell the full one truthfully in both cases (Chromium 156, 2026-11-20).
    """
    major = version.partition(".")[0]
    system = "Macintosh; Intel Mac OS X 10_15_7" if sys.platform == "darwin" else "X11; Linux x86_64"
    return f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{major}.0.0.0 Safari/537.36"


def _playwright_browsers() -> Iterator[Path]:
    """Yield what `playwright install chromium` left, the newest first."""
    caches: Sequence[Path] = (
        Path.home() / ".cache/ms-playwright",
        Path.home() / "Library/Caches/ms-playwright",
    )
    if configured := os.environ.get("PLAYWRIGHT_BROWSERS_PATH"):
        caches = (Path(configured),)
    folders = [folder for cache in caches for folder in cache.glob("chromium-*")]
    numbered = ((folder.name.rpartition("-")[2], folder) for folder in folders)
    for _, folder in sorted(((int(n), folder) for n, folder in numbered if n.isdigit()), reverse=True):
        # The mark is written last, so a broken download is not taken for a browser.
        if (folder / "INSTALLATION_COMPLETE").exists():
            yield from folder.glob("chrome-linux*/chrome")
            yield from folder.glob("chrome-mac*/*.app/Contents/MacOS/*")


def _only_page(context: BrowserContext) -> Page:
    first, *others = context.pages or [context.new_page()]
    for page in others:
        page.close()
    return first
