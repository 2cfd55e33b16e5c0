"""The login screen's other way: country and number in, and a code out that is typed on the phone.

The number goes into the page's form and nowhere else; no error repeats it.
"""

from __future__ import annotations

import re
from datetime import timedelta

from playwright.sync_api import ElementHandle, Page

from whatsapp_etl.errors import SelectorDriftError, SessionNeedsPersonError
from whatsapp_etl.extract.qr_life import LINK_CODE_RENEWALS
from whatsapp_etl.extract.scripts import read_script
from whatsapp_etl.extract.watchdog import Watchdog
from whatsapp_etl.model import SelectorPack
from whatsapp_etl.phone_numbers import OwnNumber

_APPEARS_WITHIN = timedelta(seconds=10)
_CODE_WITHIN = timedelta(seconds=30)
_CLICK_ALLOWED = timedelta(seconds=5)
_GRACE = timedelta(seconds=20)
_CODE = re.compile(r"[A-Z0-9]{8}")


class PhoneLink:
    """The form and the code of one page.

    Args:
        page: Where the login screen is shown.
        watchdog: Ends the browser when a step hangs.
        pack: All packs as one: no page before the chat list tells its shape.
    """

    def __init__(self, page: Page, watchdog: Watchdog, pack: SelectorPack) -> None:
        self._page = page
        self._watchdog = watchdog
        self._pack = pack
        self._renewals = 0

    def ask(self, number: OwnNumber) -> None:
        """Ask for a code for `number`; return when one is shown.

        Raises:
            SelectorDriftError: A part of the form is not found, or no code comes.
            SessionNeedsPersonError: The form does not take the number as it is.
        """
        self._click("phone_link", "phone_link")
        box = self._need("phone_input")
        if number.country:
            self._choose_country(number.country)
        held = self._digits(box)
        if held != number.calling_code:
            # The list does not name the country so, or its code is shown elsewhere than in the field.
            self._write(box, f"+{number.digits}")
        else:
            self._write(box, f"+{held} {number.national}")
        if self._digits(box) != number.digits:
            raise SessionNeedsPersonError(
                "The page's form does not take the phone number.",
                "Scan the QR code instead: `whatsapp-etl login` without --phone.",
            )
        self._click("phone_next", "phone_next", is_whole=True)
        if self._find("link_code", wait=_CODE_WITHIN) is None:
            raise SessionNeedsPersonError(
                "The page gave no code for this phone number.",
                "Check the number, wait some minutes if it was tried often, or scan the QR code instead.",
            )

    def code(self) -> str | None:
        """Return the eight characters that are typed on the phone; None while none is shown."""
        cells = self._find("link_code")
        if cells is None:
            return None
        text = re.sub(
            r"[^A-Za-z0-9]", "", cells.get_attribute(self._pack.attributes["link_code"]) or ""
        ).upper()
        if not _CODE.fullmatch(text):
            raise SelectorDriftError(
                "The pairing code on the page does not have eight characters.",
                "WhatsApp Web has probably changed. Scan the QR code instead.",
            )
        return text

    def renew(self) -> bool:
        """Ask for the next code when the one shown has expired; False when it has not.

        Raises:
            SessionNeedsPersonError: That was asked for as often as the page allows.
        """
        if self._find("link_code_expired", "link_code_expired", is_whole=True) is None:
            return False
        button = self._find("link_code_renew", "link_code_renew")
        if button is None or self._renewals >= LINK_CODE_RENEWALS:
            raise SessionNeedsPersonError(
                f"The pairing code expired {self._renewals + 1} times and nobody typed it.",
                "Run `whatsapp-etl login --phone` again when the phone is at hand.",
            )
        self._renewals += 1
        self._press(button, "asking for a new pairing code")
        self._find("link_code", wait=_CODE_WITHIN)
        return True

    # --- the form -----------------------------------------------------------------------------

    def _choose_country(self, country: str) -> None:
        """Choose it in the list; where the list is not there or names it otherwise, leave it as it is."""
        opener = self._find("phone_country")
        if opener is None:
            return
        self._press(opener, "opening the list of countries")
        search = self._find("phone_country_search", wait=_APPEARS_WITHIN)
        if search is not None:
            self._write(search, country)
        item = self._find("phone_country_item", words=(country,), wait=_APPEARS_WITHIN / 5)
        if item is None:
            self._press(opener, "closing the list of countries")
            return
        self._press(item, "choosing the country")

    def _digits(self, box: ElementHandle) -> str:
        with self._watchdog.step("reading the form", _GRACE):
            return re.sub(r"\D", "", box.input_value())

    def _write(self, box: ElementHandle, text: str) -> None:
        with self._watchdog.step("filling the form", _CLICK_ALLOWED + _GRACE):
            box.fill(text, timeout=_ms(_CLICK_ALLOWED))

    def _click(self, name: str, label: str, *, is_whole: bool = False) -> None:
        self._press(self._need(name, label, is_whole=is_whole), f"pressing {name}")

    def _press(self, element: ElementHandle, step: str) -> None:
        with self._watchdog.step(step, _CLICK_ALLOWED + _GRACE):
            element.click(timeout=_ms(_CLICK_ALLOWED))

    def _need(self, name: str, label: str | None = None, *, is_whole: bool = False) -> ElementHandle:
        found = self._find(name, label, is_whole=is_whole, wait=_APPEARS_WITHIN)
        if found is None:
            raise SelectorDriftError(
                f"The login screen has no {name}.",
                "WhatsApp Web has probably changed. Scan the QR code instead: `whatsapp-etl login`.",
            )
        return found

    def _find(
        self,
        name: str,
        label: str | None = None,
        *,
        words: tuple[str, ...] = (),
        is_whole: bool = False,
        wait: timedelta = timedelta(0),
    ) -> ElementHandle | None:
        argument = {
            "candidates": list(self._pack[name].candidates),
            "words": list(self._pack.labels[label]) if label else list(words),
            "whole": is_whole or bool(words),
            "wait_ms": _ms(wait),
        }
        with self._watchdog.step(f"looking for {name}", wait + _GRACE):
            return self._page.evaluate_handle(read_script("login_part"), argument).as_element()


def _ms(span: timedelta) -> float:
    return span.total_seconds() * 1000
