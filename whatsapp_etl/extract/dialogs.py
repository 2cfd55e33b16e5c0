"""What stands before the chats: dialogs that only inform are closed, every other one is left to a person.

Which ones are harmless is the pack's to say, each with title and buttons. A dialog that is not known is
never touched, nor any other while it is there; a picture of it, blurred until nothing can be read, is kept
for whoever has to find out what it wants. No key is ever pressed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta

from playwright.sync_api import Error as PlaywrightError

from whatsapp_etl.errors import UnknownDialogError
from whatsapp_etl.extract.browser import Browser
from whatsapp_etl.extract.scripts import read_script
from whatsapp_etl.model import SelectorPack

#: An introduction may take a moment to become complete; after this a dialog counts as not known.
UNKNOWN_ALLOWED = timedelta(seconds=10)

_PARTS = ("dialog", "dialog_around", "dialog_button")
_CLICK_ALLOWED = timedelta(seconds=5)
_GRACE = timedelta(seconds=20)


class Dialogs:
    """The dialogs of one page.

    Args:
        browser: Open on WhatsApp Web.
        packs: All packs as one: what dialogs are, and which of them are harmless.
        keep: Keeps a picture (PNG) where nothing can be read any more, and says where.
    """

    def __init__(self, browser: Browser, packs: SelectorPack, keep: Callable[[bytes], str]) -> None:
        self._browser = browser
        self._parts = {
            "select": {name: list(packs[name].candidates) for name in _PARTS if name in packs.selectors},
            "label": {name: list(packs.labels.get(name, ())) for name in ("conflict", "take_over")},
            "harmless": [asdict(each) for each in packs.harmless],
        }
        self._keep = keep

    def dismiss(self) -> bool:
        """Close one dialog that only informs; False when there is none."""
        return self._press("dialog_button", "closing a dialog")

    def take_over(self) -> bool:
        """Press what takes the session over from another window; False when that is not asked."""
        return self._press("take_over_button", "taking the session over")

    def _press(self, script: str, step: str) -> bool:
        with self._browser.watchdog.step(step, _CLICK_ALLOWED + _GRACE):
            button = self._browser.page.evaluate_handle(read_script(script), self._parts).as_element()
            if button is None:
                return False
            try:
                button.click(timeout=_CLICK_ALLOWED.total_seconds() * 1000)
            except PlaywrightError:
                return False  # It went away by itself, or something covers it: the next look tells.
        return True

    def unknown(self) -> UnknownDialogError:
        """Return the error that tells of a dialog which nobody knows, with the place of its picture."""
        with self._browser.watchdog.step("taking a picture of a dialog", _GRACE):
            picture = self._keep(self._browser.page.screenshot(scale="css"))
        return UnknownDialogError(
            f"A dialog that is not known covers WhatsApp Web; the blurred picture of it: {picture}.",
            "Nothing of it was pressed. Answer it in the window of `whatsapp-etl login`.",
        )
