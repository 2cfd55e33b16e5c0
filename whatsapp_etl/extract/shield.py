"""The focus shield: reading must not be seen, so the page never learns that it has focus.

It is checked, not believed, and fails closed.
"""

from __future__ import annotations

from datetime import timedelta

from playwright.sync_api import Page

from whatsapp_etl.errors import ShieldError
from whatsapp_etl.extract.scripts import read_script
from whatsapp_etl.extract.watchdog import Watchdog

_ALLOWED = timedelta(seconds=20)


def shield_script() -> str:
    """Return the script that every frame runs before any script of the page."""
    return read_script("shield")


def verify_shield(page: Page, watchdog: Watchdog) -> None:
    """Return when the shield holds in every frame of `page`.

    Raises:
        ShieldError: It does not; the page must be closed and nothing opened in it.
    """
    check = read_script("shield_check")
    with watchdog.step("checking the focus shield", _ALLOWED):
        reasons = {reason for frame in page.frames for reason in frame.evaluate(check)}
    if reasons:
        raise ShieldError(
            f"The focus shield does not hold: {', '.join(sorted(reasons))}.",
            "No chat is opened, because reading would send read receipts. Please report this.",
        )
