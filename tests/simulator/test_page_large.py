"""A large account on the stand-in: 200,000 messages in 1,500 chats, without pictures."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser

from tests.fixtures.page import FOCUS_SHIELD, new_context
from whatsapp_etl.simulator.options import SimulatorOptions
from whatsapp_etl.simulator.page import open_server
from whatsapp_etl.simulator.serve import RunningSimulator

LOADS_WITHIN_MS = 600_000
CHATS, MESSAGES = 1_500, 200_000
FEED = """async () => {
    const table = require('WAWebSchemaMessage').getMessageTable();
    const { messageFromDbRow } = require('WAWebDBMessageSerialization');
    const keys = [];
    for (let at = 0; ;) {
        const rows = await table.greaterThan(['rowId'], at, {limit: 1000});
        if (rows.length === 0) return keys;
        at = rows.at(-1).rowId;
        for (const row of rows) {
            const message = messageFromDbRow(row);
            if (message.type === 'chat' && typeof message.body !== 'string') throw new Error('no text');
            keys.push(String(message.id));
        }
    }
}"""


@pytest.mark.matrix
@pytest.mark.timeout(1_800)
def test_the_feed_of_a_large_account_is_complete(
    start_simulator: Callable[..., RunningSimulator], page_browser: Browser
):
    simulator = start_simulator(chats=CHATS, messages=MESSAGES, days=28, pictures=False)
    context = new_context(page_browser)
    context.add_init_script(FOCUS_SHIELD)
    try:
        page = context.new_page()
        page.goto(simulator.url)
        page.wait_for_selector("#pane-side [role=row]", timeout=LOADS_WITHIN_MS)
        keys = page.evaluate(FEED)
        shown = page.locator("#main [data-id]").count()
    finally:
        context.close()

    truth = simulator.truth(view="attainable", columns=("external_id", "file_sha256"))
    plain = {key.removesuffix("_in").removesuffix("_out") for key in keys}
    ledger = simulator.ledger()
    assert len(keys) == len(plain) >= MESSAGES
    assert {row["external_id"] for row in truth} <= plain
    assert {row["file_sha256"] for row in truth} == {None}
    assert len(simulator.world()["chats"]) >= CHATS
    assert (ledger["receipts"], ledger["presence"]["available"], shown) == (0, 0, 0)


def test_a_world_without_pictures_has_all_else(small_world: SimulatorOptions):
    options = {name: getattr(small_world, name) for name in ("chats", "messages", "days", "seed", "now")}
    world = open_server(SimulatorOptions(**options, pictures=False)).world

    kinds = {message.type for message in world.messages.values()}

    assert kinds.isdisjoint({"image", "sticker"})
    assert kinds >= {"chat", "video", "document", "ptt", "location", "poll_creation", "revoked", "gp2"}
    assert len(world.messages) >= small_world.messages
