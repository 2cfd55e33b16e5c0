"""What changes on the stand-in's open conversation while one looks at it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import ElementHandle, Page, expect

from tests.fixtures.page import Visit
from tests.simulator.conversation_page import measure, open_chat, row, row_ids, scroll, stanza
from whatsapp_etl.simulator.serve import RunningSimulator

TEXT = "span[data-testid=selectable-text]"


@dataclass(frozen=True)
class Watched:
    """An open chat and its last message."""

    simulator: RunningSimulator
    page: Page
    chat: str
    key: str

    def node(self) -> ElementHandle:
        handle = row(self.page, self.key).element_handle()
        assert handle is not None
        return handle

    def is_same_node(self, node: ElementHandle) -> bool:
        return bool(node.evaluate("node => node.isConnected && document.contains(node)"))


@pytest.fixture
def watch(start_simulator: Callable[..., RunningSimulator], visit: Visit) -> Callable[..., Watched]:
    def watch_(
        kind: str = "chat", body: object = None, count: int = 1, config: dict[str, object] | None = None
    ) -> Watched:
        simulator = start_simulator(chats=1, messages=0, extras=False)
        simulator.set_config(**(config or {}))
        chat = simulator.add_chat(name="Ada Live")
        for number in range(count - 1):
            simulator.add_message(chat, f"Line {number}", sender="me")
        key = simulator.add_message(chat, body, type=kind)
        page = visit(simulator.url, shielded=True)
        open_chat(page, "Ada Live")
        return Watched(simulator, page, chat, key)

    return watch_


def test_a_new_message_is_put_at_the_end_and_scrolled_to(watch):
    seen = watch(body="First", count=40)

    new = seen.simulator.add_message(seen.chat, "Second")

    expect(row(seen.page, new).locator(TEXT)).to_have_text("Second")
    assert row_ids(seen.page)[-1] == stanza(new)
    assert measure(seen.page)["below"] <= 10


def test_a_new_message_is_counted_on_the_button_while_one_reads_above(watch):
    seen = watch(body="First", count=40)
    scroll(seen.page, 500)
    seen.page.get_by_role("button", name="Scroll to bottom").wait_for()
    top = measure(seen.page)["top"]

    seen.simulator.add_message(seen.chat, "Second")

    expect(seen.page.get_by_role("button", name="Scroll to bottom").locator("[aria-label]")).to_have_text("1")
    assert measure(seen.page)["top"] == top


def test_an_edit_changes_the_text_under_the_same_node(watch):
    seen = watch(body="Frist")
    node = seen.node()

    seen.simulator.edit(seen.key, "First")

    expect(row(seen.page, seen.key).locator(TEXT)).to_have_text("First")
    assert seen.is_same_node(node)
    assert (node.inner_text()).strip().endswith("Edited12:00 PM")


def test_a_message_deleted_for_everyone_keeps_its_node(watch):
    seen = watch(body="Secret")
    node = seen.node()

    seen.simulator.delete(seen.key)

    expect(row(seen.page, seen.key)).to_contain_text("This message was deleted")
    assert seen.is_same_node(node)
    assert row(seen.page, seen.key).locator("[data-pre-plain-text]").count() == 0


def test_a_message_deleted_here_is_gone(watch):
    seen = watch(body="Noise", count=2)

    seen.simulator.delete(seen.key, by="me")

    expect(row(seen.page, seen.key)).to_have_count(0)
    assert len(row_ids(seen.page)) == 1


def test_reactions_come_and_go(watch):
    seen = watch(body="News")
    bubble = row(seen.page, seen.key).get_by_test_id("reaction-bubble").locator("button")

    seen.simulator.react(seen.key, "🎉")
    expect(bubble).to_have_attribute("aria-label", "reaction 🎉. View reactions")

    seen.simulator.react(seen.key, None)
    expect(bubble).to_have_count(0)


def test_a_waiting_message_arrives_under_the_same_node(watch):
    seen = watch("ciphertext")
    node = seen.node()

    seen.simulator.decrypt(seen.key, "Here at last")

    expect(row(seen.page, seen.key).locator(TEXT)).to_have_text("Here at last")
    assert seen.is_same_node(node)


def test_without_automatic_download_an_image_waits_for_a_click(watch):
    seen = watch("image", config={"auto_download": False})
    shown = row(seen.page, seen.key)
    button = shown.get_by_role("button", name="Download")
    assert button.get_attribute("data-testid") == "media-state-download"
    assert (shown.locator("img").get_attribute("src") or "").startswith("data:image/")
    assert seen.simulator.ledger()["media_reads"] == 0

    button.click()

    shown.locator("img[src^='blob:']").wait_for()
    assert button.count() == 0
    assert seen.simulator.ledger()["media_reads"] == 1


def test_an_image_that_is_gone_says_so_and_keeps_its_blurred_one(watch):
    seen = watch("image", config={"auto_download": False})
    seen.simulator.expire(seen.key)
    shown = row(seen.page, seen.key)
    seen.simulator.set_config(auto_download=True)
    seen.page.reload()
    seen.page.wait_for_selector("#pane-side [role=row]")
    open_chat(seen.page, "Ada Live")

    expect(shown.get_by_test_id("media-error-message")).to_have_text(
        "Can't download. Ask Ada Live to resend it."
    )
    assert (shown.locator("img").get_attribute("src") or "").startswith("data:image/")


def test_a_blurred_image_stands_until_the_bytes_are_there(watch):
    seen = watch("image", config={"delays": {"image_ms": 400}})
    shown = row(seen.page, seen.key)

    assert shown.get_by_role("progressbar").count() == 1
    assert (shown.locator("img").get_attribute("src") or "").startswith("data:image/")

    shown.locator("img[src^='blob:']").wait_for()
    assert shown.get_by_role("progressbar").count() == 0
