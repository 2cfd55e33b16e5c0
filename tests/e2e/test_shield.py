"""The focus shield in a real browser: the page never learns of a focus, and the check can fail."""

from datetime import timedelta

import pytest

from whatsapp_etl.errors import ShieldError
from whatsapp_etl.extract.session import Session
from whatsapp_etl.extract.shield import shield_script, verify_shield

#: Notes what it is told of a focus from its first line on, as WhatsApp Web does.
WATCHFUL = """
window.noticed = { atStart: document.hasFocus(), focus: 0, elementFocus: 0 };
window.addEventListener("focus", () => { window.noticed.focus += 1; });
window.onfocus = () => { window.noticed.focus += 1; };
document.addEventListener("focus", () => { window.noticed.elementFocus += 1; }, true);
"""
PAGES = {
    "/": '<!doctype html><script src="/page.js"></script><input id="box"><button>b</button>'
    '<iframe src="/inner"></iframe>',
    "/inner": '<!doctype html><script src="/page.js"></script>',
    "/page.js": WATCHFUL,
    "/empty": "<!doctype html>",
}
ALLOWED = timedelta(seconds=10)


def notices(frame):
    return frame.evaluate("() => window.noticed")


def focus(page):
    page.click("button")
    page.focus("#box")
    page.evaluate("() => { window.dispatchEvent(new FocusEvent('focus')); }")


def test_no_frame_learns_of_a_focus(open_browser, serve_pages):
    page = open_browser(url=serve_pages(PAGES).url).page

    focus(page)

    for frame in page.frames:
        assert notices(frame)["atStart"] is False
        assert notices(frame)["focus"] == 0
        assert frame.evaluate("() => document.hasFocus()") is False
        assert frame.evaluate("() => document.visibilityState") == "visible"


def test_without_the_shield_the_page_learns_of_it(open_unshielded, serve_pages):
    page = open_unshielded(url=serve_pages(PAGES).url).page

    focus(page)

    assert notices(page)["atStart"] is True
    assert notices(page)["focus"] > 0


def test_elements_of_the_page_are_focused_clicked_and_typed_into_as_usual(open_browser, serve_pages):
    page = open_browser(url=serve_pages(PAGES).url).page

    page.click("#box")
    page.keyboard.type("hello")

    assert page.input_value("#box") == "hello"
    assert notices(page)["elementFocus"] > 0


def test_a_frame_that_the_page_makes_later_is_shielded_too(open_browser, serve_pages):
    page = open_browser(url=serve_pages(PAGES).url).page

    asked = page.evaluate(
        """() => {
            const frame = document.createElement("iframe");
            document.body.append(frame);
            const theirs = frame.contentWindow.Document.prototype.hasFocus;
            return [frame.contentDocument.hasFocus(), theirs.call(document)];
        }"""
    )

    assert asked == [False, False]


def test_the_page_cannot_take_the_shield_away(open_browser, serve_pages):
    browser = open_browser(url=serve_pages(PAGES).url)

    browser.page.evaluate(
        """() => {
            try { Document.prototype.hasFocus = () => true; } catch {}
            try { delete Document.prototype.hasFocus; } catch {}
            try { Object.defineProperty(Document.prototype, "hasFocus", { value: () => true }); } catch {}
        }"""
    )

    verify_shield(browser.page, browser.watchdog)


def test_the_shield_stays_through_navigation_and_reload(open_browser, serve_pages):
    browser = open_browser(url=serve_pages(PAGES).url)

    browser.page.reload()
    verify_shield(browser.page, browser.watchdog)
    browser.page.goto(browser.page.url + "empty")
    verify_shield(browser.page, browser.watchdog)


def test_the_check_fails_without_the_shield(open_unshielded, serve_pages):
    browser = open_unshielded(url=serve_pages(PAGES).url)

    with pytest.raises(ShieldError, match="the document has focus"):
        verify_shield(browser.page, browser.watchdog)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [("hasFocus", "() => false", "covered"), ("visibilityState", "'hidden'", "the page is hidden")],
)
def test_the_check_fails_where_the_page_covers_what_is_checked(
    open_browser, serve_pages, name, value, reason
):
    browser = open_browser(url=serve_pages(PAGES).url)
    browser.page.evaluate(f"() => {{ Object.defineProperty(document, '{name}', {{ value: {value} }}); }}")

    with pytest.raises(ShieldError, match=reason):
        verify_shield(browser.page, browser.watchdog)


def test_the_check_fails_where_only_the_focus_event_comes_through(open_unshielded, serve_pages):
    browser = open_unshielded()
    browser.page.add_init_script(
        "Object.defineProperty(Document.prototype, 'hasFocus', "
        "{ value: () => false, configurable: false, writable: false });"
    )
    browser.page.goto(serve_pages(PAGES).url)

    with pytest.raises(ShieldError, match="window focus comes through"):
        verify_shield(browser.page, browser.watchdog)


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
