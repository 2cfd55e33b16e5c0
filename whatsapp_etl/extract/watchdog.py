"""A deadline for every step in the browser.

`page.evaluate` knows no time-out, and a page that loops never answers. So a thread of its own ends
the browser when a step passes its deadline; the step then fails instead of holding the cycle. Where that
does not end it, since Playwright's driver does not answer either, the driver is ended, too.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import structlog
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from whatsapp_etl.errors import (
    BrowserCrashedError,
    BrowserHungError,
    PageScriptError,
    PageTimeoutError,
    WhatsappEtlError,
)

log = structlog.get_logger(__name__)

#: How long a step may go on once its browser was ended.
_FAILS_WITHIN = timedelta(seconds=2)

#: How Playwright says that the page or the browser is gone.
_GONE = (
    "has been closed",
    "Target closed",
    "Target crashed",
    "Page crashed",
    "Connection closed",
    "Browser closed",
)


@dataclass(eq=False)
class _Step:
    name: str
    allowed: timedelta
    deadline: float  #: On the monotonic clock.
    has_passed: bool = False


class Watchdog:
    """Watches the steps of one browser.

    Args:
        end: Kills the browser, from the watchdog's thread.
        end_driver: Kills what stands between the browser and the step, when that does not end it.
    """

    def __init__(self, end: Callable[[], None], end_driver: Callable[[], None] = lambda: None) -> None:
        self._end = end
        self._end_driver = end_driver
        self._steps: list[_Step] = []
        self._changed = threading.Condition()
        self._is_closed = False
        self.has_ended_it = False  #: A step passed its deadline, so the browser was ended.
        self._thread: threading.Thread | None = None

    @contextmanager
    def step(self, name: str, allowed: timedelta) -> Iterator[None]:
        """Run a step that must end within `allowed`. Steps may be nested.

        Playwright's errors leave as errors of this program, chained to the original:

        Raises:
            BrowserHungError: The deadline passed and the browser was ended.
            BrowserCrashedError: It ended by itself.
            PageTimeoutError: A time-out of Playwright's own passed first.
            PageScriptError: The page refused, for example because a script of ours failed in it.
        """
        step = _Step(name, allowed, time.monotonic() + allowed.total_seconds())
        self._enter(step)
        try:
            yield
        except PlaywrightError as error:
            self._leave(step)
            self._raise_if_passed(step, error)
            if isinstance(error, PlaywrightTimeoutError):
                raise PageTimeoutError(f"{name}: timed out.") from error
            if any(sign in error.message for sign in _GONE):
                raise BrowserCrashedError(f"{name}: the browser or its page ended.") from error
            raise PageScriptError(f"{name}: the page refused.") from error
        except WhatsappEtlError as error:
            self._leave(step)
            self._raise_if_passed(step, error)
            raise
        except BaseException as error:
            # What the driver's end raises is not always an error of Playwright's.
            self._leave(step)
            self._raise_if_passed(step, error)
            raise
        finally:
            self._leave(step)
        self._raise_if_passed(step, None)

    def close(self) -> None:
        """End the watching thread."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _enter(self, step: _Step) -> None:
        with self._changed:
            self._steps.append(step)
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="browser-watchdog", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def _leave(self, step: _Step) -> None:
        with self._changed:
            if step in self._steps:
                self._steps.remove(step)
            self._changed.notify_all()

    def _raise_if_passed(self, step: _Step, cause: BaseException | None) -> None:
        if step.has_passed:
            seconds = step.allowed.total_seconds()
            raise BrowserHungError(
                f"{step.name}: no end within {seconds:g} s, so the browser was ended."
            ) from cause

    def _watch(self) -> None:
        while (step := self._next_passed()) is not None:
            self.has_ended_it = True
            log.warning("browser_ended", step=step.name, deadline_seconds=step.allowed.total_seconds())
            self._end()
            if not self._has_left(step, _FAILS_WITHIN):
                log.warning("driver_ended", cause=step.name, deadline_seconds=_FAILS_WITHIN.total_seconds())
                self._end_driver()

    def _has_left(self, step: _Step, within: timedelta) -> bool:
        with self._changed:
            return self._changed.wait_for(
                lambda: self._is_closed or step not in self._steps, within.total_seconds()
            )

    def _next_passed(self) -> _Step | None:
        """Mark and return the next step whose deadline has passed; None once closed."""
        with self._changed:
            while not self._is_closed:
                waiting = [step for step in self._steps if not step.has_passed]
                now = time.monotonic()
                for step in waiting:
                    if step.deadline <= now:
                        step.has_passed = True
                        return step
                self._changed.wait(min((step.deadline - now for step in waiting), default=None))
        return None
