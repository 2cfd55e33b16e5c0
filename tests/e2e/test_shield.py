"""The focus shield in a real browser: the page never learns of a focus."""

import pytest

from tests.e2e.watchful_pages import PAGES, focus, notices
from whatsapp_etl.errors import ShieldError
from whatsapp_etl.extract.shield import verify_shield


@pytest.fixture
def open_page(shared_browser, serve_pages):
    """Open the watchful page in the module's shielded browser."""

    def open_():
        shared_browser.page.goto(serve_pages(PAGES).url)
        return shared_browser.page

    return open_


def test_no_frame_learns_of_a_focus(open_page):
    page = open_page()

    focus(page)

    for frame in page.frames:
        assert notices(frame)["atStart"] is False
        assert notices(frame)["focus"] == 0
        assert frame.evaluate("() => document.hasFocus()") is False
        assert frame.evaluate("() => document.visibilityState") == "visible"


def test_elements_of_the_page_are_focused_clicked_and_typed_into_as_usual(open_page):
    page = open_page()

    page.click("#box")
    page.keyboard.type("hello")

    assert page.input_value("#box") == "hello"
    assert notices(page)["elementFocus"] > 0


def test_a_frame_that_the_page_makes_later_is_shielded_too(open_page):
    page = open_page()

    asked = page.evaluate(
        """() => {
            const frame = document.createElement("iframe");
            document.body.append(frame);
            const theirs = frame.contentWindow.Document.prototype.hasFocus;
            return [frame.contentDocument.hasFocus(), theirs.call(document)];
        }"""
    )

    assert asked == [False, False]


def test_the_page_cannot_take_the_shield_away(open_page, shared_browser):
    open_page()

    shared_browser.page.evaluate(
        """() => {
            try { Document.prototype.hasFocus = () => true; } catch {}
            try { delete Document.prototype.hasFocus; } catch {}
            try { Object.defineProperty(Document.prototype, "hasFocus", { value: () => true }); } catch {}
        }"""
    )

    verify_shield(shared_browser.page, shared_browser.watchdog)


def test_the_shield_stays_through_navigation_and_reload(open_page, shared_browser):
    open_page()

    shared_browser.page.reload()
    verify_shield(shared_browser.page, shared_browser.watchdog)
    shared_browser.page.goto(shared_browser.page.url + "empty")
    verify_shield(shared_browser.page, shared_browser.watchdog)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [("hasFocus", "() => false", "covered"), ("visibilityState", "'hidden'", "the page is hidden")],
)
def test_the_check_fails_where_the_page_covers_what_is_checked(
    open_page, shared_browser, name, value, reason
):
    open_page()
    shared_browser.page.evaluate(
        f"() => {{ Object.defineProperty(document, '{name}', {{ value: {value} }}); }}"
    )

    with pytest.raises(ShieldError, match=reason):
        verify_shield(shared_browser.page, shared_browser.watchdog)
