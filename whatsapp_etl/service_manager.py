"""What systemd is told (sd_notify): ready, how it stands, still alive, stopping.

A manager that is not there, or that is gone, costs nothing: the program serves all the same.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping

import structlog

log = structlog.get_logger(__name__)

_MICROSECONDS = 1_000_000


class ServiceManager:
    """The manager that started this program, if one did. Belongs to the main thread.

    Args:
        environment: Where `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` stand.
        clock: Seconds that nobody sets.
    """

    def __init__(self, environment: Mapping[str, str], clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._address = environment.get("NOTIFY_SOCKET", "")
        self._alive_every = _alive_every(environment)
        self._alive_at: float | None = None
        self._status: str | None = None
        self._is_ready = False

    def serving(self, status: str) -> None:
        """Tell that the program serves, how it stands where that is new, and when due that it is alive."""
        told = []
        if not self._is_ready:
            told.append("READY=1")
            self._is_ready = True
        if status != self._status:
            told.append(f"STATUS={status}")
            self._status = status
        now = self._clock()
        if self._alive_every and (self._alive_at is None or now - self._alive_at >= self._alive_every):
            told.append("WATCHDOG=1")
            self._alive_at = now
        self._tell(told)

    def stopping(self) -> None:
        """Tell that the program is ending."""
        self._tell(["STOPPING=1", "STATUS=Closing the browser."])

    def _tell(self, lines: list[str]) -> None:
        if not self._address or not lines:
            return
        # An address that begins with "@" is one without a file, written with a leading NUL.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
                out.settimeout(0)
                out.sendto("\n".join(lines).encode(), address)
        except OSError as error:
            log.warning("service_manager_not_told", reason=error.strerror or type(error).__name__)


def _alive_every(environment: Mapping[str, str]) -> float:
    """Return after how many seconds to say so: half of what is allowed; 0 for never."""
    allowed = environment.get("WATCHDOG_USEC", "")
    meant_for = environment.get("WATCHDOG_PID", "")
    if not allowed.isdecimal() or (meant_for and meant_for != str(os.getpid())):
        return 0
    return int(allowed) / _MICROSECONDS / 2
