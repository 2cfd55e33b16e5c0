"""Sessions over more than one browser, and in one that is not as it should be."""

from datetime import timedelta

import pytest

from whatsapp_etl.errors import BrowserCrashedError, PageTimeoutError
from whatsapp_etl.extract.login import wait_until_linked
from whatsapp_etl.model import SessionState
from whatsapp_etl.simulator.phone import Phone

SOON = timedelta(seconds=60)
LIST = (
    '<!doctype html><div id="app"><div id="pane-side">'
    '<div data-testid="chat-list"><div role="grid"></div></div></div></div>'
)
QR = '<!doctype html><div id="app"><div data-ref="2@one,key"><canvas></canvas></div></div>'


@pytest.mark.matrix
def test_a_logout_is_told_in_the_next_browser_too(serve_pages, open_session, open_browser):
    pages = serve_pages({"/": LIST})
    first = open_browser()
    open_session(pages.url, first).wait_until_ready(SOON)
    first.close()
    pages.pages["/"] = QR

    assert open_session(pages.url).state is SessionState.LOGGED_OUT


def test_a_browser_that_dies_is_a_crashed_session(serve_pages, open_session, open_browser):
    browser = open_browser()
    session = open_session(serve_pages({"/": LIST}).url, browser)
    browser.kill()

    with pytest.raises(BrowserCrashedError):
        session.poll()

    assert session.state is SessionState.CRASHED


def test_an_address_nobody_serves_is_an_error_that_says_what_to_check(open_session, serve_pages):
    pages = serve_pages({})
    pages.close()

    with pytest.raises(PageTimeoutError, match="WHATSAPP_URL"):
        open_session(pages.url)


@pytest.mark.matrix
def test_the_login_is_kept_in_the_profile(start_simulator, open_session, open_browser):
    simulator = start_simulator(linked=False)
    first = open_browser()
    wait_until_linked(open_session(simulator.url, first), SOON, Phone(simulator))
    first.close()

    session = open_session(simulator.url)
    session.wait_until_ready(SOON)

    assert session.state is SessionState.READY


@pytest.mark.matrix
def test_a_browser_that_names_itself_headless_is_not_supported(
    simulator, open_session, open_browser, monkeypatch
):
    monkeypatch.setattr(
        "whatsapp_etl.extract.browser.ordinary_user_agent", lambda version: f"HeadlessChrome/{version}"
    )

    assert open_session(simulator.url).state is SessionState.UNSUPPORTED
