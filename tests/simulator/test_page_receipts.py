"""What the stand-in's page tells its server about reading: nothing without focus, and plenty with it."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from tests.fixtures.page import Visit, wait_until
from whatsapp_etl.simulator.serve import RunningSimulator

MESSAGES = "#main [data-testid^=conv-msg-] [data-testid=msg-container]"


def wait_for_ledger(page: Page, condition: str) -> None:
    """Wait until the server's ledger fulfils a condition on `ledger`."""
    wait_until(
        page,
        f"async () => {{ const ledger = await (await fetch('/__sim/ledger')).json(); return {condition}; }}",
    )


def open_unread_chat(page: Page) -> dict[str, Any]:
    """Click the first chat with a numbered badge; return its id and count."""
    row = page.locator(
        "#pane-side [role=row]:has([data-testid=icon-unread-count][aria-label*='unread message'])"
    ).first
    chat: dict[str, Any] = row.evaluate(
        """row => {
            const key = Object.keys(row).find(name => name.startsWith("__reactFiber$"));
            const chat = row[key].return.memoizedProps.data.data;
            return {id: String(chat.id), unread: chat.unreadCount};
        }"""
    )
    row.click()
    page.locator(MESSAGES).first.wait_for()
    return chat


def to_the_bottom(page: Page) -> None:
    page.locator("[data-testid=conversation-panel-messages]").evaluate(
        """pane => new Promise(resolve => {
            pane.scrollTop = pane.scrollHeight;
            requestAnimationFrame(() => requestAnimationFrame(resolve));
        })"""
    )


def test_opening_a_chat_with_focus_sends_its_receipts(simulator: RunningSimulator, visit: Visit):
    page = visit(simulator.url)

    chat = open_unread_chat(page)

    wait_for_ledger(page, "ledger.receipts_by_kind.read > 0")
    assert chat["id"] not in simulator.unread()


def test_reading_clears_the_badge(simulator: RunningSimulator, visit: Visit):
    page = visit(simulator.url)
    selector = "#pane-side [data-testid=icon-unread-count]"
    before = page.locator(selector).count()

    open_unread_chat(page)

    page.wait_for_function(
        "([selector, before]) => document.querySelectorAll(selector).length === before - 1",
        arg=[selector, before],
    )


def test_a_focused_page_shows_the_account_as_online(simulator: RunningSimulator, visit: Visit):
    page = visit(simulator.url)

    wait_for_ledger(page, "ledger.presence.available === 1")
    assert simulator.ledger()["presence"]["unavailable"] == 0


def test_a_page_without_focus_sends_no_receipt(simulator: RunningSimulator, visit: Visit):
    before = simulator.unread()
    page = visit(simulator.url, shielded=True)

    open_unread_chat(page)
    page.mouse.wheel(0, -2000)
    page.mouse.wheel(0, 4000)
    page.keyboard.press("End")
    wait_for_ledger(page, "ledger.presence.unavailable === 1")

    ledger = simulator.ledger()
    assert (ledger["receipts"], ledger["presence"]["available"]) == (0, 0)
    assert simulator.unread() == before


def test_a_request_made_without_focus_waits_for_it(simulator: RunningSimulator, visit: Visit):
    page = visit(simulator.url, shielded=True)
    open_unread_chat(page)
    assert simulator.ledger()["receipts"] == 0

    page.evaluate("Object.defineProperty(document, 'hasFocus', {value: () => true})")
    page.mouse.move(300, 300)

    wait_for_ledger(page, "ledger.receipts_by_kind.read > 0 && ledger.presence.available === 1")


def test_a_message_in_the_open_chat_is_read_at_once_with_focus(simulator: RunningSimulator, visit: Visit):
    page = visit(simulator.url)
    chat = open_unread_chat(page)
    wait_for_ledger(page, "ledger.receipts > 0")
    to_the_bottom(page)
    seen = simulator.ledger()["receipts"]

    simulator.add_message(chat["id"], "One more thing", sender=chat["id"])

    page.get_by_text("One more thing").first.wait_for()
    wait_for_ledger(page, f"ledger.receipts > {seen}")


def test_thirty_seconds_without_a_move_end_being_online(simulator: RunningSimulator, visit: Visit):
    page = visit(simulator.url)
    wait_for_ledger(page, "ledger.presence.available === 1")
    page.clock.install()
    page.mouse.move(200, 200)

    page.clock.fast_forward(29_000)
    assert simulator.ledger()["presence"]["unavailable"] == 0
    page.clock.fast_forward(2_000)

    page.clock.resume()
    wait_for_ledger(page, "ledger.presence.unavailable === 1")


def test_a_window_left_for_fifteen_seconds_ends_being_online(simulator: RunningSimulator, visit: Visit):
    page = visit(simulator.url)
    wait_for_ledger(page, "ledger.presence.available === 1")
    page.clock.install()
    page.evaluate("window.dispatchEvent(new Event('blur'))")

    page.clock.fast_forward(16_000)

    page.clock.resume()
    wait_for_ledger(page, "ledger.presence.unavailable === 1")
