"""The check of the focus shield can fail: browsers in which it is missing or incomplete."""

import pytest

from tests.e2e.watchful_pages import PAGES, focus, notices
from whatsapp_etl.errors import ShieldError
from whatsapp_etl.extract.session import Session
from whatsapp_etl.extract.shield import shield_script, verify_shield


def test_without_the_shield_the_page_learns_of_it(open_unshielded, serve_pages):
    page = open_unshielded(url=serve_pages(PAGES).url).page

    focus(page)

    assert notices(page)["atStart"] is True
    assert notices(page)["focus"] > 0


def test_the_check_fails_without_the_shield(open_unshielded, serve_pages):
    browser = open_unshielded(url=serve_pages(PAGES).url)

    with pytest.raises(ShieldError, match="the document has focus"):
        verify_shield(browser.page, browser.watchdog)


@pytest.mark.matrix
def test_the_check_fails_where_only_the_focus_event_comes_through(open_unshielded, serve_pages):
    browser = open_unshielded()
    browser.page.add_init_script(
        "Object.defineProperty(Document.prototype, 'hasFocus', "
        "{ value: () => false, configurable: false, writable: false });"
    )
    browser.page.goto(serve_pages(PAGES).url)

    with pytest.raises(ShieldError, match="window focus comes through"):
        verify_shield(browser.page, browser.watchdog)


@pytest.mark.matrix
def test_the_check_fails_when_one_frame_of_many_is_not_shielded(open_unshielded, serve_pages):
    browser = open_unshielded()
    browser.page.add_init_script(f"if (window === window.top) {{ {shield_script()} }}")
    browser.page.goto(serve_pages(PAGES).url)

    with pytest.raises(ShieldError):
        verify_shield(browser.page, browser.watchdog)


def test_a_session_opens_nothing_without_the_shield_and_ends_the_browser(
    open_unshielded, open_session, serve_pages
):
    browser = open_unshielded()

    with pytest.raises(ShieldError):
        open_session(serve_pages(PAGES).url, browser, Session)

    assert not browser.is_alive
