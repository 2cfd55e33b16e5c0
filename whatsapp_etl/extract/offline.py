"""A look into a profile without the network: whether its login can be opened, and whose it is.

WhatsApp Web is not loaded. An empty page stands in for it at its address, since storage belongs to the
address, and no name is resolved meanwhile; so the service never sees this browser.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import Route

from whatsapp_etl.extract.browser import Browser, BrowserOptions
from whatsapp_etl.extract.page_script import read_answer
from whatsapp_etl.extract.scripts import read_script

_DATABASE = "model-storage"
_NO_NETWORK = ("--host-resolver-rules=MAP * ~NOTFOUND", "--disable-background-networking")
_LOOK_ALLOWED = timedelta(seconds=60)


def account_in(profile: Path, options: BrowserOptions) -> str | None:
    """Return the id of the account that is logged in in a profile; None where no login can be opened.

    The profile is changed by that, as by every browser: give it a copy.

    Raises:
        WhatsappEtlError: The browser does not start, or does not answer.
    """
    assert options.origin is not None, "storage belongs to an origin"
    offline = replace(
        options, is_headless=True, origin=None, extra_flags=(*options.extra_flags, *_NO_NETWORK)
    )
    with Browser(profile, offline) as browser:
        page = browser.page
        with browser.watchdog.step("opening a copy of the profile", _LOOK_ALLOWED):
            page.context.route("**/*", _answer_empty)
            page.goto(options.origin)
            databases = read_answer(page.evaluate(read_script("databases")))
            account = read_answer(page.evaluate(read_script("account"), {"database": _DATABASE}))
    return account["id"] if account is not None and databases > 0 else None


def _answer_empty(route: Route) -> None:
    route.fulfill(content_type="text/html", body="<!doctype html><title>empty</title>")
