"""The start of a browser that ends in the middle of it.

Where Chromium ends after it has answered and before its first page is ready, Playwright waits for the rest of
the launch's time (1.65 with Chromium 156, 2026-11-29). So the process is looked at meanwhile; once it is gone
the driver is ended, with which every call that waits in it fails.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psutil
from playwright.sync_api import Playwright, sync_playwright

from whatsapp_etl.extract.processes import find_browsers, wait_until_gone

_LOOK_EVERY_SECONDS = 0.5
_STOP_ALLOWED_SECONDS = 5.0
_AT_ONCE = timedelta(0)


class Driver:
    """Playwright's own process, through which this one talks to the browser."""

    def __init__(self) -> None:
        before = set(psutil.Process().children())
        self.playwright: Playwright = sync_playwright().start()
        self._started = [child for child in psutil.Process().children() if child not in before]

    def stop(self) -> None:
        """End it; by force where it does not end by itself."""
        late = threading.Timer(_STOP_ALLOWED_SECONDS, self.kill)
        late.start()
        try:
            self.playwright.stop()
        finally:
            late.cancel()

    def kill(self) -> None:
        """End it at once, from any thread; a call that waits in it fails."""
        for process in self._started:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

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
        while not has_ended.wait(_LOOK_EVERY_SECONDS):
            if not seen:
                seen = list(find_browsers(profile))
            # A look later than the end was noticed: mostly Playwright says by itself what it knows of it.
            elif wait_until_gone(seen, _AT_ONCE):
                if not has_ended.wait(_LOOK_EVERY_SECONDS):
                    self.kill()
                return
