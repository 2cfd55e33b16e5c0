"""Albums on the stand-in's page: several messages, one row, at most four tiles."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.fixtures.page import Visit
from tests.simulator.conversation_page import open_chat
from whatsapp_etl.simulator.serve import RunningSimulator

StartSimulator = Callable[..., RunningSimulator]
ALBUMS = '#main [data-id^="album-"]'


@pytest.mark.parametrize("profile", ["apr26", "aug26"])
def test_pictures_sent_together_are_one_row_named_by_its_ends(
    start_simulator: StartSimulator, visit: Visit, profile: str
) -> None:
    simulator = start_simulator(chats=1, messages=5, repertoire="everything", profile=profile)
    page = visit(simulator.url)
    page.locator('#pane-side span[title="Album Friend"]').click()
    page.wait_for_selector(f"{ALBUMS} [role=button][aria-label='Open picture']")
    pictures = [
        row["external_id"].split("_")[2]
        for row in simulator.truth()
        if row["message_type"] == "image" and row["thread_external_id"] == friend(simulator)
    ]

    rows = page.locator(ALBUMS)
    ids = [rows.nth(index).get_attribute("data-id") or "" for index in range(rows.count())]

    assert ids == [f"album-{pictures[0]}-{pictures[3]}-4", f"album-{pictures[4]}-{pictures[8]}-5"]
    assert rows.nth(0).locator("[aria-label='Open picture']").count() == 4
    assert rows.nth(1).locator("[aria-label='Open picture']").count() == 4
    assert rows.nth(1).get_by_text("+1", exact=True).count() == 1
    assert rows.nth(0).locator("[data-pre-plain-text]").count() == 0
    assert rows.nth(0).locator("[role=group]").count() == 1
    shown = page.evaluate("[...document.querySelectorAll('#main [data-id]')].map(node => node.dataset.id)")
    assert not any(picture in shown_id.split("_") for shown_id in shown for picture in pictures)
    classes = rows.nth(1).get_attribute("class") or ""
    assert ("message-out" in classes) == (profile == "apr26")


def test_a_picture_that_is_deleted_leaves_the_album_of_those_that_are_left(
    start_simulator: StartSimulator, visit: Visit
) -> None:
    simulator = start_simulator(chats=1, messages=5, repertoire="everything")
    page = visit(simulator.url)
    open_chat(page, "Album Friend")
    five = page.locator('#main [data-id^="album-"][data-id$="-5"]')
    five.wait_for()
    last = re.fullmatch(r"album-.+-(.+)-5", five.get_attribute("data-id") or "")
    assert last is not None
    key = next(row["external_id"] for row in simulator.truth() if last[1] in row["external_id"])

    simulator.delete(key)

    page.wait_for_function(
        "() => document.querySelectorAll('#main [data-id^=album-][data-id$=\"-4\"]').length === 2"
    )
    assert page.locator(f'#main [data-id="{last[1]}"]').locator("[data-icon=recalled]").count() == 1


def friend(simulator: RunningSimulator) -> str:
    return next(chat["id"] for chat in simulator.world()["chats"] if chat["title"] == "Album Friend")
