"""What is described in two forms, on the stand-in's page: each variant shows the other one."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest

from tests.fixtures.page import Visit
from tests.simulator.conversation_page import open_chat, stanza
from whatsapp_etl.simulator.options import SimulatorOptions
from whatsapp_etl.simulator.serve import RunningSimulator

StartSimulator = Callable[..., RunningSimulator]
PICTURES = "[aria-label='Open picture']"


@pytest.mark.parametrize("profile", ["apr26", "aug26"])
def test_an_albums_row_may_have_the_id_of_its_first_picture(
    start_simulator: StartSimulator, visit: Visit, profile: str
) -> None:
    simulator = start_simulator(
        chats=1, messages=5, repertoire="everything", profile=profile, page_variants=("album_first_id",)
    )
    page = visit(simulator.url)
    page.locator('#pane-side span[title="Album Friend"]').click()
    page.wait_for_selector(f"#main {PICTURES}")
    keys = [
        row["external_id"]
        for row in simulator.truth()
        if row["message_type"] == "image"
        and row["thread_external_id"] == chat_called(simulator, "Album Friend")
    ]
    ids = [keys[0], keys[4]] if profile == "apr26" else [key.split("_")[2] for key in (keys[0], keys[4])]

    rows = page.locator(f"#main [data-id]:has({PICTURES})")

    assert [row.get_attribute("data-id") for row in rows.all()] == ids
    assert [row.locator(PICTURES).count() for row in rows.all()] == [4, 4]
    assert page.locator("#main [data-id^=album-]").count() == 0
    if profile == "aug26":
        assert [row.get_attribute("data-testid") for row in rows.all()] == [
            f"conv-msg-{each}" for each in ids
        ]


def test_an_albums_tiles_may_have_ids_of_their_own(start_simulator: StartSimulator, visit: Visit) -> None:
    simulator = start_simulator(
        chats=1, messages=5, repertoire="everything", page_variants=("album_tile_ids",)
    )
    page = visit(simulator.url)
    open_chat(page, "Album Friend")

    album = page.locator('#main [data-id^="album-"]').first
    tiles = [tile.get_attribute("data-id") for tile in album.locator("[data-id]").all()]

    keys = [
        row["external_id"]
        for row in simulator.truth()
        if row["message_type"] == "image"
        and row["thread_external_id"] == chat_called(simulator, "Album Friend")
    ]
    assert tiles == keys[:4]
    assert album.locator("[data-testid^=conv-msg-]").count() == 0


def test_roles_of_list_and_rows_differ_between_accounts(
    start_simulator: StartSimulator, visit: Visit
) -> None:
    simulator = start_simulator(chats=1, messages=20, page_variants=("application_role", "no_row_role"))
    usual = start_simulator(chats=1, messages=20)

    for url, roles in ((usual.url, (0, True)), (simulator.url, (1, False))):
        page = visit(url)
        page.locator("#pane-side [role=row]").first.click()
        page.wait_for_selector("#main [data-id]")
        shown = page.locator("#main [data-tab='8'][role=application]").count()
        assert (shown, page.locator("#main [role=row]").count() > 0) == roles


def test_some_texts_may_lack_what_is_copied_before_them(
    start_simulator: StartSimulator, visit: Visit
) -> None:
    simulator = start_simulator(chats=1, messages=60, page_variants=("no_prefix",))
    page = visit(simulator.url)
    page.locator("#pane-side [role=row]").first.click()
    page.wait_for_selector("#main div.copyable-text[data-pre-plain-text]")

    with_prefix = page.locator("#main div.copyable-text[data-pre-plain-text]").count()
    without = page.locator("#main div.copyable-text:not([data-pre-plain-text])").count()

    assert with_prefix > without > 0


@pytest.mark.matrix
def test_more_than_a_hundred_rows_may_stay_mounted(start_simulator: StartSimulator, visit: Visit) -> None:
    simulator = start_simulator(chats=1, messages=400, page_variants=("many_rows",))
    page = visit(simulator.url)
    page.locator("#pane-side [role=row]").first.click()
    page.wait_for_selector("#main [data-id]")

    page.evaluate(
        """async () => {
            const scroller = document.querySelector("[data-testid=conversation-panel-messages]");
            const until = performance.now() + 10_000;
            while (document.querySelectorAll("#main [data-id]").length <= 150 && performance.now() < until) {
                scroller.scrollTop = 400;
                await new Promise(requestAnimationFrame);
                scroller.scrollTop = 0;
                await new Promise(requestAnimationFrame);
            }
        }"""
    )

    assert page.locator("#main [data-id]").count() > 150


def test_cards_that_are_no_messages_stand_above_a_groups_oldest_one(
    start_simulator: StartSimulator, visit: Visit
) -> None:
    simulator = start_simulator(
        chats=1, messages=5, repertoire="everything", page_variants=("context_cards",)
    )
    page = visit(simulator.url)
    open_chat(page, "Album club")

    rows = page.locator("#main [data-id]").all()
    cards, message = rows[:2], rows[2]

    assert message.get_by_role("button", name="Open picture").count() == 4
    for card in cards:
        assert re.fullmatch(r"\d{18}", card.get_attribute("data-id") or "")
        assert card.locator("[data-testid=msg-notification-container]").count() == 1
        assert card.locator("[data-pre-plain-text], [data-testid=msg-meta]").count() == 0
    assert [card.get_by_role("button", name="Group info").count() for card in cards] == [0, 1]
    listed = page.evaluate(
        """() => new Promise(resolve => {
            const request = indexedDB.open("model-storage");
            request.onsuccess = () => {
                const keys = request.result.transaction("message").objectStore("message").getAllKeys();
                keys.onsuccess = () => resolve(keys.result);
            };
        })"""
    )
    assert not {card.get_attribute("data-id") for card in cards} & {key.split("_")[2] for key in listed}
    simulator.add_message(chat_called(simulator, "Album club"), "After the cards")
    page.get_by_text("After the cards").last.wait_for()
    assert page.locator("#main [data-id]").first.get_attribute("data-id") == cards[0].get_attribute("data-id")


@pytest.mark.parametrize("profile", ["apr26", "aug26"])
def test_two_stickers_of_one_sender_may_stand_in_one_row(
    start_simulator: StartSimulator, visit: Visit, profile: str
) -> None:
    simulator = start_simulator(
        chats=1, messages=5, repertoire="everything", profile=profile, page_variants=("grouped_stickers",)
    )
    page = visit(simulator.url)
    page.locator('#pane-side span[title="Album club"]').click()
    page.wait_for_selector("#main [data-id] .sticker img")
    club = chat_called(simulator, "Album club")
    first, second, third = [
        row["external_id"]
        for row in simulator.truth()
        if row["message_type"] == "sticker" and row["thread_external_id"] == club
    ]

    pair, alone = page.locator("#main [data-id]:has(.sticker)").all()

    assert pair.get_attribute("data-id") == f"grouped-sticker-{stanza(first)}-{stanza(second)}-2"
    assert alone.get_attribute("data-id") == (third if profile == "apr26" else stanza(third))
    assert (pair.locator(".sticker").count(), alone.locator(".sticker").count()) == (2, 1)
    simulator.delete(second)
    page.wait_for_function("() => !document.querySelector('#main [data-id^=grouped-sticker]')")
    assert page.locator("#main [data-id]:has(.sticker)").count() == 2


def test_an_unknown_variant_is_refused(simulator: RunningSimulator) -> None:
    with pytest.raises(ValueError, match="album_first_id"):
        SimulatorOptions(page_variants=("album",))
    with pytest.raises(httpx.HTTPStatusError):
        simulator.set_config(page_variants=["album"])


def chat_called(simulator: RunningSimulator, title: str) -> str:
    return next(chat["id"] for chat in simulator.world()["chats"] if chat["title"] == title)
