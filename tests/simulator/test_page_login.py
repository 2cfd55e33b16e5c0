"""Login on the stand-in's page: QR code, its rotation and end, and what is kept in the profile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import segno
from playwright.sync_api import Browser, Page, Route

from tests.fixtures.page import ORDINARY_AGENT, Visit, launch_arguments
from whatsapp_etl.simulator.serve import RunningSimulator

StartSimulator = Callable[..., RunningSimulator]
CODE = "[data-testid=link-device-qr-code]"
LIST = "#pane-side [role=row]"


@pytest.fixture
def unlinked(start_simulator: StartSimulator) -> RunningSimulator:
    return start_simulator(linked=False)


def shown_code(page: Page) -> str:
    return page.locator(CODE).get_attribute("data-ref") or ""


def dark_modules(page: Page, size: int) -> list[list[bool]]:
    """Read the canvas as the grid of a code with `size` modules a side and a margin of two."""
    return page.evaluate(  # type: ignore[no-any-return]
        """size => {
            const canvas = document.querySelector("canvas");
            const context = canvas.getContext("2d");
            const scale = canvas.width / (size + 4);
            const middle = at => Math.floor((at + 2.5) * scale);
            const cells = Array.from({length: size}, (_, at) => at);
            const isDark = (x, y) => context.getImageData(middle(x), middle(y), 1, 1).data[0] < 128;
            return cells.map(y => cells.map(x => isDark(x, y)));
        }""",
        size,
    )


def test_a_fresh_profile_is_asked_to_scan_a_code(unlinked, visit: Visit):
    page = visit(unlinked.url, wait=f"{CODE} canvas")

    assert shown_code(page).startswith("https://wa.me/settings/linked_devices#")
    assert page.get_by_text("Scan to log in").is_visible()
    assert page.locator("#wa_web_initial_startup").count() == 0
    assert page.locator("#pane-side").count() == 0


def test_the_canvas_holds_the_code_of_the_payload(unlinked, visit: Visit):
    page = visit(unlinked.url, wait=f"{CODE} canvas")
    # A text that fills its version exactly leaves no padding, about which encoders differ.
    payload = "A" * 230

    matrix = page.evaluate("async text => (await import('/static/qr.js')).qrMatrix(text)", payload)

    standard = segno.make(payload, error="l", mode="byte", mask=0, boost_error=False, micro=False)
    assert matrix == [[bool(module) for module in row] for row in standard.matrix]
    own = page.evaluate("async text => (await import('/static/qr.js')).qrMatrix(text)", shown_code(page))
    assert dark_modules(page, len(own)) == own


def test_scanning_the_code_leads_to_the_chats(unlinked, visit: Visit):
    page = visit(unlinked.url, wait=f"{CODE} canvas")

    unlinked.scan()

    page.wait_for_selector(LIST)
    assert page.locator(CODE).count() == 0


def test_loading_is_shown_until_the_history_is_written(unlinked, visit: Visit):
    unlinked.set_config(loading_hangs=True)
    page = visit(unlinked.url, wait=f"{CODE} canvas")

    unlinked.scan()

    page.wait_for_selector("#app progress")
    assert "Loading your chats" in page.locator("[data-testid=wa-web-loading-screen]").inner_text()
    assert page.locator("#pane-side").count() == 0


@pytest.mark.matrix
def test_a_login_holds_even_when_loading_never_ended(unlinked, visit: Visit):
    unlinked.set_config(loading_hangs=True)
    page = visit(unlinked.url, wait=f"{CODE} canvas")
    unlinked.scan()
    page.wait_for_selector("#app progress")

    unlinked.set_config(loading_hangs=False)
    page.reload()

    page.wait_for_selector(LIST)


def test_the_code_changes_in_place(unlinked, visit: Visit):
    unlinked.set_config(delays={"qr_ttl_scale": 0.005})
    page = visit(unlinked.url, wait=CODE)
    first = page.evaluate_handle("document.querySelector('[data-ref]')")
    before = shown_code(page)

    page.wait_for_function(
        "before => document.querySelector('[data-ref]').dataset.ref !== before", arg=before
    )

    assert first.evaluate("node => node.isConnected")


def test_a_code_that_ran_out_is_replaced_on_a_click(unlinked, visit: Visit):
    unlinked.set_config(delays={"qr_ttl_scale": 0.0005})
    page = visit(unlinked.url, wait=f"{CODE} button")
    stale = shown_code(page)
    button = page.locator("[data-ref] button")
    assert button.inner_text() == "Click to reload QR code"

    unlinked.set_config(delays={"qr_ttl_scale": 1})
    button.click()

    page.wait_for_function("stale => document.querySelector('[data-ref]')?.dataset.ref !== stale", arg=stale)
    page.wait_for_selector(f"{CODE}:not(:has(button))")


def test_linking_with_a_phone_number_shows_eight_letters(unlinked, visit: Visit):
    page = visit(unlinked.url, wait=f"{CODE} canvas")

    page.locator("[data-testid=link_device_qr_phone_number_link]").click()
    page.locator("form input").fill("+1 555 000 1111")
    page.keyboard.press("Enter")

    letters = page.locator("[data-link-code]").get_attribute("data-link-code") or ""
    assert len(letters.split(",")) == 8


def test_a_request_for_the_history_that_fails_is_made_again(unlinked, visit: Visit):
    page = visit(unlinked.url, wait=f"{CODE} canvas")
    failed: list[str] = []

    def fail_once(route: Route) -> None:
        failed.append(route.request.url)
        route.abort("connectionreset")

    page.route("**/page/sync*", fail_once, times=1)
    unlinked.scan()

    page.wait_for_selector(LIST)
    assert len(failed) == 1


def test_a_login_survives_in_its_profile(unlinked, chromium: Path, page_browser: Browser, tmp_path: Path):
    kind = page_browser.browser_type

    @contextmanager
    def open_profile() -> Iterator[Page]:
        context = kind.launch_persistent_context(
            tmp_path, executable_path=chromium, args=launch_arguments(), user_agent=ORDINARY_AGENT
        )
        with closing(context):
            context.pages[0].goto(unlinked.url)
            yield context.pages[0]

    with open_profile() as page:
        page.wait_for_selector(f"{CODE} canvas")
        unlinked.scan()
        page.wait_for_selector(LIST)

    with open_profile() as page:
        # Either is waited for, so that a lost login is told from a page that does not come.
        page.wait_for_selector(f"{LIST}, {CODE}")
        assert page.locator(CODE).count() == 0
        assert page.evaluate("Object.keys(localStorage).includes('WANoiseInfo')")
        assert page.evaluate("JSON.parse(localStorage.getItem('last-wid-md'))").endswith("@c.us")


def test_unlinking_wipes_the_profile_and_asks_again(unlinked, visit: Visit):
    page = visit(unlinked.url, wait=f"{CODE} canvas")
    unlinked.scan()
    page.wait_for_selector(LIST)

    unlinked.logout(reason=401)

    page.wait_for_url("**/?post_logout=1&logout_reason=401")
    page.wait_for_selector(f"{CODE} canvas")
    assert page.evaluate("localStorage.getItem('WANoiseInfo')") is None
    assert page.get_by_text("You have been logged out").is_visible()


def test_a_headless_browser_gets_the_unsupported_page(unlinked, visit: Visit):
    page = visit(unlinked.url, wait=None, user_agent=ORDINARY_AGENT.replace("Chrome/", "HeadlessChrome/"))

    assert "WhatsApp works with Google Chrome" in page.inner_text("body")
    assert page.locator("#app").count() == 0


def test_a_second_tab_takes_over_from_the_first(shared_simulator, visit: Visit):
    first = visit(shared_simulator.url)
    second = first.context.new_page()
    second.goto(shared_simulator.url)
    second.wait_for_selector(LIST)

    dialog = first.locator("[role=dialog]")
    dialog.wait_for()
    assert "open in another window" in dialog.inner_text()
    assert dialog.get_by_role("button").all_inner_texts() == ["Close", "Use here"]
    assert second.locator("[role=dialog]").count() == 0


def test_a_blocking_screen_stands_in_place_of_the_chats(simulator, visit: Visit):
    page = visit(simulator.url)
    dialog = page.locator("[role=dialog][aria-modal=true]")
    screens = {
        "conflict": "open on another computer or browser",
        "terms": "Terms and Privacy Policy",
        "deprecated": "too old",
        "proxyblock": "Can't load WhatsApp",
        "temp_ban": "temporarily banned",
        "service_unavailable": "Service unavailable",
        "screen_lock": "App lock is on",
    }

    for kind, words in screens.items():
        simulator.dialog(kind)
        dialog.get_by_text(words).first.wait_for()
        assert page.locator("#pane-side").count() == 0

    simulator.dialog("none")
    page.wait_for_selector(LIST)


def test_a_feature_notice_lies_above_the_chats_until_it_is_closed(simulator, visit: Visit):
    page = visit(simulator.url)
    simulator.dialog("feature")
    dialog = page.locator("[role=dialog]")
    dialog.wait_for()
    assert page.locator("#pane-side").count() == 1

    dialog.get_by_role("button", name="Continue").click()

    dialog.wait_for(state="detached")


def test_a_banner_stands_in_the_list_panel(simulator, visit: Visit):
    page = visit(simulator.url)

    for kind, words in {"update_bar": "Refresh to update", "offline": "Computer not connected"}.items():
        simulator.dialog(kind)
        page.locator("#side").get_by_text(words).wait_for()

    assert page.locator("[role=dialog]").count() == 0
