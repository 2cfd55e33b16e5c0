"""The status page in a real browser: on a phone and a desk, in light and dark."""

import io
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import product
from pathlib import Path

import httpx
import pytest
import uvicorn
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.fixtures.service import (
    NOW,
    FixedClock,
    healthy_state,
    make_coverage,
    make_days,
    make_report,
    make_store,
    qr_session,
)
from tests.fixtures.terminal import read_qr
from whatsapp_etl.model import MissingReason, RunStatus, SessionSnapshot, SessionState
from whatsapp_etl.service.app import ServiceOptions, create_app
from whatsapp_etl.service.state import ServiceState

#: The lowest contrast that WCAG 2.2 AA asks of text.
LOWEST_CONTRAST = 4.5

#: Texts whose colour is too close to what lies behind them.
FAINT_TEXTS = """
lowest => {
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const linear = v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
    const [x, y, z] = [r, g, b].map(v => linear(v / 255));
    return .2126 * x + .7152 * y + .0722 * z;
  };
  const ground = node => {
    for (let at = node; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || node.closest("svg") || !node.checkVisibility()) continue;
    const [a, b] = [light(parse(getComputedStyle(node).color)), light(ground(node))].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < lowest) faint.push(walker.currentNode.data.trim());
  }
  return faint;
}
"""


def degraded_state() -> ServiceState:
    state = healthy_state()
    for status in RunStatus:
        state.cycle_finished(
            replace(make_report(minutes_ago=0.5), status=status, error="SelectorDriftError: chat_list")
        )
    state.show_session(SessionSnapshot(SessionState.WRONG_ACCOUNT, since=NOW - timedelta(hours=1)))
    missing = {MissingReason.NOT_REACHED: 1234, MissingReason.NEEDS_PHONE: 56_789}
    state.show_store(make_store(messages=12_345_678), make_coverage(missing, expected=1_000_000), make_days())
    return state


def waiting_state() -> ServiceState:
    state = ServiceState(FixedClock())
    state.show_session(qr_session("2@" + "x" * 230, qr_expires_at=NOW + timedelta(seconds=14)))
    return state


def resting_state() -> ServiceState:
    state = ServiceState(FixedClock())
    state.show_session(SessionSnapshot(SessionState.LINK_RESTING, since=NOW - timedelta(hours=2)))
    return state


STATES: dict[str, Callable[[], ServiceState]] = {
    "healthy": healthy_state,
    "waiting for a scan": waiting_state,
    "resting": resting_state,
    "degraded": degraded_state,
    "just started": lambda: ServiceState(FixedClock()),
}


@pytest.fixture
def serve_state() -> Iterator[Callable[[ServiceState, str], str]]:
    running: list[tuple[uvicorn.Server, threading.Thread]] = []

    def serve(state: ServiceState, token: str = "", ask_for_codes: Callable[[], None] = lambda: None) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        app = create_app(state, ServiceOptions(token=token), FixedClock(), ask_for_codes)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        running.append((server, thread))
        return f"http://127.0.0.1:{listener.getsockname()[1]}/"

    yield serve
    for server, thread in running:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def window(chromium: Path) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


def open_page(window: Browser, url: str, width: int, scheme: str) -> tuple[Page, list[str]]:
    page = window.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(url)
    return page, complaints


@pytest.mark.parametrize("state", STATES)
def test_the_page_fits_the_window_and_is_readable(window, serve_state, state: str):
    page, complaints = open_page(window, serve_state(STATES[state]()), 1280, "light")
    page.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
    assert page.locator("h1").count() == 1

    for width, scheme in product((390, 1280), ("light", "dark")):
        page.set_viewport_size({"width": width, "height": 844})
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (width, scheme)
        assert page.evaluate(FAINT_TEXTS, LOWEST_CONTRAST) == [], (width, scheme)

    assert complaints == []
    page.close()


def test_the_qr_code_is_shown_large_enough_to_scan(window, serve_state):
    page, _ = open_page(window, serve_state(waiting_state()), 390, "dark")
    image = page.locator("img")

    assert image.evaluate("image => image.complete && image.naturalWidth > 0")
    box = image.bounding_box()
    assert box is not None
    assert box["width"] >= 240
    page.close()


def read_page(page: Page) -> list[str]:
    if not page.locator("#code").evaluate("image => image.complete"):
        page.locator("#code").evaluate("image => image.decode()")
    return read_qr(Image.open(io.BytesIO(page.screenshot())))


@pytest.mark.parametrize("scheme", [pytest.param("light", marks=pytest.mark.matrix), "dark"])
def test_the_page_follows_the_code_and_its_end_without_loading_itself_again(window, serve_state, scheme: str):
    state = waiting_state()
    page, complaints = open_page(window, serve_state(state), 1280, scheme)
    page.evaluate("document.body.dataset.mark = 'the same page'")
    assert read_page(page) == ["2@" + "x" * 230]
    # The service's clock stands still at 14: only the page counts down.
    page.get_by_text("in about 13 s.").wait_for()

    following = "2@" + "y" * 230
    state.show_session(qr_session(following, qr_expires_at=NOW + timedelta(seconds=40)))
    page.get_by_text("in about 40 s.").wait_for()

    assert read_page(page) == [following]
    assert page.evaluate("document.body.dataset.mark") == "the same page"
    state.show_session(SessionSnapshot(SessionState.LOADING, since=NOW))
    page.wait_for_selector("#code", state="detached")
    assert complaints == []
    page.close()


def test_the_button_asks_for_codes_and_the_page_shows_them(window, serve_state):
    state = resting_state()

    def show() -> None:
        state.show_session(qr_session("2@" + "z" * 230))

    page, complaints = open_page(window, serve_state(state, ask_for_codes=show), 1280, "light")
    page.get_by_role("button", name="Show a QR code").click()
    page.wait_for_selector("#code")

    assert read_page(page) == ["2@" + "z" * 230]
    assert complaints == []
    page.close()


def test_without_a_script_the_page_shows_the_code_and_loads_itself_again(window, serve_state):
    context = window.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(serve_state(waiting_state()))

    assert read_page(page) == ["2@" + "x" * 230]
    assert page.locator("#left").inner_text() == "The next code comes in about 14 s."
    assert page.locator("meta[http-equiv=refresh]").get_attribute("content") == "5"
    context.close()


def test_the_token_is_entered_once_in_a_browser(window, serve_state):
    url = serve_state(healthy_state(), "invented token")
    page = window.new_page()
    page.goto(url)

    page.get_by_label("HTTP_TOKEN").fill("invented token")
    page.get_by_role("button").click()
    page.wait_for_function("() => document.title.startsWith('Everything')")

    assert page.url == url
    page.reload()
    assert page.title().startswith("Everything")
    page.close()


def test_head_over_the_network_has_no_body(serve_state):
    answer = httpx.head(f"{serve_state(healthy_state())}health")

    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 0
