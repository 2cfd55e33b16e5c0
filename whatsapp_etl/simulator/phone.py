"""The account's phone, as whoever shows it a code needs it."""

from __future__ import annotations

from typing import Protocol

from whatsapp_etl.simulator.client import ControlClient


class Showing(Protocol):
    """What a login shows at one look."""

    @property
    def qr_payload(self) -> str | None: ...


class Phone:
    """Scans each code that it is shown, once however often it is shown, or only the nth one."""

    def __init__(self, simulator: ControlClient, *, scans_nth: int | None = None) -> None:
        self._simulator = simulator
        self._scans_nth = scans_nth
        self.seen: list[str] = []  #: The text of each code, in order.

    def __call__(self, step: Showing) -> None:
        if step.qr_payload is None or step.qr_payload in self.seen[-1:]:
            return
        if len(self.seen) == self._scans_nth:
            return  # put away: the page may show another code before it hears of the scan
        self.seen.append(step.qr_payload)
        if self._scans_nth is None or len(self.seen) == self._scans_nth:
            self._simulator.scan()
