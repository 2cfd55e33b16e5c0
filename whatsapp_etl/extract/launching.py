"""The start of a browser that ends in the middle of it.

Where Chromium ends after it has answered and before its first page is ready, Playwright waits for the rest of
the launch's time (1.65 with Chromium 156, 2026-11-29). So the process is looked at meanwhile; once it is gone
the driver is ended, with which every call that waits in it fails. The driver has this program's standard
error, so whoever reads that to its end waits for the driver, too.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psutil
import structlog
from playwright.sync_api import Playwright, sync_playwright

from whatsapp_etl.extract.processes import arguments_of, children_of, find_browsers, wait_until_gone

log = structlog.get_logger(__name__)

_ARGUMENT = "run-driver"
_LOOK_EVERY_SECONDS = 0.5
_START_ALLOWED_SECONDS = 60.0
_STOP_ALLOWED_SECONDS = 3.0
#: Until then a browser is there, unless it came and went between two looks.
_SEEN_WITHIN_SECONDS = 10.0
_AT_ONCE = timedelta(0)


def _drivers() -> frozenset[psutil.Process]:
    """Return the drivers that this program has started."""
    children = children_of(psutil.Process(), recursive=False)
    return frozenset(child for child in children if _ARGUMENT in arguments_of(child))


class Driver:
    """Playwright's own process, through which this one talks to the browser."""

    def __init__(self) -> None:
        self._others = _drivers()
        self._own: frozenset[psutil.Process] | None = None
        self.playwright: Playwright

    def start(self) -> None:
        """Start it; it can be ended already while it hangs at that."""
        with self._within("start", _START_ALLOWED_SECONDS):
            self.playwright = sync_playwright().start()
        self._own = _drivers() - self._others

    def stop(self) -> None:
        """End it; by force where it does not end by itself."""
        with self._within("stop", _STOP_ALLOWED_SECONDS):
            self.playwright.stop()

    def kill(self) -> None:
        """End it at once, from any thread; a call that waits in it fails."""
        for process in _drivers() - self._others if self._own is None else self._own:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    @contextlib.contextmanager
    def _within(self, cause: str, allowed: float) -> Iterator[None]:
        late = threading.Timer(allowed, self._end, (cause, allowed))
        late.daemon = True
        late.start()
        try:
            yield
        finally:
            late.cancel()

    def _end(self, cause: str, allowed: float) -> None:
        log.warning("driver_ended", cause=cause, deadline_seconds=allowed)
        self.kill()

    @contextlib.contextmanager
    def launching(self, profile: Path) -> Iterator[None]:
        """Let the launch inside fail soon after the browser of `profile` has ended."""
        has_ended = threading.Event()
        watcher = threading.Thread(
            target=self._watch, args=(profile, has_ended), name="browser-launch", daemon=True
        )
        watcher.start()
        try:
            yield
        finally:
            has_ended.set()
            watcher.join()

    def _watch(self, profile: Path, has_ended: threading.Event) -> None:
        seen: list[psutil.Process] = []
        begun = time.monotonic()
        while not has_ended.wait(_LOOK_EVERY_SECONDS):
            if not seen:
                seen = list(find_browsers(profile))
                if not seen and time.monotonic() - begun > _SEEN_WITHIN_SECONDS:
                    self._end("no_browser", _SEEN_WITHIN_SECONDS)
                    return
            # A look later than the end was noticed: mostly Playwright says by itself what it knows of it.
            elif wait_until_gone(seen, _AT_ONCE):
                if not has_ended.wait(_LOOK_EVERY_SECONDS):
                    self._end("browser_gone", _LOOK_EVERY_SECONDS)
                return
