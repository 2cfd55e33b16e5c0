"""What the shield is for: a chat is opened and the account's server hears nothing of it."""

from datetime import timedelta

import pytest

from tests.fixtures.page import wait_until
from whatsapp_etl.extract.session import Session

SOON = timedelta(seconds=60)
SOON_MS = 60_000


class TrustingSession(Session):
    """A session that believes in its shield instead of checking it."""

    def verify_shield(self):
        pass


def open_unread_chat(session, simulator):
    """Open the chat with unread messages whose title is its own, and wait for its messages."""
    session.wait_until_ready(SOON)
    chats = simulator.world()["chats"]
    titles = [chat["title"] for chat in chats]
    unread = simulator.unread()
    chat = next(
        chat
        for chat in chats
        if unread.get(chat["id"], 0) > 0 and titles.count(chat["title"]) == 1 and chat["in_scope"]
    )
    title = session.page.locator("[data-testid=cell-frame-title] span[title]")
    title.filter(has_text=chat["title"]).first.click(timeout=SOON_MS)
    session.page.wait_for_selector("#main [data-id]", timeout=SOON_MS)
    return chat["id"]


def heard(simulator):
    ledger = simulator.ledger()
    return ledger["receipts"], ledger["presence"].get("available", 0)


def test_opening_an_unread_chat_under_the_shield_is_not_heard_of(simulator, open_session):
    session = open_session(simulator.url)
    before = simulator.unread()

    open_unread_chat(session, simulator)
    session.page.mouse.move(600, 400)
    session.page.mouse.wheel(0, -200)
    session.page.keyboard.press("PageDown")
    session.poll(timedelta(seconds=1))

    assert heard(simulator) == (0, 0)
    assert simulator.unread() == before


def test_without_the_shield_the_same_opening_sends_receipts_and_shows_the_account_online(
    simulator, open_session, open_unshielded
):
    session = open_session(simulator.url, open_unshielded(), TrustingSession)

    chat = open_unread_chat(session, simulator)
    wait_until(session.page, "async () => (await (await fetch('/__sim/ledger')).json()).receipts > 0")

    receipts, available = heard(simulator)
    assert receipts > 0
    assert available > 0
    assert simulator.unread().get(chat, 0) == 0


@pytest.mark.parametrize("leaves", [pytest.param("reload", marks=pytest.mark.matrix), "close"])
def test_what_was_held_back_is_never_sent_later(simulator, open_session, open_browser, leaves):
    browser = open_browser()
    session = open_session(simulator.url, browser)
    before = simulator.unread()
    open_unread_chat(session, simulator)

    if leaves == "close":
        browser.close()
    else:
        session.open()
        session.wait_until_ready(SOON)

    assert heard(simulator) == (0, 0)
    assert simulator.unread() == before
